//! One of the two screens: its rows, cursor, scroll region, tab stops and saved cursor.
use std::collections::{BTreeSet, VecDeque};

use super::cell::Cell;
use super::charset::Charset;
use super::row::Row;
use super::style::Pen;

/// Columns between two tab stops that nobody set.
const TAB: usize = 8;

/// What "save cursor" keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saved {
    pub x: usize,
    pub y: usize,
    pub pen: Pen,
    pub charset: Charset,
}

/// A screen.
#[derive(Debug, Clone)]
pub struct Grid {
    pub rows: VecDeque<Row>,
    pub cols: usize,
    /// The cursor. `x` is `cols` when the next character goes to the next line.
    pub x: usize,
    pub y: usize,
    /// The scroll region, both inclusive.
    pub top: usize,
    pub bottom: usize,
    pub tabs: BTreeSet<usize>,
    pub saved: Saved,
}

impl Grid {
    pub fn new(cols: usize, rows: usize) -> Self {
        Self {
            rows: std::iter::repeat_n(Row::default(), rows).collect(),
            cols,
            x: 0,
            y: 0,
            top: 0,
            bottom: rows - 1,
            tabs: (0..cols).step_by(TAB).collect(),
            saved: Saved::default(),
        }
    }

    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// The cursor's row.
    pub fn row(&mut self) -> &mut Row {
        let y = self.y.min(self.rows.len() - 1);
        &mut self.rows[y]
    }

    /// The region moves up by a line; `keep` gets the line that leaves it, if that is the first of the screen.
    pub fn scroll(&mut self, cell: Cell, wrapped: bool, keep: impl FnOnce(&Row)) {
        let Some(left) = self.rows.remove(self.top) else { return };
        if self.top == 0 {
            keep(&left);
        }
        let mut row = if cell == Cell::BLANK {
            left.recycled()
        } else {
            Row::filled(self.cols, cell)
        };
        row.wrapped = wrapped;
        self.rows.insert(self.bottom, row);
    }

    /// Puts empty lines at `y`; what is pushed out of the region at its end is lost.
    pub fn insert_lines(&mut self, y: usize, count: usize, cell: Cell) {
        for _ in 0..count.min(self.bottom + 1 - y) {
            self.rows.remove(self.bottom);
            self.rows.insert(y, Row::filled(self.cols, cell));
        }
    }

    /// Takes lines out at `y`; empty ones come in at the end of the region.
    pub fn delete_lines(&mut self, y: usize, count: usize, cell: Cell) {
        for _ in 0..count.min(self.bottom + 1 - y) {
            self.rows.remove(y);
            self.rows.insert(self.bottom, Row::filled(self.cols, cell));
        }
    }

    /// Brings the cursor back onto the screen, or into the region. `most` is the last column.
    pub fn restrict(&mut self, most: usize, origin: bool) {
        self.x = self.x.min(most);
        self.y = if origin {
            self.y.clamp(self.top, self.bottom)
        } else {
            self.y.min(self.rows.len() - 1)
        };
    }

    pub fn is_in_region(&self) -> bool {
        (self.top..=self.bottom).contains(&self.y)
    }

    pub fn next_tab(&self) -> usize {
        let next = self.tabs.range(self.x + 1..self.cols).next();
        next.copied().unwrap_or(self.cols - 1)
    }

    pub fn previous_tab(&self) -> usize {
        self.tabs.range(..self.x).next_back().copied().unwrap_or(0)
    }

    /// Whether the tab stops are those that nobody set.
    pub fn has_usual_tabs(&self) -> bool {
        self.tabs
            .iter()
            .copied()
            .filter(|x| *x < self.cols)
            .eq((0..self.cols).step_by(TAB))
    }

    /// Tab stops for columns that come in at the right.
    pub fn extend_tabs(&mut self, cols: usize) {
        let last = self.tabs.range(..cols).next_back().copied().unwrap_or(0);
        self.tabs.extend((last..cols).step_by(TAB));
    }

    /// The links of its cells and of its saved pen.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(|row| row.cells())
    }
}
