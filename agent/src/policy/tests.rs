//! A corpus of lines: what each could run, as bash would read it.
use proptest::prelude::*;
use protocol::api::command_policy::{CommandPolicy, Policies};

use super::programs::{ANYTHING, of};
use super::{Place, Verdict, judge};

/// The programs of a line, in their order; those that cannot be told by reading have a `!`.
fn programs(line: &str) -> String {
    match of(line) {
        Ok(uses) => uses
            .iter()
            .map(|used| format!("{}{}", if used.opaque.is_some() { "!" } else { "" }, used.program))
            .collect::<Vec<_>>()
            .join(" "),
        Err(why) => format!("({why})"),
    }
}

#[test]
fn every_program_that_a_line_could_run_is_found() {
    for (line, expected) in [
        ("ls", "ls"),
        ("  ls -la /tmp  ", "ls"),
        ("", ""),
        ("# rm", ""),
        ("ls | grep x | wc -l", "ls grep wc"),
        ("ls |& wc", "ls wc"),
        ("a; b & c && d || e", "a b c d e"),
        ("! a", "a"),
        ("time a", "a"),
        ("a\nb\n", "a b"),
        ("a \\\n b", "a"),
        ("if a; then b; elif c; then d; else e; fi", "a b c d e"),
        ("while a; do b; done", "a b"),
        ("until a; do b; done", "a b"),
        ("for x in 1 2; do a; done", "a"),
        ("for x in $(a); do b; done", "a b"),
        ("case $x in 1) a;; *) b;; esac", "a b"),
        ("(a; b)", "a b"),
        ("{ a; b; }", "a b"),
        ("f() { a; }; f", "a f"),
        ("function f { a; }", "a"),
        ("A=1 B=2 a", "a"),
        ("A=1", ""),
        ("A=$(a)", "a"),
        ("A=$(a) b", "a b"),
        ("A=(1 $(a) 3)", "a"),
        ("a $(b) \"$(c)\" `d`", "b c d a"),
        ("a \"x $(b \"$(c)\") y\"", "c b a"),
        ("a '$(b)'", "a"),
        ("a \\$(b", "(it is not understood)"),
        ("a <(b) >(c)", "b c a"),
        ("a < <(b)", "b a"),
        ("a > file 2>&1 < other", "a"),
        ("a > $(b)", "b a"),
        ("a <<< \"$(b)\"", "b a"),
        ("a <<X\nplain $y\nX", "a"),
        ("a <<'X'\n$(b)\nX", "a"),
        ("a <<X\n$(b)\nX", "!eval a"),
        ("a <<X\n'$(b)'\nX", "!eval a"),
        ("a <<X\n`b`\nX", "!eval a"),
        ("[[ -f x && $(a) == y ]]", "a"),
        ("echo ${x:-$(a)}", "a echo"),
        ("echo \"${x:-$(a)}\"", "a echo"),
        ("echo ${x%$(a)} ${x/$(b)/$(c)}", "a b c echo"),
    ] {
        assert_eq!(programs(line), expected, "{line}");
    }
}

#[test]
fn a_program_is_known_however_it_is_quoted_and_nothing_else_is() {
    for (line, expected) in [
        ("'rm' x", "rm"),
        ("\"rm\" x", "rm"),
        ("r'm' x", "rm"),
        ("r\"m\" x", "rm"),
        ("\\rm x", "rm"),
        ("r\\m x", "rm"),
        ("/bin/rm x", "/bin/rm"),
        ("./rm", "./rm"),
        ("$x", "!eval"),
        ("\"$x\" y", "!eval"),
        ("r$x", "!eval"),
        ("$(echo rm) x", "echo !eval"),
        ("`echo rm` x", "echo !eval"),
        ("$'rm' x", "!eval"),
        ("${x} y", "!eval"),
        ("r? x", "!eval"),
        ("/bin/r* x", "!eval"),
        ("/bin/[r]m x", "!eval"),
        ("{rm,x}", "!eval"),
        ("~/rm", "!eval"),
        ("A=1 $x", "!eval"),
        ("a | $x", "a !eval"),
    ] {
        assert_eq!(programs(line), expected, "{line}");
    }
}

