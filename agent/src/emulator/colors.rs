//! The palette and the three special colours: as the console has them, and as a program changed them.
use std::collections::BTreeMap;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Text, background, cursor: what programs hear that ask. The console's dark theme (`web/src/terminal/theme.ts`): which one
/// a viewer chose is its own matter, and of several viewers each may have another.
pub const SPECIAL: [Rgb; 3] = [[0xe3, 0xe8, 0xe2], [0x12, 0x17, 0x15], [0xc6, 0xf1, 0x35]];

/// The first sixteen of the palette, likewise.
const ANSI: [Rgb; 16] = [
    [0x2a, 0x32, 0x2f],
    [0xff, 0x8a, 0x7a],
    [0x6f, 0xd3, 0x9b],
    [0xe2, 0xb0, 0x4a],
    [0x7f, 0xb4, 0xf5],
    [0xd7, 0x9b, 0xe0],
    [0x66, 0xcb, 0xd6],
    [0xc9, 0xd0, 0xca],
    [0x7e, 0x8a, 0x84],
    [0xff, 0xa9, 0x9d],
    [0x93, 0xe3, 0xb5],
    [0xf0, 0xc8, 0x74],
    [0xa4, 0xcb, 0xfa],
    [0xe5, 0xb9, 0xec],
    [0x93, 0xdf, 0xe7],
    [0xf4, 0xf7, 0xf3],
];

/// What programs set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Colors {
    pub palette: BTreeMap<u8, Rgb>,
    pub special: [Option<Rgb>; 3],
}

impl Colors {
    pub fn indexed(&self, index: u8) -> Rgb {
        self.palette.get(&index).copied().unwrap_or_else(|| usual(index))
    }

    pub fn special(&self, slot: usize) -> Rgb {
        let own = self.special.get(slot).copied().flatten();
        own.or(SPECIAL.get(slot).copied()).unwrap_or_default()
    }
}

/// The palette that all terminals share from 16 on: a cube of six steps, then greys.
fn usual(index: u8) -> Rgb {
    let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        0..16 => ANSI[usize::from(index)],
        16..232 => {
            let n = index - 16;
            [step(n / 36), step(n / 6 % 6), step(n % 6)]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

/// `rgb:r/g/b` with one to four digits each, or `#` and one to four digits for each.
pub fn parse(text: &[u8]) -> Option<Rgb> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let parts: Vec<&str> = if let Some(parts) = text.strip_prefix("rgb:") {
        parts.split('/').collect()
    } else {
        let digits = text.strip_prefix('#')?;
        let len = digits.len() / 3;
        if !digits.is_ascii() || len == 0 || digits.len() % 3 != 0 {
            return None;
        }
        (0..3).map(|part| &digits[part * len..(part + 1) * len]).collect()
    };
    let [red, green, blue] = parts[..] else { return None };
    Some([channel(red)?, channel(green)?, channel(blue)?])
}

fn channel(digits: &str) -> Option<u8> {
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let most = (1_u32 << (4 * digits.len())) - 1;
    let value = u32::from_str_radix(digits, 16).ok()?;
    u8::try_from((value * 255 + most / 2) / most).ok()
}

/// As terminals write colours.
pub fn spell([red, green, blue]: Rgb) -> String {
    format!("rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}")
}
