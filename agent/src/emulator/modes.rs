//! Modes: what a program switches on and off.

/// Which events of the mouse are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mouse {
    #[default]
    Off,
    Press,
    Click,
    Drag,
    Motion,
}

/// Each way with the number that switches it on.
pub const MICE: [(Mouse, u16); 4] = [
    (Mouse::Press, 9),
    (Mouse::Click, 1000),
    (Mouse::Drag, 1002),
    (Mouse::Motion, 1003),
];

/// How they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MouseEncoding {
    #[default]
    Bytes,
    Sgr,
    Pixels,
}

/// What is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    pub insert: bool,
    pub line_feed_returns: bool,
    pub application_cursor: bool,
    pub application_keypad: bool,
    pub origin: bool,
    pub wraparound: bool,
    pub reverse_wraparound: bool,
    pub bracketed_paste: bool,
    pub focus: bool,
    pub synchronized: bool,
    pub cursor_visible: bool,
    pub mouse: Mouse,
    pub mouse_encoding: MouseEncoding,
    /// What "set cursor style" said last, and 0 for the terminal's own.
    pub cursor_style: u16,
    /// Nothing while no program has chosen.
    pub cursor_blink: Option<bool>,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            insert: false,
            line_feed_returns: false,
            application_cursor: false,
            application_keypad: false,
            origin: false,
            wraparound: true,
            reverse_wraparound: false,
            bracketed_paste: false,
            focus: false,
            synchronized: false,
            cursor_visible: true,
            mouse: Mouse::Off,
            mouse_encoding: MouseEncoding::Bytes,
            cursor_style: 0,
            cursor_blink: None,
        }
    }
}

impl Modes {
    /// What a soft reset leaves.
    pub fn soft_reset(self) -> Self {
        Self {
            mouse: self.mouse,
            mouse_encoding: self.mouse_encoding,
            line_feed_returns: self.line_feed_returns,
            cursor_blink: self.cursor_blink,
            ..Self::default()
        }
    }

    /// The private modes that are only on or off, by number.
    pub fn switch(&mut self, number: u16) -> Option<&mut bool> {
        Some(match number {
            1 => &mut self.application_cursor,
            7 => &mut self.wraparound,
            25 => &mut self.cursor_visible,
            45 => &mut self.reverse_wraparound,
            66 => &mut self.application_keypad,
            1004 => &mut self.focus,
            2004 => &mut self.bracketed_paste,
            2026 => &mut self.synchronized,
            _ => return None,
        })
    }

    /// The number that switches the mouse's reports on.
    pub fn mouse_number(&self) -> Option<u16> {
        MICE.iter()
            .find(|(mouse, _)| *mouse == self.mouse)
            .map(|(_, number)| *number)
    }
}

/// The numbers that [`Modes::switch`] knows.
pub const SWITCHES: [u16; 8] = [1, 7, 25, 45, 66, 1004, 2004, 2026];
