//! Reading events.
use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use thiserror::Error;

/// A line that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {0} of the recording makes no sense")]
pub struct BadLine(pub usize);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The terminal wrote these bytes.
    Output(Vec<u8>),
    /// The terminal has another size: `80x24`.
    Resize(String),
    /// Something for people.
    Marker(String),
}

type Lines<'a> = std::slice::Split<'a, u8, fn(&u8) -> bool>;

/// The events of some whole lines, with their times in milliseconds since the recording began.
#[derive(Debug)]
pub struct Events<'a> {
    lines: std::iter::Enumerate<Lines<'a>>,
    /// The bytes of the output that comes next, if it is no text.
    bytes: Option<Vec<u8>>,
}

/// A time in seconds, a kind, and what came.
#[derive(Deserialize)]
pub(super) struct Line<'a>(
    pub f64,
    #[serde(borrow)] pub Cow<'a, str>,
    #[serde(borrow)] pub Cow<'a, str>,
);

/// Reads the events of some whole lines; a header is passed over, and so is what a later version may have added.
pub fn events(text: &[u8]) -> Events<'_> {
    let is_end: fn(&u8) -> bool = |byte| *byte == b'\n';
    Events {
        lines: text.split(is_end).enumerate(),
        bytes: None,
    }
}

impl Iterator for Events<'_> {
    type Item = Result<(u64, Event), BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, line) = self.lines.next()?;
            if line.is_empty() || line.starts_with(b"{") {
                continue;
            }
            let bad = BadLine(number + 1);
            let Ok(Line(time, code, data)) = serde_json::from_slice::<Line>(line) else {
                return Some(Err(bad));
            };
            let event = match &*code {
                "b" => match Base64::decode_vec(&data) {
                    Ok(bytes) => {
                        self.bytes = Some(bytes);
                        continue;
                    }
                    Err(_) => return Some(Err(bad)),
                },
                "o" => Event::Output(self.bytes.take().unwrap_or_else(|| data.into_owned().into_bytes())),
                "r" => Event::Resize(data.into_owned()),
                "m" => Event::Marker(data.into_owned()),
                _ => continue,
            };
            return Some(Ok(((time * 1000.0).round() as u64, event)));
        }
    }
}

/// A part of the output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// When the terminal wrote the first of it, in milliseconds since the recording began; nothing if there is none of it.
    pub at: Option<u64>,
    /// As it was written.
    pub bytes: Vec<u8>,
}

/// The output from `from` up to `to` that is in a chunk whose output begins at `start`.
pub fn output_between(text: &[u8], start: u64, from: u64, to: u64) -> Result<Output, BadLine> {
    let (mut offset, mut found) = (start, Output::default());
    for event in events(text) {
        let (at, Event::Output(bytes)) = event? else { continue };
        let within = |at: u64| {
            usize::try_from(at.saturating_sub(offset))
                .unwrap_or(usize::MAX)
                .min(bytes.len())
        };
        let part = bytes.get(within(from)..within(to)).unwrap_or_default();
        if !part.is_empty() {
            found.at.get_or_insert(at);
            found.bytes.extend_from_slice(part);
        }
        offset += bytes.len() as u64;
        if offset >= to {
            break;
        }
    }
    Ok(found)
}
