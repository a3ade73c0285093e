//! `Enter ~ .`: how to leave a terminal that takes every key.

/// Finds the escape sequence in what is typed, however the keyboard cuts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Escape {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// At the start of a line.
    #[default]
    Line,
    /// After a `~` there.
    Tilde,
    /// Anywhere else.
    Text,
}

impl Escape {
    /// What of `typed` goes to the machine, and whether the rest asks to leave.
    pub fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(typed.len());
        for &byte in typed {
            match (self.state, byte) {
                (State::Line, b'~') => {
                    self.state = State::Tilde;
                    continue;
                }
                (State::Tilde, b'.') => return (out, true),
                // A second one types the first, which was held back.
                (State::Tilde, b'~') => {}
                (State::Tilde, _) => out.push(b'~'),
                _ => {}
            }
            out.push(byte);
            self.state = if matches!(byte, b'\r' | b'\n') {
                State::Line
            } else {
                State::Text
            };
        }
        (out, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(chunks: &[&str]) -> (String, bool) {
        let mut escape = Escape::default();
        let mut all = String::new();
        for chunk in chunks {
            let (bytes, leave) = escape.filter(chunk.as_bytes());
            all.push_str(std::str::from_utf8(&bytes).unwrap());
            if leave {
                return (all, true);
            }
        }
        (all, false)
    }

    #[test]
    fn enter_tilde_dot_leaves_however_it_is_cut() {
        assert_eq!(typed(&["ls\r~.more"]), ("ls\r".to_owned(), true));
        assert_eq!(typed(&["ls\r", "~", "."]), ("ls\r".to_owned(), true));
        assert_eq!(typed(&["~."]), (String::new(), true));
    }

    #[test]
    fn everything_else_is_typed() {
        for (chunks, expected) in [
            (&["cd ~.x\r"][..], "cd ~.x\r"),
            (&["\r~", "~/bin\r"], "\r~/bin\r"),
            (&["\r~/bin"], "\r~/bin"),
            (&["\r~", "\r~x"], "\r~\r~x"),
            (&["a~."], "a~."),
        ] {
            assert_eq!(typed(chunks), (expected.to_owned(), false));
        }
    }
}