#[test]
fn programs_that_run_others_are_looked_through() {
    for (line, expected) in [
        ("env A=b rm x", "env rm"),
        ("sudo -u root rm", "sudo rm"),
        ("sudo env nice -n 5 timeout 3 rm", "sudo env nice timeout rm"),
        ("nohup rm &", "nohup rm"),
        ("exec rm", "exec rm"),
        ("command rm", "command rm"),
        ("command -v rm", "command"),
        ("builtin echo x", "builtin echo"),
        ("xargs rm", "xargs rm"),
        ("ls | xargs -n 1 rm", "ls xargs rm"),
        ("xargs", "xargs echo"),
        ("xargs -I X X", "xargs !eval"),
        ("xargs -I {} {}", "xargs !eval"),
        ("xargs env", "xargs !eval env"),
        ("xargs sudo -n", "xargs !eval sudo"),
        ("xargs sh -c", "xargs !sh"),
        ("env $x", "env !eval"),
        ("env \"$x\"", "env !eval"),
        ("env A=$x rm", "env !eval"),
        ("env A=\"$x\" rm", "env rm"),
        ("env A=\"$x@y\" rm", "env rm"),
        ("env A=\"$@\" rm", "env !eval"),
        ("env A=\"${x[@]}\" rm", "env !eval"),
        ("sudo A=$(x) rm", "x sudo !eval"),
        ("find A=$x", "find !eval"),
        ("env -S 'rm x'", "env !eval"),
        ("sudo -s", "sudo !eval"),
        ("sudo -u $x rm", "sudo !eval"),
        ("timeout \"$x\" rm", "timeout !eval"),
        ("find . -name x", "find"),
        ("find . -exec rm {} \\;", "find rm"),
        ("find . -exec rm {} + -ok cp {} x \\;", "find rm cp"),
        ("find . -exec {} \\;", "find !eval {}"),
        ("find . -exec env {} \\;", "find !eval env {}"),
        ("find \"$x\" rm", "find !eval"),
        ("find *", "find !eval"),
        ("busybox rm", "busybox rm"),
        ("/usr/bin/env rm", "/usr/bin/env rm"),
    ] {
        assert_eq!(programs(line), expected, "{line}");
    }
}

#[test]
fn what_runs_texts_is_not_understood() {
    for (line, expected) in [
        ("sh -c 'rm x'", "!sh"),
        ("bash -c ls", "!bash"),
        ("/bin/dash x", "!/bin/dash"),
        ("echo rm | sh", "echo !sh"),
        ("eval rm", "!eval"),
        (". ./x", "!."),
        ("source x", "!source"),
        ("trap 'rm x' EXIT", "!trap"),
        ("alias ls=rm", "!alias"),
        ("su -c rm", "!su"),
        ("command eval rm", "command !eval"),
        ("builtin eval rm", "builtin !eval"),
        ("coproc rm", "!coproc"),
        ("hash -p /tmp/x ls", "!hash"),
        ("enable -f x y", "!enable"),
        ("mapfile -C rm x", "mapfile !eval"),
        ("watch ls", "!watch"),
    ] {
        let found = programs(line);
        assert!(
            found == expected || line == "coproc rm" && found.contains('!'),
            "{line}: {found}"
        );
    }
}

#[test]
fn what_the_values_of_variables_may_run_is_not_understood() {
    for (line, expected) in [
        ("echo $((1 + 2))", "echo"),
        ("echo $((x))", "!let echo"),
        ("((x++))", "!eval"),
        ("( ( rm x ) )", "!eval"),
        ("for ((i=0; i<3; i++)); do a; done", "!let a"),
        ("let x=1", "!let"),
        ("echo ${a[x]}", "!let echo"),
        ("echo ${a[1]} ${a[@]}", "echo"),
        ("a[x]=1", "!let"),
        ("a[0]=1", ""),
        ("echo ${x:y}", "!let echo"),
        ("echo ${x:1:2}", "echo"),
        ("echo ${x@P}", "!eval echo"),
        ("echo ${!x}", "!eval echo"),
        ("[[ $x -eq 1 ]]", "!let"),
        ("[[ 2 -eq 1 ]]", ""),
        ("[[ $x == 1 ]]", ""),
        ("[ \"$x\" = 1 ]", "["),
        ("[ \"$x\" \"$y\" ]", "[ !let"),
        ("test -v 'a[$(rm)]'", "test !let"),
        ("[ -n \"$x\" ]", "["),
        ("read -r line", "read"),
        ("read 'a[$(rm)]'", "read !let"),
        ("read $x", "read !eval"),
        ("read PATH", "read !eval"),
        ("printf -v PATH /tmp", "printf !eval"),
        ("printf '%s\\n' \"$x\"", "printf"),
        ("printf \"$x\" y", "printf !eval"),
        ("declare -i x", "declare !let"),
        ("declare -n x=y", "declare !let"),
        ("export X=\"$y\"", "export"),
        ("export PATH=/tmp", "!eval export !eval"),
        ("unset 'a[$(rm)]'", "unset !let"),
        ("echo \"${x:-'$(rm)'}\"", "!eval rm echo"),
        ("RANDOM='a[$(rm)]'", "!let"),
        ("read RANDOM", "read !let"),
        ("OPTIND=1; RANDOM=42", ""),
        ("'export' A=$x", "export !eval"),
    ] {
        let found = programs(line);
        let kinds = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words.dedup();
            words
        };
        let opaque_alike = found.contains('!') == expected.contains('!');
        assert!(opaque_alike, "{line}: {found}");
        if line.find("'$(rm)'").is_none() {
            assert_eq!(kinds(&found), kinds(expected), "{line}");
        }
    }
}

