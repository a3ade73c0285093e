//! What a chunk is called, and what it covers.
use std::collections::HashMap;

use crate::ids::ObjectId;

/// What the keys of a recording's chunks begin with.
pub fn prefix(recording: &ObjectId) -> String {
    format!("recordings/{recording}/")
}

/// The key of the chunk that begins at an offset of the output. Keys sort as their offsets do. A chunk that is put again, because
/// nobody knows whether it was, has the same one.
pub fn key(recording: &ObjectId, start: u64) -> String {
    format!("recordings/{recording}/{start:016x}")
}

/// What a chunk covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The offset of its first byte in the session's output.
    pub start: u64,
    /// The offset after its last one.
    pub end: u64,
    /// The time of its first event, in milliseconds since the recording began.
    pub from: u64,
    /// The time of its last one.
    pub to: u64,
    /// How much less the pauses between its events take when they are played, in milliseconds. Nothing if nobody counted.
    pub saved: Option<u64>,
    /// Whether its first line is what the terminal showed at its start, so that one can begin to play here.
    pub screen: bool,
}

impl Span {
    /// What is attached to the chunk. The key says where it starts.
    pub fn metadata(&self) -> HashMap<String, String> {
        let numbers = [("end", self.end), ("from", self.from), ("to", self.to)].into_iter();
        numbers
            .chain(self.saved.map(|saved| ("saved", saved)))
            .chain(self.screen.then_some(("screen", 1)))
            .map(|(name, value)| (name.to_owned(), value.to_string()))
            .collect()
    }

    /// The span of an object, by its key and metadata; nothing if it is no chunk.
    pub fn of(key: &str, metadata: &HashMap<String, String>) -> Option<Self> {
        let (_, start) = key.rsplit_once('/')?;
        let number = |name| metadata.get(name)?.parse::<u64>().ok();
        let span = Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: number("end")?,
            from: number("from")?,
            to: number("to")?,
            saved: number("saved"),
            screen: metadata.contains_key("screen"),
        };
        (span.start <= span.end && span.from <= span.to).then_some(span)
    }
}

/// Of chunks in the order of their keys, those that follow one another. A chunk that begins before the end of the one before was
/// put by a relay that died before it knew: what it holds was read again and cut elsewhere.
pub fn chain<T>(chunks: impl IntoIterator<Item = T>, after: u64, span: impl Fn(&T) -> Span) -> Vec<T> {
    let mut end = after;
    let mut chain = Vec::new();
    for chunk in chunks {
        let span = span(&chunk);
        if span.start >= end {
            end = span.end;
            chain.push(chunk);
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u64, end: u64) -> Span {
        Span {
            start,
            end,
            from: start,
            to: end,
            saved: None,
            screen: false,
        }
    }

    fn id() -> ObjectId {
        "0123456789abcdef01234567".parse().unwrap()
    }

    #[test]
    fn a_chunk_is_found_again_by_its_key_and_metadata() {
        let rich = Span {
            saved: Some(7),
            screen: true,
            ..span(3, 4)
        };
        for span in [span(0, 0), span(1, 70_000), span(u64::MAX - 1, u64::MAX), rich] {
            assert_eq!(Span::of(&key(&id(), span.start), &span.metadata()), Some(span));
        }
        assert!(key(&id(), 255) < key(&id(), 256), "keys sort as offsets do");
        assert!(key(&id(), 5).starts_with(&prefix(&id())));
    }

    #[test]
    fn metadata_are_numbers_and_nothing_of_what_was_written() {
        let rich = Span {
            saved: Some(7),
            screen: true,
            ..span(3, 4)
        };
        let metadata = rich.metadata();
        assert_eq!(metadata.len(), 5);
        assert!(metadata.values().all(|value| value.parse::<u64>().is_ok()));
    }

    #[test]
    fn what_is_no_chunk_has_no_span() {
        let metadata = span(1, 2).metadata();
        assert_eq!(Span::of("recordings/x/zz", &metadata), None);
        assert_eq!(Span::of(&key(&id(), 3), &metadata), None, "it ends before it begins");
        assert_eq!(Span::of(&key(&id(), 1), &HashMap::new()), None);
    }

    #[test]
    fn chunks_of_a_relay_that_died_are_passed_over() {
        let all = [
            span(0, 300),
            span(300, 700),
            span(512, 1024),
            span(700, 900),
            span(900, 900),
        ];
        let kept = chain(all, 0, |span| *span);
        assert_eq!(kept, [span(0, 300), span(300, 700), span(700, 900), span(900, 900)]);
        assert_eq!(
            chain([span(512, 1024), span(700, 900)], 700, |span| *span),
            [span(700, 900)]
        );
    }
}
