//! One cell of a screen.
use super::style::Pen;

/// What stands in a cell: nothing, a character, or a place in the terminal's table of characters with marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text(u32);

/// The first number that is no character.
const MARKED: u32 = char::MAX as u32 + 1;

impl Text {
    pub const NOTHING: Self = Self(0);

    pub fn of(char: char) -> Self {
        Self(char as u32)
    }

    /// The entry `index` of the table of characters with marks.
    pub fn marked(index: u16) -> Self {
        Self(MARKED + u32::from(index))
    }

    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    pub fn char(self) -> Option<char> {
        char::from_u32(self.0).filter(|char| *char != '\0')
    }

    /// The entry in the table of characters with marks.
    pub fn mark(self) -> Option<u16> {
        self.0.checked_sub(MARKED).and_then(|index| u16::try_from(index).ok())
    }
}

/// A cell. The second half of a wide character has nothing in it and the width 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub text: Text,
    pub width: u8,
    pub pen: Pen,
}

impl Cell {
    /// One that was never written to.
    pub const BLANK: Self = Self {
        text: Text::NOTHING,
        width: 1,
        pen: Pen {
            foreground: super::style::Color::Default,
            background: super::style::Color::Default,
            flags: super::style::Flags::NONE,
            underline: 0,
            underline_color: super::style::Color::Default,
            link: 0,
        },
    };

    /// Nothing, in the colours of `pen`.
    pub fn empty(pen: Pen) -> Self {
        Self { pen, ..Self::BLANK }
    }

    pub fn is_second_half(&self) -> bool {
        self.width == 0 && self.text.is_nothing()
    }
}
