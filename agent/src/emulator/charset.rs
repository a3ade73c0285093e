//! Character sets: which glyph a byte stands for.

/// A set that a program can choose. National ones but the British are not: what writes them writes UTF-8 today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    #[default]
    Ascii,
    British,
    /// "DEC special graphics": lines and corners in the place of small letters.
    Drawing,
}

const DRAWING: [char; 31] = [
    '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴',
    '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl Charset {
    /// By the last byte of its designation.
    pub fn named(byte: u8) -> Self {
        match byte {
            b'0' => Self::Drawing,
            b'A' => Self::British,
            _ => Self::Ascii,
        }
    }

    pub fn name(self) -> char {
        match self {
            Self::Ascii => 'B',
            Self::British => 'A',
            Self::Drawing => '0',
        }
    }

    pub fn glyph(self, char: char) -> char {
        match (self, char) {
            (Self::Drawing, '`'..='~') => DRAWING.get(char as usize - '`' as usize).copied().unwrap_or(char),
            (Self::British, '#') => '£',
            _ => char,
        }
    }
}

/// The four designated sets and the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charsets {
    pub designated: [Charset; 4],
    pub level: usize,
    /// Mostly that of the level; restoring a cursor brings back the set without the level.
    pub current: Charset,
}

impl Charsets {
    pub fn designate(&mut self, slot: usize, charset: Charset) {
        if let Some(designated) = self.designated.get_mut(slot) {
            *designated = charset;
            if slot == self.level {
                self.current = charset;
            }
        }
    }

    pub fn shift(&mut self, level: usize) {
        self.level = level;
        self.current = self.designated.get(level).copied().unwrap_or_default();
    }
}
