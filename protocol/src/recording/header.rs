//! The first line of a recording.
use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::terminal::Size;

/// What a recording says of itself. Its numbers are whole ones: players refuse the file otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The terminal's size when it began.
    pub size: Size,
    /// When it began, in seconds since the Unix epoch.
    pub timestamp: u64,
    /// What people see of it in a list.
    pub title: String,
}

#[derive(Serialize, Deserialize)]
struct V2 {
    version: u8,
    width: u16,
    height: u16,
    timestamp: u64,
    title: String,
}

#[derive(Serialize)]
struct V3<'a> {
    version: u8,
    term: Term,
    timestamp: u64,
    title: &'a str,
}

#[derive(Serialize)]
struct Term {
    cols: u16,
    rows: u16,
}

impl Header {
    /// What people see of a session's recording in a list.
    pub fn title(session: &SessionId, username: &str) -> String {
        let session: String = session.as_str().chars().take(8).collect();
        format!("Session {session} — {username}")
    }

    /// The line of asciicast v2, without its end.
    pub fn v2(&self) -> String {
        let header = V2 {
            version: 2,
            width: self.size.cols,
            height: self.size.rows,
            timestamp: self.timestamp,
            title: self.title.clone(),
        };
        // A struct of numbers and a text has no way to fail to encode.
        serde_json::to_string(&header).unwrap_or_default()
    }

    /// The line of asciicast v3, without its end.
    pub fn v3(&self) -> String {
        let header = V3 {
            version: 3,
            term: Term {
                cols: self.size.cols,
                rows: self.size.rows,
            },
            timestamp: self.timestamp,
            title: &self.title,
        };
        serde_json::to_string(&header).unwrap_or_default()
    }

    /// Reads the line of asciicast v2.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let header: V2 = serde_json::from_slice(line).ok()?;
        Some(Self {
            size: Size::new(header.width.into(), header.height.into())?,
            timestamp: header.timestamp,
            title: header.title,
        })
    }
}
