//! A text as a QR code in a terminal: two rows of modules on a line.
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// A picture of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its lines, each of the same width.
    pub lines: Vec<String>,
}

impl Picture {
    /// Dark modules on light ground, whatever the terminal's colours are: many scanners want it so. Nothing if the text is longer
    /// than a code holds (2,953 bytes).
    pub fn of(text: &str) -> Option<Self> {
        // A screen is neither dirty nor torn: the least correction makes the code small.
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        // What the crate calls dark it draws as a block; ours are the light ones, in white on black.
        let drawn = code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build();
        Some(Self {
            lines: drawn.lines().map(str::to_owned).collect(),
        })
    }

    /// Its width in columns.
    pub fn columns(&self) -> usize {
        self.lines.first().map_or(0, |line| line.chars().count())
    }

    /// As it is written to a terminal: white on black, since the blocks are the light modules.
    pub fn painted(&self) -> String {
        self.lines
            .iter()
            .map(|line| format!("\x1b[97;40m{line}\x1b[0m\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules of a picture, `true` where it is dark, by reading its blocks.
    fn modules(picture: &Picture) -> Vec<Vec<bool>> {
        let halves = |block: char| match block {
            '\u{2588}' => [false, false],
            '\u{2580}' => [false, true],
            '\u{2584}' => [true, false],
            ' ' => [true, true],
            other => panic!("{other:?} is no block"),
        };
        let rows = picture.lines.iter().flat_map(|line| {
            let blocks: Vec<[bool; 2]> = line.chars().map(halves).collect();
            [0, 1].map(|half| blocks.iter().map(|block| block[half]).collect())
        });
        rows.collect()
    }

    #[test]
    fn what_is_drawn_is_the_code_with_light_around_it() {
        let text = " curl -fsSL https://edge.example.com/install.sh | VSAY_TOKEN=0a1b sh -s -- --linux-user deploy";
        let picture = Picture::of(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let (size, drawn) = (code.width(), modules(&picture));
        assert_eq!(picture.columns(), size + 8);
        let dark = |x: usize, y: usize| drawn.get(y).is_some_and(|row| row[x]);
        for y in 0..size {
            for x in 0..size {
                let module = code[(x, y)] == qrcode::Color::Dark;
                assert_eq!(dark(x + 4, y + 4), module, "{x}, {y}");
            }
        }
        for at in 0..size + 8 {
            for edge in 0..4 {
                assert!(!dark(at, edge) && !dark(edge, at) && !dark(size + 7 - edge, at));
            }
        }
    }

    #[test]
    fn what_no_code_holds_has_no_picture() {
        assert_eq!(Picture::of(&"x".repeat(2954)), None);
    }
}
