//! Terminal output as plain text: what was printed, without what moves, colours and asks. Escape sequences are a grammar of their own,
//! which `vte` knows; the agent's terminal reads them by it, too.
use vte::{Parser, Perform};

/// Gathers what is printed.
#[derive(Default)]
struct Printed(String);

impl Perform for Printed {
    fn print(&mut self, c: char) {
        self.0.push(c);
    }

    fn execute(&mut self, byte: u8) {
        // A carriage return before a line feed, and one that overwrites a line, are of the terminal.
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(char::from(byte));
        }
    }
}

/// The text without escape sequences and control characters, but for line feeds and tabs.
pub fn plain(output: &str) -> String {
    let mut printed = Printed::default();
    Parser::new().advance(&mut printed, output.as_bytes());
    printed.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_left_and_nothing_else() {
        for (output, text) in [
            ("total 42\r\nd\x1b[1;34mbin\x1b[0m\r\n", "total 42\ndbin\n"),
            (
                "\x1b]0;title\x07a\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\",
                "alink",
            ),
            ("é\t\u{1F600}\x08\x07.", "é\t\u{1F600}."),
            ("\x1bP+q544e\x1b\\\x1b[?25lx\x1b[", "x"),
        ] {
            assert_eq!(plain(output), text, "{output:?}");
        }
    }
}
