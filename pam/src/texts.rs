//! What modules say to whoever logs in.
use std::cell::RefCell;

/// Most that is kept of it. A message of the day is a screen or two; a module that says more says it to nobody.
const MOST: usize = 16 * 1024;

/// Most of it that stands in a refusal, which is one line.
const MOST_REFUSED: usize = 1000;

/// The texts, in their order.
#[derive(Debug, Default)]
pub struct Texts {
    all: RefCell<Vec<u8>>,
    /// Those that say that something is wrong.
    errors: RefCell<Vec<u8>>,
}

impl Texts {
    /// Takes a text in, as far as there is room.
    pub fn add(&self, text: &[u8]) {
        add(&mut self.all.borrow_mut(), text);
    }

    /// The same for one that says that something is wrong.
    pub fn add_error(&self, text: &[u8]) {
        self.add(text);
        add(&mut self.errors.borrow_mut(), text);
    }

    /// All of them, each on a line of its own.
    pub fn take(&self) -> Vec<u8> {
        self.errors.take();
        self.all.take()
    }

    /// Why somebody is refused: what is wrong, or all that was said if nothing said that, and then `last`. It is one line
    /// without what a terminal would obey.
    pub fn take_line(&self, last: &str) -> String {
        let errors = self.errors.take();
        let all = self.all.take();
        let said = if errors.is_empty() { all } else { errors };
        let said = String::from_utf8_lossy(&said).into_owned();
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = if words.is_empty() {
            last.to_owned()
        } else {
            format!("{words} ({last})")
        };
        line.chars().filter(|c| !c.is_control()).take(MOST_REFUSED).collect()
    }
}

fn add(kept: &mut Vec<u8>, text: &[u8]) {
    for part in [text, b"\n"] {
        let room = MOST.saturating_sub(kept.len());
        let part = part.get(..room).unwrap_or(part);
        kept.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_in_order_and_up_to_their_bound() {
        let texts = Texts::default();
        texts.add(b"one");
        texts.add(b"two\n");
        assert_eq!(texts.take(), b"one\ntwo\n\n");
        for _ in 0..3 {
            texts.add(&[b'x'; MOST / 2]);
        }
        assert_eq!(texts.take().len(), MOST);
        assert_eq!(texts.take(), b"");
    }

    #[test]
    fn a_refusal_is_a_line_that_moves_no_cursor() {
        let texts = Texts::default();
        assert_eq!(texts.take_line("Permission denied"), "Permission denied");
        texts.add(b"closed\r\n  for\tthe night \x1b[2J\xff");
        assert_eq!(
            texts.take_line("Permission denied"),
            "closed for the night [2J\u{fffd} (Permission denied)"
        );
        texts.add(b"Welcome to this machine.");
        texts.add_error(b"There were too many logins.");
        assert_eq!(texts.take_line("no"), "There were too many logins. (no)");
        texts.add(&[b'x'; MOST]);
        assert_eq!(texts.take_line("no").chars().count(), MOST_REFUSED);
    }
}
