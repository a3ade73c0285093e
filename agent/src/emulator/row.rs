//! A line of a screen.
use std::ops::Range;

use super::cell::Cell;

/// Cells from the left; those behind the last one are blank, so that an empty line takes no room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    cells: Vec<Cell>,
    /// Whether it goes on where the line above ended.
    pub wrapped: bool,
}

impl Row {
    /// `cols` cells like `cell`.
    pub fn filled(cols: usize, cell: Cell) -> Self {
        let mut row = Self::default();
        row.fill(0..cols, cell, cols);
        row
    }

    pub fn of(cells: Vec<Cell>, wrapped: bool) -> Self {
        Self { cells, wrapped }
    }

    /// The cells but for the blank ones at the end.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub fn get(&self, x: usize) -> Cell {
        self.cells.get(x).copied().unwrap_or(Cell::BLANK)
    }

    pub fn set(&mut self, x: usize, cell: Cell) {
        if x >= self.cells.len() {
            if cell == Cell::BLANK {
                return;
            }
            self.cells.resize(x + 1, Cell::BLANK);
        }
        self.cells[x] = cell;
    }

    /// Writes behind the last cell: most of what happens to a row. Answers whether `x` is there.
    pub fn append(&mut self, x: usize, cell: Cell, cols: usize) -> bool {
        let appends = x == self.cells.len() && x < cols;
        if appends {
            if x == 0 {
                self.cells.reserve(cols);
            }
            self.cells.push(cell);
        }
        appends
    }

    /// An empty row in the memory of this one.
    pub fn recycled(mut self) -> Self {
        self.cells.clear();
        self.wrapped = false;
        self
    }

    /// How many cells there are up to the last with something in it.
    pub fn content_len(&self) -> usize {
        let last = self.cells.iter().rposition(|cell| !cell.text.is_nothing());
        last.map_or(0, |last| last + usize::from(self.cells[last].width.max(1)))
    }

    /// Overwrites a range. A wide character that is cut in half vanishes.
    pub fn replace(&mut self, range: Range<usize>, cell: Cell, cols: usize) {
        let range = range.start.min(cols)..range.end.min(cols);
        if range.start > 0 && self.get(range.start - 1).width == 2 {
            self.set(range.start - 1, cell);
        }
        if range.end > 0 && range.end < cols && self.get(range.end - 1).width == 2 {
            self.set(range.end, cell);
        }
        self.fill(range, cell, cols);
    }

    /// Moves what stands at `x` and behind it to the right.
    pub fn insert(&mut self, x: usize, count: usize, cell: Cell, cols: usize) {
        if x >= cols {
            return;
        }
        if x > 0 && self.get(x - 1).width == 2 {
            self.set(x - 1, cell);
        }
        let count = count.min(cols - x);
        if x < self.cells.len() {
            self.cells.splice(x..x, std::iter::repeat_n(cell, count));
            self.cells.truncate(cols);
        }
        self.fill(x..x + count, cell, cols);
        if self.get(cols - 1).width == 2 {
            self.set(cols - 1, cell);
        }
    }

    /// Takes cells out; what stands behind them moves to the left.
    pub fn delete(&mut self, x: usize, count: usize, cell: Cell, cols: usize) {
        if x >= cols {
            return;
        }
        let count = count.min(cols - x);
        if x < self.cells.len() {
            self.cells.drain(x..(x + count).min(self.cells.len()));
        }
        self.fill(cols - count..cols, cell, cols);
        if x > 0 && self.get(x - 1).width == 2 {
            self.set(x - 1, cell);
        }
        if self.get(x).is_second_half() {
            self.set(x, cell);
        }
    }

    /// Cuts off what does not fit any more.
    pub fn truncate(&mut self, cols: usize) {
        self.cells.truncate(cols);
        if cols > 0 && self.get(cols - 1).width == 2 {
            self.set(cols - 1, Cell::BLANK);
        }
    }

    fn fill(&mut self, range: Range<usize>, cell: Cell, cols: usize) {
        if cell == Cell::BLANK && range.end >= cols.min(self.cells.len()) {
            self.cells.truncate(range.start);
            return;
        }
        if self.cells.len() < range.end {
            self.cells.resize(range.end, Cell::BLANK);
        }
        self.cells[range].fill(cell);
    }
}
