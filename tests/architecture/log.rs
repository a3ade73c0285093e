//! Lines of the log are written in one place, in one form, and nothing of a request that may be a secret is handed to it.
use std::path::Path;

use crate::source::files_below;

/// The one file that writes to the console of the runtime.
const WRITER: &str = "log.rs";

/// What writes past it.
const PAST: [&str; 6] = [
    "console_log!",
    "console_warn!",
    "console_error!",
    "eprintln!",
    "println!",
    "dbg!",
];

/// What of a request or a setting may be, or hold, a secret.
const SECRET: [&str; 6] = [".expose()", ".path()", ".query()", ".uri()", "headers", "bearer"];

/// The calls that write lines, each up to its end.
fn calls(text: &str) -> Vec<&str> {
    let begins = text
        .match_indices("log::error(")
        .chain(text.match_indices("log::write("));
    begins
        .map(|(at, _)| {
            let call = &text[at..];
            &call[..call.find(");").unwrap_or(call.len())]
        })
        .collect()
}

#[test]
fn lines_are_written_in_one_place() {
    let mut seen = 0;
    for folder in ["src", "durable-objects/src"] {
        for (file, text) in files_below(Path::new(folder)) {
            let writes = PAST.iter().any(|past| text.contains(past));
            assert_eq!(writes, folder != "src" && file == WRITER, "{folder}/{file}");
            seen += usize::from(writes);
        }
    }
    assert_eq!(seen, 1);
}

#[test]
fn no_line_is_made_of_what_may_be_a_secret() {
    let mut seen = 0;
    for folder in ["src", "durable-objects/src"] {
        for (file, text) in files_below(Path::new(folder)) {
            for call in calls(&text) {
                let found = SECRET.iter().find(|secret| call.contains(**secret));
                assert!(found.is_none(), "{folder}/{file}: {call}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_secret_in_a_call_is_found() {
    let text = "a(); log::error(&format!(\"{}\",\n token.expose()));\nb.expose();";
    assert_eq!(calls(text), ["log::error(&format!(\"{}\",\n token.expose())"]);
    assert!(calls("token.expose()").is_empty());
}
