//! What DEC's private modes switch: the two screens, the mouse, and the flags of [`super::modes`].
use super::charset::Charsets;
use super::grid::{Grid, Saved};
use super::modes::{MICE, Mouse, MouseEncoding};
use super::row::Row;
use super::style::Pen;
use super::terminal::State;

impl State {
    pub fn private_mode(&mut self, number: u16, on: bool) {
        if let Some(switch) = self.modes.switch(number) {
            *switch = on;
            return;
        }
        match number {
            2 if on => {
                self.charsets = Charsets {
                    level: self.charsets.level,
                    ..Charsets::default()
                }
            }
            6 => {
                self.modes.origin = on;
                self.go(0, 0);
            }
            12 => self.modes.cursor_blink = Some(on),
            9 | 1000 | 1002 | 1003 => {
                let mouse = MICE.iter().find(|(_, mode)| *mode == number);
                self.modes.mouse = mouse.filter(|_| on).map_or(Mouse::Off, |(mouse, _)| *mouse);
            }
            1006 if on => self.modes.mouse_encoding = MouseEncoding::Sgr,
            1016 if on => self.modes.mouse_encoding = MouseEncoding::Pixels,
            1006 | 1016 => self.modes.mouse_encoding = MouseEncoding::Bytes,
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            1049 if on => {
                self.save_cursor();
                self.show_alternate();
            }
            1049 => {
                self.show_normal();
                self.restore_cursor();
            }
            47 | 1047 if on => self.show_alternate(),
            47 | 1047 => self.show_normal(),
            _ => {}
        }
    }

    /// The alternate screen starts empty, in the colours of now, with the cursor where it is.
    fn show_alternate(&mut self) {
        if self.alternate.is_some() {
            return;
        }
        let mut grid = Grid::new(self.normal.cols, self.normal.height());
        let erased = self.erased();
        grid.rows
            .iter_mut()
            .for_each(|row| *row = Row::filled(grid.cols, erased));
        (grid.x, grid.y) = (self.normal.x, self.normal.y);
        grid.saved = self.alternate_saved;
        self.alternate = Some(grid);
    }

    fn show_normal(&mut self) {
        if let Some(grid) = self.alternate.take() {
            (self.normal.x, self.normal.y) = (grid.x, grid.y);
            self.alternate_saved = grid.saved;
        }
    }

    pub fn soft_reset(&mut self) {
        self.modes = self.modes.soft_reset();
        self.pen = Pen::default();
        self.charsets = Charsets::default();
        let grid = self.grid();
        (grid.top, grid.bottom) = (0, grid.height() - 1);
        grid.saved = Saved::default();
    }
}
