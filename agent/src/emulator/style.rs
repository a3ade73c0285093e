//! How a character looks: colours and attributes, from and to "select graphic rendition".
use std::fmt::Write;

/// A colour as a program names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Color {
    /// Of the terminal.
    #[default]
    Default,
    /// Of the palette.
    Indexed(u8),
    /// Itself.
    Rgb(u8, u8, u8),
}

/// Attributes that are on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// None of them.
    pub const NONE: Self = Self(0);

    pub const BOLD: u8 = 1;
    pub const DIM: u8 = 2;
    pub const ITALIC: u8 = 4;
    pub const BLINK: u8 = 8;
    pub const INVERSE: u8 = 16;
    pub const HIDDEN: u8 = 32;
    pub const STRIKE: u8 = 64;
    pub const OVERLINE: u8 = 128;

    fn set(&mut self, flags: u8) {
        self.0 |= flags;
    }

    fn clear(&mut self, flags: u8) {
        self.0 &= !flags;
    }
}

/// Each attribute with the number that switches it on.
const SWITCHES: [(u8, u16); 8] = [
    (Flags::BOLD, 1),
    (Flags::DIM, 2),
    (Flags::ITALIC, 3),
    (Flags::BLINK, 5),
    (Flags::INVERSE, 7),
    (Flags::HIDDEN, 8),
    (Flags::STRIKE, 9),
    (Flags::OVERLINE, 53),
];

/// What characters are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pen {
    pub foreground: Color,
    pub background: Color,
    pub flags: Flags,
    /// None, single, double, curly, dotted or dashed.
    pub underline: u8,
    /// Of the underline.
    pub underline_color: Color,
    /// Of the link in the terminal's table, and 0 for none.
    pub link: u16,
}

impl Pen {
    /// What erased cells have: the background and nothing else.
    pub fn erasing(self) -> Self {
        Self {
            background: self.background,
            ..Self::default()
        }
    }

    /// Obeys "select graphic rendition".
    pub fn select(&mut self, parameters: &vte::Params) {
        let mut parameters = parameters.iter();
        while let Some(parameter) = parameters.next() {
            let number = parameter.first().copied().unwrap_or(0);
            match number {
                // A link is not a matter of rendition and stays.
                0 => {
                    *self = Self {
                        link: self.link,
                        ..Self::default()
                    }
                }
                4 => self.underline = underline(parameter.get(1).copied().unwrap_or(1)),
                21 => self.underline = 2,
                22 => self.flags.clear(Flags::BOLD | Flags::DIM),
                23 => self.flags.clear(Flags::ITALIC),
                24 => self.underline = 0,
                25 => self.flags.clear(Flags::BLINK),
                27 => self.flags.clear(Flags::INVERSE),
                28 => self.flags.clear(Flags::HIDDEN),
                29 => self.flags.clear(Flags::STRIKE),
                30..=37 => self.foreground = Color::Indexed((number - 30) as u8),
                38 | 48 | 58 => {
                    let color = if parameter.len() > 1 {
                        in_subparameters(parameter)
                    } else {
                        in_parameters(&mut parameters)
                    };
                    match (color, number) {
                        (Some(color), 38) => self.foreground = color,
                        (Some(color), 48) => self.background = color,
                        (Some(color), _) => self.underline_color = color,
                        (None, _) => {}
                    }
                }
                39 => self.foreground = Color::Default,
                40..=47 => self.background = Color::Indexed((number - 40) as u8),
                49 => self.background = Color::Default,
                55 => self.flags.clear(Flags::OVERLINE),
                59 => self.underline_color = Color::Default,
                90..=97 => self.foreground = Color::Indexed((number - 90 + 8) as u8),
                100..=107 => self.background = Color::Indexed((number - 100 + 8) as u8),
                _ => {
                    if let Some((flag, _)) = SWITCHES.iter().find(|(_, on)| *on == number) {
                        self.flags.set(*flag);
                    }
                }
            }
        }
    }

    /// The rendition as parameters that start from none.
    pub fn parameters(&self) -> String {
        let mut text = String::from("0");
        for (flag, on) in SWITCHES {
            if self.flags.0 & flag != 0 {
                let _ = write!(text, ";{on}");
            }
        }
        match self.underline {
            0 => {}
            1 => text += ";4",
            style => {
                let _ = write!(text, ";4:{style}");
            }
        }
        push_color(&mut text, self.foreground, 30);
        push_color(&mut text, self.background, 40);
        push_color(&mut text, self.underline_color, 50);
        text
    }
}

/// An unknown style is a plain line.
fn underline(style: u16) -> u8 {
    if style > 5 { 1 } else { style as u8 }
}

/// `38:5:n`, `38:2:r:g:b` or `38:2:space:r:g:b`.
fn in_subparameters(parameter: &[u16]) -> Option<Color> {
    match parameter {
        [_, 5, index, ..] => Some(Color::Indexed(*index as u8)),
        [_, 2, _, red, green, blue, ..] | [_, 2, red, green, blue] => {
            Some(Color::Rgb(*red as u8, *green as u8, *blue as u8))
        }
        _ => None,
    }
}

/// `38;5;n` or `38;2;r;g;b`.
fn in_parameters<'a>(parameters: &mut impl Iterator<Item = &'a [u16]>) -> Option<Color> {
    let mut next = || parameters.next().and_then(|parameter| parameter.first()).copied();
    match next()? {
        5 => Some(Color::Indexed(next()? as u8)),
        2 => Some(Color::Rgb(
            next()? as u8,
            next().unwrap_or(0) as u8,
            next().unwrap_or(0) as u8,
        )),
        _ => None,
    }
}

/// `base` is 30, 40, or 50 for underlines, which have no short forms.
fn push_color(text: &mut String, color: Color, base: u16) {
    let _ = match color {
        Color::Default => Ok(()),
        Color::Indexed(index @ 0..8) if base < 50 => write!(text, ";{}", base + u16::from(index)),
        Color::Indexed(index @ 8..16) if base < 50 => write!(text, ";{}", base + 52 + u16::from(index)),
        Color::Indexed(index) if base < 50 => write!(text, ";{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) if base < 50 => write!(text, ";{};2;{red};{green};{blue}", base + 8),
        // With colons: a terminal that knows no coloured underlines then skips all of it.
        Color::Indexed(index) => write!(text, ";58:5:{index}"),
        Color::Rgb(red, green, blue) => write!(text, ";58:2::{red}:{green}:{blue}"),
    };
}
