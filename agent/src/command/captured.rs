//! What a command wrote into one of its two outputs.
use protocol::limits::MAX_COMMAND_OUTPUT;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Read from a pipe at once; as much as pipes usually hold.
const READ: usize = 64 * 1024;

/// An output that is read to its end and kept up to a bound, so that the command never waits for a reader.
#[derive(Debug)]
pub struct Captured<R> {
    /// Nothing once its end was reached.
    pipe: Option<R>,
    kept: Vec<u8>,
    /// Whether there was more than is kept.
    more: bool,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Captured<R> {
    /// An output nothing was read from.
    pub fn new(pipe: Option<R>) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            more: false,
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
            return;
        }
        let room = MAX_COMMAND_OUTPUT.saturating_sub(self.kept.len()).min(count);
        self.kept.extend_from_slice(&self.buffer[..room]);
        self.more |= room < count;
    }

    /// What was written, and whether there was more. At most `limit` bytes as JSON writes them.
    pub fn into_text(self, limit: usize) -> (String, bool) {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        let mut length = 0;
        let fits = text.char_indices().find(|(_, character)| {
            length += json_length(*character);
            length > limit
        });
        let cut = fits.map(|(at, _)| at);
        if let Some(at) = cut {
            text.truncate(at);
        }
        (text, self.more || cut.is_some())
    }
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
    use super::*;
    use proptest::prelude::*;

    async fn captured(bytes: &[u8]) -> Captured<&[u8]> {
        let mut captured = Captured::new(Some(bytes));
        while !captured.over() {
            captured.read().await;
        }
        captured
    }

    #[tokio::test]
    async fn output_is_kept_up_to_its_bound_and_read_to_its_end() {
        let long = vec![b'x'; MAX_COMMAND_OUTPUT + 1];
        let (text, more) = captured(&long).await.into_text(MAX_COMMAND_OUTPUT);
        assert_eq!((text.len(), more), (MAX_COMMAND_OUTPUT, true));
        let (text, more) = captured(&long[1..]).await.into_text(MAX_COMMAND_OUTPUT);
        assert_eq!((text.len(), more), (MAX_COMMAND_OUTPUT, false));
    }

    proptest! {
        #[test]
        fn text_of_any_bytes_is_within_its_bound_as_json(bytes: Vec<u8>, limit in 0usize..64) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (text, more) = runtime.block_on(captured(&bytes)).into_text(limit);
            prop_assert!(serde_json::to_string(&text).unwrap().len() <= limit + 2);
            prop_assert!(String::from_utf8_lossy(&bytes).starts_with(&text));
            prop_assert_eq!(more, text.len() < String::from_utf8_lossy(&bytes).len());
        }
    }
}
