//! Where the cursor goes, and what scrolls because of it.
use super::grid::Saved;
use super::style::Pen;
use super::terminal::State;

impl State {
    pub fn line_feed(&mut self) {
        let returns = self.modes.line_feed_returns;
        let grid = self.grid();
        if returns {
            grid.x = 0;
        }
        if grid.y == grid.bottom {
            self.scroll(false);
        } else if grid.y + 1 < grid.height() {
            grid.y += 1;
            grid.row().wrapped = false;
        }
        let grid = self.grid();
        grid.x = grid.x.min(grid.cols - 1);
    }

    pub fn index(&mut self) {
        let origin = self.modes.origin;
        let grid = self.grid();
        grid.restrict(grid.cols - 1, origin);
        if grid.y == grid.bottom {
            self.scroll(false);
        } else {
            grid.y = (grid.y + 1).min(grid.height() - 1);
        }
        let grid = self.grid();
        grid.restrict(grid.cols - 1, origin);
    }

    pub fn next_line(&mut self) {
        self.grid().x = 0;
        self.index();
    }

    pub fn reverse_index(&mut self) {
        let (origin, erased) = (self.modes.origin, self.erased());
        let grid = self.grid();
        grid.restrict(grid.cols - 1, origin);
        if grid.y == grid.top {
            grid.insert_lines(grid.top, 1, erased);
        } else {
            grid.y = grid.y.saturating_sub(1);
            grid.restrict(grid.cols - 1, origin);
        }
    }

    pub fn set_tab(&mut self) {
        let grid = self.grid();
        grid.tabs.insert(grid.x);
    }

    /// Puts the cursor to a place of the screen, or of the region in origin mode.
    pub fn go(&mut self, x: usize, y: usize) {
        let origin = self.modes.origin;
        let grid = self.grid();
        (grid.x, grid.y) = (x, if origin { grid.top + y } else { y });
        grid.restrict(grid.cols - 1, origin);
    }

    /// As xterm.js has it, a step in origin mode counts from the top of the region once more.
    pub fn step(&mut self, x: isize, y: isize) {
        let origin = self.modes.origin;
        let grid = self.grid();
        grid.restrict(grid.cols - 1, origin);
        let (x, y) = (grid.x.saturating_add_signed(x), grid.y.saturating_add_signed(y));
        self.go(x, y);
    }

    pub fn up(&mut self, count: usize) {
        let grid = self.grid();
        let room = grid.y.checked_sub(grid.top);
        self.step(0, -(room.map_or(count, |room| room.min(count)) as isize));
    }

    pub fn down(&mut self, count: usize) {
        let grid = self.grid();
        let room = grid.bottom.checked_sub(grid.y);
        self.step(0, room.map_or(count, |room| room.min(count)) as isize);
    }

    pub fn save_cursor(&mut self) {
        let (pen, charset) = (Pen { link: 0, ..self.pen }, self.charsets.current);
        let grid = self.grid();
        let (x, y) = (grid.x, grid.y);
        grid.saved = Saved { x, y, pen, charset };
    }

    pub fn restore_cursor(&mut self) {
        let origin = self.modes.origin;
        let grid = self.grid();
        let saved = grid.saved;
        (grid.x, grid.y) = (saved.x, saved.y);
        grid.restrict(grid.cols - 1, origin);
        self.pen = Pen {
            link: self.pen.link,
            ..saved.pen
        };
        self.charsets.current = saved.charset;
    }
}
