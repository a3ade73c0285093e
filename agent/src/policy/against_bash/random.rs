//! Texts that nobody wrote: what is in the corpus, put into each other, and pieces of the grammar in any order.
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

use super::bash::Bash;
use super::missed;

/// How many texts each test makes, always the same ones: what was never found is to fail where somebody looks for it, and not where somebody
/// changes something else. With `PROPTEST_CASES` there are so many, and others each time.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: wanted.unwrap_or(128),
        rng_seed: wanted.map_or(RngSeed::Fixed(0), |_| RngSeed::Random),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Where commands stand: `@` is one, and `%` a program.
const FORMS: &[&str] = &[
    "@; @",
    "@ | @",
    "@ |& @",
    "@ && @",
    "@ || @",
    "@ & @",
    "@\n@",
    "! @",
    "time @",
    "time -p @",
    "( @ )",
    "(@)",
    "{ @; }",
    "{ @; } >out 2>&1",
    "( @ ) <<< x",
    "if @; then @; else @; fi",
    "if no; then @; elif @; then @; fi",
    "if @\nthen @\nfi",
    "while @; do @; break; done",
    "until no; do @; break; done",
    "for x in 1 2; do @; done",
    "for x in $( @ ) y; do @; done",
    "for ((i=0; 1; )); do @; break; done",
    "for x do @; done",
    "case x in x) @;; esac",
    "case x in (y) @;; *) @;& z) @;; esac",
    "case $( @ ) in\n y) @;;\n *) @\nesac",
    "f() { @; }; f",
    "function f { @; }; f",
    "f() ( @ )\nf",
    "f() if @; then @; fi; f",
    "f() { @; } >out; f",
    "% $( @ )",
    "% \"$( @ )\"",
    "% \"x $( @ ) y\" 'z'",
    "% `@`",
    "% \"`@`\"",
    "% ${x:-$( @ )}",
    "% \"${x:-$( @ )}\"",
    "% \"${x:-\"$( @ )\"}\"",
    "% ${HOME#$( @ )}",
    "% ${HOME/$( @ )/\"$( @ )\"}",
    "% <( @ )",
    "% > >( @ )",
    "% < <( @ )",
    "% <<< $( @ )",
    "% <<< \"$( @ )\"",
    "% > \"out$( @ )\"",
    ">out$( @ ) %",
    "X=$( @ ) %",
    "X=$( @ )",
    "X=\"$( @ )\" Y=1 % z",
    "X=(1 $( @ ) 2)",
    "X+=($( @ ))",
    "export X=$( @ )",
    "declare -a X=($( @ ))",
    "[[ $( @ ) == y ]] || @",
    "[[ -n x && ! ( -f $( @ ) ) ]]",
    "[[ x =~ $( @ ) ]]",
    "[ \"$( @ )\" = x ]",
    "% <<X\nplain\nX\n@",
    "% <<'X'\n$(dd) `dd`\nX\n@",
    "% <<X && @\nplain\nX\n",
    "% <<-X | @\n\tplain\n\tX\n",
    "% x # comment ' \" `\n@",
    "% \\\n  $( @ )",
    "% $(( 1 + $( @ ) ))",
    "% {a,$( @ )}",
    "env A=b %; @",
    "env A=\"$( @ )\" %",
    "sudo -u root % $( @ )",
    "xargs % \"$( @ )\"",
    "% $'x' $( @ )",
    "% 'a'\"$( @ )\"'b'",
    "echo \\$( @ )",
    "echo '$(' ; @; echo ')'",
    "% $( @ # )\n)",
    "% $( case x in x) @;; esac )",
    "% $(( @ ) | ( @ ))",
    "% \"$(cat <<X\n) plain\nX\n)\"; @",
    "coproc @",
    "select x in 1; do @; done",
    "exec > >( @ )",
];

/// Commands of one program.
const COMMANDS: &[&str] = &[
    "%",
    "% x",
    "'%' x",
    "\"%\"",
    "\\%",
    "% >out",
    ">out %",
    "2>&1 % <<< x",
    "A=1 %",
    "A=1 B='2 3' % >out x",
    "env %",
    "env -i A=b %",
    "nice -n 1 %",
    "xargs %",
    "timeout 5 %",
    "sudo -u root %",
    "command %",
    "exec %",
    "nohup env %",
    "echo x",
    "true",
    "find . -exec % {} \\;",
    "%\\\n x",
];

/// Every `%` becomes a program of its own name, so that none covers for another.
fn with_names(text: &str) -> String {
    let mut pieces = text.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces
        .enumerate()
        .fold(first, |text, (number, piece)| format!("{text}p{number}{piece}"))
}

fn composed() -> impl Strategy<Value = String> {
    let form = (select(FORMS), any::<Index>());
    let forms = proptest::collection::vec(form, 1..5);
    let commands = proptest::collection::vec(select(COMMANDS), 1..6);
    (forms, commands).prop_map(|(forms, commands)| {
        let mut text = "@".to_owned();
        for (form, hole) in forms {
            let holes: Vec<usize> = text.match_indices('@').map(|(at, _)| at).collect();
            if !holes.is_empty() {
                let at = holes[hole.index(holes.len())];
                text.replace_range(at..=at, form);
            }
        }
        for command in commands.iter().cycle() {
            if !text.contains('@') {
                break;
            }
            text = text.replacen('@', command, 1);
        }
        with_names(&text)
    })
}

/// Pieces that mean something to bash. None names a file outside of the folder that the text runs in.
const PIECES: &[&str] = &[
    "aa",
    "bb",
    "cc",
    "x",
    "\n",
    " ",
    " ",
    "\t",
    ";",
    ";;",
    "&",
    "&&",
    "|",
    "||",
    "|&",
    "(",
    ")",
    "$(",
    ")",
    "`",
    "`",
    "\"",
    "\"",
    "'",
    "'",
    "\\",
    "\\\n",
    "$",
    "${x:-",
    "${",
    "}",
    "{ ",
    "; }",
    "{",
    "<(",
    ">(",
    "<<< ",
    "<<X\n",
    "\nX\n",
    "<<'X'\n",
    "<<-X\n",
    ">",
    "<",
    "2>&1",
    ">&",
    "&>",
    "#",
    " # ",
    "!",
    "! ",
    "[[ ",
    " ]]",
    "=",
    "A=",
    "A=(",
    "[",
    "]",
    "$((",
    "))",
    "((",
    "if ",
    "; then ",
    "; fi",
    "else ",
    "while ",
    "; do ",
    "break",
    "; done",
    "for x in ",
    "case x in x) ",
    ";; esac",
    "time ",
    "f() ",
    "function f ",
    "f",
    "$'",
    "$\"",
    "~",
    "*",
    "?",
    "=~ ",
    "-p ",
    "env ",
    "command ",
    "exec ",
    "echo ",
    "1",
    ",",
    "+",
    "@",
    ":",
    "%",
    "#}",
    "\r",
    "\u{b}",
    "\u{a0}",
    "in ",
    "coproc ",
];

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_program_that_bash_starts_is_found_whatever_stands_in_what(text in composed()) {
        let started = Bash::new().run(&text);
        prop_assert_eq!(missed(&text, &started), Vec::<String>::new(), "{:?} starts {:?}", text, started);
    }

    #[test]
    fn every_program_that_bash_starts_is_found_whatever_the_text_is(
        pieces in proptest::collection::vec(select(PIECES), 1..14),
    ) {
        let text = pieces.concat();
        let started = Bash::new().run(&text);
        prop_assert_eq!(missed(&text, &started), Vec::<String>::new(), "{:?} starts {:?}", text, started);
    }
}
