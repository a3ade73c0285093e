//! asciicast v3, made of the lines of v2: times since the event before, the terminal's size under `term`, and how the shell ended.
use super::events::BadLine;
use super::header::Header;
use super::line::{is_ours, split};

/// Turns whole lines of v2 into lines of v3, a piece at a time.
#[derive(Debug, Default)]
pub struct V3 {
    /// The time of the event before, in milliseconds since the recording began.
    last: u64,
}

impl V3 {
    /// The lines of v3 for some whole lines of v2.
    pub fn lines(&mut self, text: &[u8]) -> Result<Vec<u8>, BadLine> {
        let mut lines = Vec::with_capacity(text.len());
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            match line.first() {
                None => continue,
                Some(b'{') => {
                    let header = Header::parse(line).ok_or(BadLine(number + 1))?;
                    lines.extend_from_slice(header.v3().as_bytes());
                }
                Some(_) => {
                    let (at, rest) = split(line).ok_or(BadLine(number + 1))?;
                    if is_ours(rest) {
                        continue;
                    }
                    lines.extend_from_slice(self.time(at).as_bytes());
                    lines.extend_from_slice(rest);
                }
            }
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The last line: how the shell ended, at `at` milliseconds since the recording began.
    pub fn exit(&mut self, at: u64, code: i64) -> Vec<u8> {
        format!("{},\"x\",\"{code}\"]\n", self.time(at)).into_bytes()
    }

    fn time(&mut self, at: u64) -> String {
        let since = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        format!("[{}.{:03}", since / 1000, since % 1000)
    }
}
