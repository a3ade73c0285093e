//! What those are told who watch a job: JSON frames on a socket (contract), and events of a stream (contract).
use serde::Serialize;

use crate::api::jobs::JobStatus;

/// What a watcher's socket is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWatcher<'a> {
    /// Once, at first: how far the job has come.
    Status {
        /// How far.
        status: JobStatus,
    },
    /// A line of its output.
    Output {
        /// Without its end.
        data: &'a str,
        /// How many come before it.
        index: u64,
    },
    /// The job is over, and nothing follows.
    Done {
        /// How.
        status: JobStatus,
    },
    /// Something is wrong, and nothing follows.
    Error {
        /// In words.
        message: &'a str,
    },
}

impl ToWatcher<'_> {
    /// Its text.
    pub fn encode(&self) -> String {
        // A plain enum of texts and numbers has no way to fail to encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why a watcher's socket closes, with the code for it and a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchClose {
    /// The job is over.
    Done,
    /// Nothing that counts says whose the socket is.
    Unauthorized,
    /// They may not see the job, or not any more.
    Forbidden,
    /// There is no such job.
    NotFound,
    /// It does not take what it is sent.
    TooSlow,
}

impl WatchClose {
    /// The number in the close frame.
    pub fn code(self) -> u16 {
        match self {
            Self::Done => 1000,
            Self::TooSlow => 1013,
            Self::Unauthorized => 4001,
            Self::Forbidden => 4003,
            Self::NotFound => 4004,
        }
    }

    /// The text in the close frame.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Done => "Job over",
            Self::TooSlow => "Too slow: come back with from",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Permission denied",
            Self::NotFound => "Job not found",
        }
    }
}

/// How an event begins that is the last, and not a line.
const LAST: &str = "event: ";

/// What ends each line of a stream of events, and each event once more.
const END: &str = "\r\n";

/// Adds a line of output as an event. A carriage return within it would end a line of the stream, so it is several there.
pub fn event_of_line(events: &mut String, line: &str) {
    for part in line.split('\r') {
        events.push_str("data: ");
        events.push_str(part);
        events.push_str(END);
    }
    events.push_str(END);
}

/// Adds that the job is over.
pub fn event_of_end(events: &mut String, status: JobStatus) {
    events.push_str("event: done\r\ndata: ");
    events.push_str(match status {
        JobStatus::Running => "running",
        JobStatus::Completed => "completed",
        JobStatus::Failed => "failed",
    });
    events.push_str("\r\n\r\n");
}

/// The event that something is wrong, which is the last.
pub fn event_of_error(message: &str) -> String {
    format!("event: error\r\ndata: {message}\r\n\r\n")
}

/// How many lines of output some events are, and whether the last event is among them.
pub fn lines_of_events(events: &str) -> (u64, bool) {
    let all = events.split("\r\n\r\n").filter(|event| !event.is_empty());
    let (mut lines, mut is_last) = (0, false);
    for event in all {
        match event.starts_with(LAST) {
            true => is_last = true,
            false => lines += 1,
        }
    }
    (lines, is_last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_as_the_lines_that_they_are() {
        let mut events = String::new();
        for line in ["", "event: done", "a\rb", "\u{85}x"] {
            event_of_line(&mut events, line);
        }
        assert_eq!(lines_of_events(&events), (4, false));
        assert!(events.starts_with("data: \r\n\r\ndata: event: done\r\n\r\ndata: a\r\ndata: b\r\n\r\n"));
        event_of_end(&mut events, JobStatus::Failed);
        assert!(events.ends_with("event: done\r\ndata: failed\r\n\r\n"));
        assert_eq!(lines_of_events(&events), (4, true));
        assert_eq!(lines_of_events(&event_of_error("no")), (0, true));
    }
}
