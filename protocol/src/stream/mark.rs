//! What a mark of a shell's hooks says: `docs/command-log.md`.
use crate::terminal::command_record::{MAX_COMMAND_TEXT, MAX_DIRECTORY, Outcome, within};

/// A mark of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A prompt is about to be drawn.
    Prompt,
    /// A command begins.
    Begin {
        /// How the one before ended, if that is still open.
        before: Option<i32>,
        /// The shell's directory.
        cwd: String,
        /// What was typed.
        typed: Typed,
    },
    /// It ended.
    End(Outcome),
    /// Something begins that no line announced, and of which nobody will say how it ends.
    Unannounced {
        /// The shell's directory.
        cwd: String,
        /// What it is; without a text, all that follows until the next prompt.
        typed: Typed,
    },
}

/// What is known of a command's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// It, or its beginning.
    Text {
        /// As it was typed.
        text: String,
        /// Whether there was more.
        cut: bool,
    },
    /// The history did not grow by it. It may still be the history's newest line once more, which is not kept twice.
    NotKept {
        /// That line.
        newest: Option<String>,
    },
    /// Nothing was shown of it.
    Hidden,
}

impl Mark {
    /// Reads what stands between the secret and the end of a mark. Parameters that mean nothing are skipped.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = body.split(|byte| *byte == b';');
        let kind = fields.next()?;
        let mut given = Given::default();
        for field in fields {
            let at = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
            let value = field.get(at + 1..).unwrap_or_default();
            match field.get(..at).unwrap_or_default() {
                b"x" => given.code = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                b"d" => given.cwd = decode(value),
                b"t" => given.text = Some(decode(value)),
                b"s" => given.state = value,
                b"cut" => given.cut = true,
                _ => {}
            }
        }
        match kind {
            b"A" => Some(Self::Prompt),
            b"C" => Some(given.begin()),
            b"D" => Some(Self::End(given.outcome())),
            b"U" => Some(given.unannounced()),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Given<'a> {
    code: Option<i32>,
    cwd: String,
    text: Option<String>,
    state: &'a [u8],
    cut: bool,
}

impl Given<'_> {
    fn begin(self) -> Mark {
        let before = self.code;
        let (cwd, typed) = self.told();
        Mark::Begin { before, cwd, typed }
    }

    fn unannounced(self) -> Mark {
        let (cwd, typed) = self.told();
        Mark::Unannounced { cwd, typed }
    }

    /// Where, and what.
    fn told(self) -> (String, Typed) {
        let cut = self.cut || self.text.as_ref().is_some_and(|text| text.len() > MAX_COMMAND_TEXT);
        let bounded = self.text.map(|text| within(&text, MAX_COMMAND_TEXT).to_owned());
        let typed = match (self.state, bounded) {
            (b"hidden", _) => Typed::Hidden,
            (b"not_kept", newest) => Typed::NotKept {
                newest: newest.filter(|_| !cut),
            },
            (_, Some(text)) => Typed::Text { text, cut },
            (_, None) => Typed::NotKept { newest: None },
        };
        (within(&self.cwd, MAX_DIRECTORY).to_owned(), typed)
    }

    fn outcome(&self) -> Outcome {
        match (self.state, self.code) {
            (b"stopped", _) => Outcome::Stopped,
            (_, Some(exit_code)) => Outcome::Exited { exit_code },
            (_, None) => Outcome::Unknown,
        }
    }
}

/// Undoes percent-encoding. What is not UTF-8 is replaced, and a line's end behind the last line is left out, as is a NUL.
fn decode(encoded: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.split_at_checked(2).filter(|_| *first == b'%');
        match digits.and_then(|(digits, after)| Some((hex(digits)?, after))) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes.retain(|byte| *byte != 0);
    let text = String::from_utf8_lossy(&bytes);
    text.trim_end_matches(['\n', '\r']).to_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(body: &str) -> (Option<i32>, String, Typed) {
        match Mark::parse(body.as_bytes()) {
            Some(Mark::Begin { before, cwd, typed }) => (before, cwd, typed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mark_of_each_kind_is_read_and_what_means_nothing_is_skipped() {
        assert_eq!(Mark::parse(b"A"), Some(Mark::Prompt));
        assert_eq!(Mark::parse(b"A;click_events=1;="), Some(Mark::Prompt));
        let end = |body: &[u8]| Mark::parse(body);
        assert_eq!(end(b"D;x=-1"), Some(Mark::End(Outcome::Exited { exit_code: -1 })));
        assert_eq!(end(b"D;x=300;y"), Some(Mark::End(Outcome::Exited { exit_code: 300 })));
        assert_eq!(end(b"D;s=stopped;x=0"), Some(Mark::End(Outcome::Stopped)));
        for unknown in [&b"D"[..], b"D;x=", b"D;x=many", b"D;x=2147483648"] {
            assert_eq!(end(unknown), Some(Mark::End(Outcome::Unknown)));
        }
        let (cwd, typed) = ("/a".to_owned(), Typed::NotKept { newest: None });
        assert_eq!(Mark::parse(b"U;d=/a"), Some(Mark::Unannounced { cwd, typed }));
        for none in [&b""[..], b"B", b"C D", b"AA"] {
            assert_eq!(Mark::parse(none), None);
        }
    }

    #[test]
    fn text_is_percent_encoded_and_may_have_lines() {
        let (before, cwd, typed) = begin("C;x=4;d=/a%20b;t=echo %C3%A9%0Aéx%3B%2;later=1");
        assert_eq!((before, cwd.as_str()), (Some(4), "/a b"));
        let text = "echo é\néx;%2".to_owned();
        assert_eq!(typed, Typed::Text { text, cut: false });
    }

    #[test]
    fn what_was_hidden_or_not_kept_has_no_text() {
        assert_eq!(begin("C;s=hidden;t=secret").2, Typed::Hidden);
        assert_eq!(begin("C").2, Typed::NotKept { newest: None });
        let newest = Some("ls".to_owned());
        assert_eq!(begin("C;s=not_kept;t=ls").2, Typed::NotKept { newest });
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_said_to_be() {
        let (_, cwd, typed) = begin(&format!("C;d=/{};t={}", "d".repeat(9000), "é".repeat(MAX_COMMAND_TEXT)));
        let Typed::Text { text, cut: true } = typed else {
            panic!("{typed:?}")
        };
        assert_eq!((text.len(), cwd.len()), (MAX_COMMAND_TEXT, MAX_DIRECTORY));
    }
}
