//! What people at a terminal are told, and what programs know it by.
use std::time::Duration;

use protocol::ids::StreamId;
use protocol::terminal::agent::FromAgent;

use super::line::{MAX_HELD, MAX_LINE};

/// To all: output waits.
pub fn disk_full(stream: StreamId, why: &str) -> FromAgent {
    FromAgent::Notice {
        stream,
        input: None,
        code: "disk_full".to_owned(),
        error: format!(
            "this machine has no room for more output ({why}): nothing is lost, and a program that writes a lot waits until \
             it was read or there is room"
        ),
    }
}

/// To all: the shell did not start as it was to.
pub fn without_hooks(stream: StreamId) -> FromAgent {
    FromAgent::Notice {
        stream,
        input: None,
        code: "without_hooks".to_owned(),
        error:
            "this shell ended before its first prompt, so it was started again without the hooks of the command log: \
                what is typed in it is logged as the screen shows it, and not how it ends"
                .to_owned(),
    }
}

/// To all: the session ends soon.
pub fn idle(stream: StreamId, after: Duration, seconds: u64) -> FromAgent {
    let minutes = match after.as_secs().div_ceil(60) {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    FromAgent::Notice {
        stream,
        input: None,
        code: "idle".to_owned(),
        error: format!(
            "this terminal ends in {seconds} seconds, because nobody has typed in it, and here a terminal ends after {minutes} \
             without a key: type something to keep it"
        ),
    }
}

/// To a typist: the line waits.
pub fn line_held(stream: StreamId, input: StreamId) -> FromAgent {
    line_too_long(
        stream,
        input,
        format!(
            "this line is longer than the {MAX_LINE} bytes that a program gets that reads whole lines: the rest waits until \
             one reads keys, such as the shell; Ctrl-C or Ctrl-U drops it"
        ),
    )
}

/// To a typist: the line is gone.
pub fn line_dropped(stream: StreamId, input: StreamId) -> FromAgent {
    line_too_long(
        stream,
        input,
        format!(
            "a line is dropped: it was longer than the {MAX_LINE} bytes that a program gets that reads whole lines, and \
             longer than the {MAX_HELD} that can wait"
        ),
    )
}

fn line_too_long(stream: StreamId, input: StreamId, error: String) -> FromAgent {
    FromAgent::Notice {
        stream,
        input: Some(input),
        code: "line_too_long".to_owned(),
        error,
    }
}