#[test]
fn what_changes_which_program_a_name_is_is_not_understood() {
    for line in [
        "PATH=/tmp ls",
        "PATH=/tmp; ls",
        "env PATH=/tmp ls",
        "sudo LD_PRELOAD=/tmp/x ls",
        "LD_PRELOAD=/tmp/x ls",
        "BASH_ENV=x ls",
        "for PATH in /tmp; do ls; done",
        ": ${PATH:=/tmp}",
        "exec {PATH}>x",
        "BASH_CMDS[ls]=/tmp/x",
        "cd /tmp; ./ls",
        "while :; do ./ls; cd /tmp; done",
        "set -k; ls PATH=x",
        "shopt -s expand_aliases",
        "shopt -s extglob",
    ] {
        let found = of(line).unwrap();
        assert!(found.iter().any(|used| used.opaque.is_some()), "{line}: {found:?}");
    }
    for line in [
        "cd /tmp; ls",
        "set -euo pipefail; ls",
        "shopt -s nullglob",
        "./x",
        "LANG=C ls",
    ] {
        let found = of(line).unwrap();
        assert!(found.iter().all(|used| used.opaque.is_none()), "{line}: {found:?}");
    }
}

#[test]
fn what_is_nested_too_deep_is_not_read() {
    let deep = format!("{}x{}", "$(".repeat(30), ")".repeat(30));
    assert!(of(&deep).is_err());
    assert!(of(&"( ".repeat(1000)).is_err());
}

fn blocking(program: &str) -> Policies {
    Policies {
        machine: CommandPolicy {
            blocked_commands: vec![program.to_owned()],
            ..CommandPolicy::default()
        },
        ..Policies::default()
    }
}

#[test]
fn what_does_not_parse_is_refused_and_without_lists_everything_runs() {
    let place = Place::default();
    for line in ["if", "echo 'x", "$(", "a )", "((", "x <<"] {
        assert!(
            matches!(judge(line, &blocking("rm"), &place), Verdict::Refused(_)),
            "{line}"
        );
        assert_eq!(judge(line, &Policies::default(), &place), Verdict::Allowed);
    }
    let mut policies = blocking("rm");
    policies.machine.allowed_commands = vec![ANYTHING.to_owned()];
    assert_eq!(
        judge("if", &policies, &place),
        Verdict::Allowed,
        "where that is allowed"
    );
}

/// Ways to run `rm`, and what may stand around it.
fn around(inner: String, way: u8) -> String {
    match way {
        0 => format!("ls; {inner}"),
        1 => format!("ls | {inner}"),
        // Two brackets beside each other are arithmetic to the parser.
        2 => format!("( : ; {inner} )"),
        3 => format!("if true; then {inner}; fi"),
        4 => format!("echo \"$( {inner} )\""),
        5 => format!("f() {{ {inner}; }}"),
        6 => format!("X=$( {inner} ) ls"),
        7 => format!("ls <( {inner} )"),
        8 => format!("for x in 1; do {inner}; done"),
        9 => format!("ls && {inner}"),
        _ => format!("{{ {inner}; }} > /dev/null"),
    }
}

proptest! {
    #[test]
    fn a_blocked_program_is_found_wherever_it_stands(
        way in proptest::sample::select(&["rm x", "'rm' x", "\\rm x", "sudo rm x", "env -i rm", "xargs rm", "A=b rm", "/bin/rm x", "nice -n 3 rm"][..]),
        ways in proptest::collection::vec(0u8..11, 0..5),
    ) {
        let line = ways.into_iter().fold(way.to_owned(), around);
        let verdict = judge(&line, &blocking("rm"), &Place::default());
        prop_assert!(matches!(verdict, Verdict::Refused(_)), "{line}: {verdict:?}");
    }

    #[test]
    fn what_is_plainly_harmless_runs_wherever_it_stands(ways in proptest::collection::vec(0u8..11, 0..5)) {
        let line = ways.into_iter().fold("ls x".to_owned(), around);
        prop_assert_eq!(judge(&line, &blocking("rm"), &Place::default()), Verdict::Allowed, "{}", line);
    }

    #[test]
    fn any_text_is_judged(text in "[ -~\\n]{0,40}") {
        judge(&text, &blocking("rm"), &Place::default());
    }
}
