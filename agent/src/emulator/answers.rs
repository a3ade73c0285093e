//! What programs ask a terminal, and what they hear: the words of the console's terminal, xterm.js 6, with its settings.
use super::colors::spell;
use super::modes::{Mouse, MouseEncoding};
use super::terminal::State;

/// "A VT100 with advanced video option."
const PRIMARY_ATTRIBUTES: &str = "\x1b[?1;2c";

/// The kind and version that xterm.js says it is.
const SECONDARY_ATTRIBUTES: &str = "\x1b[>0;276;0c";

/// The console's terminal by its name. Its version 6.0 says nothing to this question, later ones say this.
const NAME: &str = "\x1bP>|xterm.js(6.0.0)\x1b\\";

impl State {
    /// See [`super::Terminal::answer`]. What that terminal leaves unanswered has no answer here either, such as ENQ.
    pub fn answer(&self, question: &[u8]) -> Vec<u8> {
        let text = match question {
            [0x1b, b'[', body @ .., action] => self.answer_csi(body, *action),
            [0x1b, b']', body @ ..] => self.answer_osc(without_end(body)),
            [0x1b, b'P', b'$', b'q', body @ ..] => self.answer_setting(without_end(body)),
            _ => None,
        };
        text.map(String::into_bytes).unwrap_or_default()
    }

    fn answer_csi(&self, body: &[u8], action: u8) -> Option<String> {
        let (prefix, rest) = match body {
            [prefix @ (b'?' | b'>' | b'=' | b'<'), rest @ ..] => (Some(*prefix), rest),
            _ => (None, body),
        };
        let rest = std::str::from_utf8(rest).ok()?;
        let digits = rest.trim_end_matches('$');
        let number: u16 = match digits.split(';').next() {
            None | Some("") => 0,
            Some(digits) => digits.parse().ok()?,
        };
        let grid = self.shown();
        let (row, col) = (grid.y + 1, grid.x + 1);
        Some(match (prefix, action, number) {
            (None, b'c', 0) => PRIMARY_ATTRIBUTES.to_owned(),
            (Some(b'>'), b'c', 0) => SECONDARY_ATTRIBUTES.to_owned(),
            (Some(b'>'), b'q', 0) => NAME.to_owned(),
            (None, b'n', 5) => "\x1b[0n".to_owned(),
            (None, b'n', 6) => format!("\x1b[{row};{col}R"),
            (Some(b'?'), b'n', 6) => format!("\x1b[?{row};{col}R"),
            (None, b't', 18) => format!("\x1b[8;{};{}t", grid.height(), grid.cols),
            (None, b'p', mode) if rest.ends_with('$') => format!("\x1b[{mode};{}$y", self.ansi_mode(mode)),
            (Some(b'?'), b'p', mode) if rest.ends_with('$') => format!("\x1b[?{mode};{}$y", self.dec_mode(mode)),
            _ => return None,
        })
    }

    fn ansi_mode(&self, mode: u16) -> u8 {
        match mode {
            2 => 4,
            4 => state(self.modes.insert),
            12 => 3,
            20 => state(self.modes.line_feed_returns),
            _ => 0,
        }
    }

    fn dec_mode(&self, mode: u16) -> u8 {
        let mut modes = self.modes;
        if let Some(on) = modes.switch(mode) {
            return state(*on);
        }
        match mode {
            6 => state(modes.origin),
            8 => 3,
            // The console's cursor blinks unless somebody asked for less motion.
            12 => state(modes.cursor_blink.unwrap_or(true)),
            67 | 1005 | 1015 => 4,
            9 => state(modes.mouse == Mouse::Press),
            1000 => state(modes.mouse == Mouse::Click),
            1002 => state(modes.mouse == Mouse::Drag),
            1003 => state(modes.mouse == Mouse::Motion),
            1006 => state(modes.mouse_encoding == MouseEncoding::Sgr),
            1016 => state(modes.mouse_encoding == MouseEncoding::Pixels),
            1048 => 1,
            47 | 1047 | 1049 => state(self.alternate.is_some()),
            _ => 0,
        }
    }

    fn answer_osc(&self, body: &[u8]) -> Option<String> {
        let body = std::str::from_utf8(body).ok()?;
        let mut fields = body.split(';');
        let mut answers = String::new();
        match fields.next()? {
            "4" => {
                while let (Some(index), Some(color)) = (fields.next(), fields.next()) {
                    if let ("?", Ok(index)) = (color, index.parse::<u8>()) {
                        answers += &format!("\x1b]4;{index};{}\x1b\\", spell(self.colors.indexed(index)));
                    }
                }
            }
            first @ ("10" | "11" | "12") => {
                let first: usize = first.parse().ok()?;
                for (slot, field) in (first - 10..3).zip(fields) {
                    if field == "?" {
                        answers += &format!("\x1b]{};{}\x1b\\", slot + 10, spell(self.colors.special(slot)));
                    }
                }
            }
            _ => {}
        }
        Some(answers)
    }

    /// A setting as the text of the sequence that makes it.
    fn answer_setting(&self, name: &[u8]) -> Option<String> {
        let grid = self.shown();
        Some(match name {
            b"m" => format!("\x1bP1$r{}m\x1b\\", self.pen.parameters()),
            b"r" => format!("\x1bP1$r{};{}r\x1b\\", grid.top + 1, grid.bottom + 1),
            b" q" => {
                // The console's own cursor is a block that blinks.
                let style = self.modes.cursor_style.max(1);
                format!("\x1bP1$r{style} q\x1b\\")
            }
            b"\"p" => "\x1bP1$r61;1\"p\x1b\\".to_owned(),
            b"\"q" => "\x1bP1$r0\"q\x1b\\".to_owned(),
            _ => "\x1bP0$r\x1b\\".to_owned(),
        })
    }
}

/// As "report mode" has it.
fn state(on: bool) -> u8 {
    if on { 1 } else { 2 }
}

fn without_end(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\x1b\\").unwrap_or(body);
    body.strip_suffix(b"\x07").unwrap_or(body)
}
