//! What is read, against what bash does: bash runs the same text, where every program is one that says its name and does nothing, and
//! each that it started has to be among those that were found, unless the text is one that nobody can tell by reading.
mod bash;
mod corpus;
mod random;

use std::collections::BTreeSet;

use super::programs::of;
use bash::Bash;

/// What has to be allowed for arithmetic. It is no excuse for a program that stands in the text.
const ARITHMETIC: &str = "let";

/// What the reader makes of a text.
#[derive(Debug)]
enum Reading {
    /// The names of all programs that it could run, without directories.
    Named(BTreeSet<String>),
    /// Whoever has not allowed what runs whatever it is told is refused it.
    Refused,
}

fn read(text: &str) -> Reading {
    match of(text) {
        Ok(uses)
            if uses
                .iter()
                .all(|used| used.opaque.is_none() || used.program == ARITHMETIC) =>
        {
            let name = |program: &str| program.rsplit('/').next().unwrap_or_default().to_owned();
            Reading::Named(uses.iter().map(|used| name(&used.program)).collect())
        }
        _ => Reading::Refused,
    }
}

/// What bash started and the reader does not know of.
fn missed(text: &str, started: &BTreeSet<String>) -> Vec<String> {
    match read(text) {
        Reading::Named(named) => started.difference(&named).cloned().collect(),
        Reading::Refused => Vec::new(),
    }
}

/// What is wrong with some texts, all of it at once.
fn all_right(texts: &[&str], wrong: impl Fn(&str) -> Option<String>) {
    let wrong: Vec<String> = texts
        .iter()
        .filter_map(|text| Some(format!("{text:?} {}", wrong(text)?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_bash_starts_of_a_text_that_is_read_was_found() {
    let bash = Bash::new();
    all_right(&corpus::READ.concat(), |text| {
        let started = bash.run(text);
        match read(text) {
            Reading::Refused => Some(format!("is refused, and starts {started:?}")),
            Reading::Named(named) if !started.is_subset(&named) => {
                Some(format!("starts {started:?}, and {named:?} were found"))
            }
            Reading::Named(_) => started
                .is_empty()
                .then(|| "proves nothing, as it starts nothing".to_owned()),
        }
    });
}

#[test]
fn programs_that_run_others_hide_none_from_the_reader() {
    let bash = Bash::new();
    all_right(corpus::TOOLS, |text| {
        let started = bash.run(text);
        let missed = missed(text, &started);
        (!missed.is_empty()).then(|| format!("starts {missed:?} as well"))
    });
}

#[test]
fn what_cannot_be_told_by_reading_is_refused_and_bash_would_run_it() {
    let bash = Bash::new();
    all_right(&[corpus::UNTOLD, corpus::UNREAD].concat(), |text| {
        let is_told = of(text).is_ok_and(|uses| uses.iter().all(|used| used.opaque.is_none()));
        let starts_nothing = bash.run(text).is_empty();
        is_told
            .then(|| "is read".to_owned())
            .or(starts_nothing.then(|| "proves nothing, as it starts nothing".to_owned()))
    });
}

#[test]
fn the_judge_sees_what_bash_starts_and_nothing_else() {
    let bash = Bash::new();
    all_right(corpus::NOTHING, |text| {
        let started = bash.run(text);
        (!started.is_empty()).then(|| format!("starts {started:?}"))
    });
    let started = |text: &str| bash.run(text).into_iter().collect::<Vec<_>>().join(" ");
    for (text, expected) in [
        ("aa | (no; bb) && cc $(dd) & wait", "aa bb cc dd no"),
        ("aa <(bb) > >(cc)", "aa bb cc"),
        ("nobody x; aa\\ bb", "aa bb nobody"),
        ("exec env -i ./aa", "aa"),
        ("aa 9>&- 2>&1 >/dev/null; { sleeps & } ; wait", "sleeps"),
    ] {
        assert_eq!(started(text), expected, "{text}");
    }
}
