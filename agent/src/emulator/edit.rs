//! What is inserted, deleted, erased and filled where the cursor is.
use super::row::Row;
use super::style::Pen;
use super::terminal::State;

impl State {
    pub fn edit_row(&mut self, edit: impl FnOnce(&mut Row, usize, usize)) {
        let origin = self.modes.origin;
        let grid = self.grid();
        grid.restrict(grid.cols - 1, origin);
        let (x, cols) = (grid.x, grid.cols);
        edit(grid.row(), x, cols);
    }

    pub fn edit_region(&mut self, edit: impl Fn(&mut Row, usize, usize)) {
        let grid = self.grid();
        if grid.is_in_region() {
            for y in grid.top..=grid.bottom {
                edit(&mut grid.rows[y], grid.x, grid.cols);
                grid.rows[y].wrapped = false;
            }
        }
    }

    pub fn erase_display(&mut self, part: u16) {
        let (origin, erased) = (self.modes.origin, self.erased());
        let is_normal = self.alternate.is_none();
        let grid = self.grid();
        grid.restrict(grid.cols, origin);
        let (x, y, cols) = (grid.x, grid.y, grid.cols);
        match part {
            0 => {
                grid.rows[y].replace(x..cols, erased, cols);
                grid.rows[y].wrapped &= x > 0;
                grid.rows
                    .range_mut(y + 1..)
                    .for_each(|row| *row = Row::filled(cols, erased));
            }
            1 => {
                grid.rows[y].replace(0..x + 1, erased, cols);
                grid.rows[y].wrapped = false;
                if x + 1 >= cols
                    && let Some(below) = grid.rows.get_mut(y + 1)
                {
                    below.wrapped = false;
                }
                grid.rows
                    .range_mut(..y)
                    .for_each(|row| *row = Row::filled(cols, erased));
            }
            2 => grid.rows.iter_mut().for_each(|row| *row = Row::filled(cols, erased)),
            3 if is_normal => self.history.clear(),
            _ => {}
        }
    }

    pub fn erase_line(&mut self, part: u16) {
        let (origin, erased) = (self.modes.origin, self.erased());
        let grid = self.grid();
        grid.restrict(grid.cols, origin);
        let (x, cols) = (grid.x, grid.cols);
        let row = grid.row();
        match part {
            0 => {
                row.replace(x..cols, erased, cols);
                row.wrapped &= x > 0;
            }
            1 => row.replace(0..x + 1, erased, cols),
            2 => {
                row.replace(0..cols, erased, cols);
                row.wrapped = false;
            }
            _ => {}
        }
    }

    pub fn fill_with_letters(&mut self) {
        let pen = Pen {
            foreground: self.pen.foreground,
            background: self.pen.background,
            flags: self.pen.flags,
            ..Pen::default()
        };
        let cell = super::cell::Cell {
            text: super::cell::Text::of('E'),
            width: 1,
            pen,
        };
        let grid = self.grid();
        let cols = grid.cols;
        grid.rows.iter_mut().for_each(|row| *row = Row::filled(cols, cell));
        self.go(0, 0);
    }
}
