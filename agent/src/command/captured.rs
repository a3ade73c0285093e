//! What a command wrote into one of its two outputs.
use protocol::limits::MAX_COMMAND_PART;
use protocol::terminal::published::Utf8Stream;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Read from a pipe at once; as much as pipes usually hold.
const READ: usize = 64 * 1024;

/// An output that is read to its end and kept up to a bound, so that the command never waits for a reader.
#[derive(Debug)]
pub struct Captured<R> {
    /// Nothing once its end was reached.
    pipe: Option<R>,
    decoder: Utf8Stream,
    text: String,
    /// How long the text is as JSON writes it, and how long it may be.
    length: usize,
    limit: usize,
    /// Whether there was more than is kept.
    more: bool,
    /// How much of the text was said while the command ran.
    said: usize,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Captured<R> {
    /// An output nothing was read from. Of its text at most `limit` bytes as JSON writes them are kept.
    pub fn new(pipe: Option<R>, limit: usize) -> Self {
        Self {
            pipe,
            decoder: Utf8Stream::default(),
            text: String::new(),
            length: 0,
            limit,
            more: false,
            said: 0,
            buffer: vec![0; READ],
        }
    }

    /// Whether its end was reached.
    pub fn over(&self) -> bool {
        self.pipe.is_none()
    }

    /// Reads once. Nothing is lost if this is dropped before it is done.
    pub async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        // An output that cannot be read any more has ended.
        let count = pipe.read(&mut self.buffer).await.unwrap_or(0);
        if count == 0 {
            self.pipe = None;
        } else if !self.more {
            let text = self.decoder.push(&self.buffer[..count]);
            self.keep(&text);
        }
    }

    fn keep(&mut self, text: &str) {
        let (fits, length) = within(text, self.limit - self.length);
        self.text.push_str(fits);
        self.length += length;
        self.more |= fits.len() < text.len();
    }

    /// Whether something was not said.
    pub fn has_news(&self) -> bool {
        self.said < self.text.len()
    }

    /// The next part of what was not said, which is said now.
    pub fn next_part(&mut self) -> String {
        let (part, _) = within(&self.text[self.said..], MAX_COMMAND_PART);
        self.said += part.len();
        part.to_owned()
    }

    /// What was written, and whether there was more. What was said is how it begins.
    pub fn into_text(mut self) -> (String, bool) {
        if !self.more {
            let rest = self.decoder.finish();
            self.keep(&rest);
        }
        (self.text, self.more)
    }
}

/// As much of a text as a limit allows, and how long that is: in bytes as JSON writes them.
fn within(text: &str, limit: usize) -> (&str, usize) {
    let mut length = 0;
    for (at, character) in text.char_indices() {
        let longer = length + json_length(character);
        if longer > limit {
            return (&text[..at], length);
        }
        length = longer;
    }
    (text, length)
}

/// The bytes of a character within a JSON text.
fn json_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        control if control < ' ' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;
    use proptest::prelude::*;
    use protocol::limits::MAX_COMMAND_OUTPUT;
    use tokio::io::ReadBuf;

    async fn captured(bytes: &[u8], limit: usize) -> Captured<&[u8]> {
        let mut captured = Captured::new(Some(bytes), limit);
        while !captured.over() {
            captured.read().await;
        }
        captured
    }

    #[tokio::test]
    async fn output_is_kept_up_to_its_bound_and_read_to_its_end() {
        let long = vec![b'x'; MAX_COMMAND_OUTPUT + 1];
        let (text, more) = captured(&long, MAX_COMMAND_OUTPUT).await.into_text();
        assert_eq!((text.len(), more), (MAX_COMMAND_OUTPUT, true));
        let (text, more) = captured(&long[1..], MAX_COMMAND_OUTPUT).await.into_text();
        assert_eq!((text.len(), more), (MAX_COMMAND_OUTPUT, false));
    }

    proptest! {
        #[test]
        fn text_of_any_bytes_is_within_its_bound_as_json(bytes: Vec<u8>, limit in 0usize..64) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (text, more) = runtime.block_on(captured(&bytes, limit)).into_text();
            prop_assert!(serde_json::to_string(&text).unwrap().len() <= limit + 2);
            prop_assert!(String::from_utf8_lossy(&bytes).starts_with(&text));
            prop_assert_eq!(more, text.len() < String::from_utf8_lossy(&bytes).len());
        }

        #[test]
        fn parts_are_how_the_text_begins_wherever_it_was_cut(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..9), 0..9),
            limit in 0usize..64,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (said, text) = runtime.block_on(async {
                let mut captured = Captured::new(Some(Pieces(pieces.into())), limit);
                let mut said = String::new();
                while !captured.over() {
                    captured.read().await;
                    if captured.has_news() {
                        said += &captured.next_part();
                    }
                }
                (said, captured.into_text().0)
            });
            prop_assert!(text.starts_with(&said));
            // Characters that are not whole are the end's.
            let left = text.len() - said.len();
            prop_assert!(left <= char::REPLACEMENT_CHARACTER.len_utf8());
        }
    }

    /// A pipe that gives a piece at each read.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if let Some(piece) = self.0.pop_front() {
                buffer.put_slice(&piece);
            }
            Poll::Ready(Ok(()))
        }
    }
}
