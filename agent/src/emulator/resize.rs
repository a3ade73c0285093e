//! Another size: long lines are wrapped anew on the normal screen, the alternate one is cut.
use protocol::terminal::Size;

use super::cell::Cell;
use super::draw::Reader;
use super::grid::Grid;
use super::row::Row;
use super::terminal::{State, continuation, sides};

impl State {
    /// The size changes. First the rows: a screen that grows takes lines back from the history if its last line is in use;
    /// one that shrinks gives up what is below the cursor, then what is above. Then the columns.
    pub fn resize(&mut self, size: Size) {
        let (cols, rows) = sides(size);
        if let Some(grid) = &mut self.alternate {
            resize_alternate(grid, cols, rows);
        }
        self.change_rows(rows);
        if cols != self.normal.cols {
            self.rewrap(cols);
        }
        let grid = &mut self.normal;
        (grid.top, grid.bottom) = (0, rows - 1);
        grid.x = grid.x.min(cols - 1);
        grid.saved.x = grid.saved.x.min(cols - 1);
        grid.saved.y = grid.saved.y.min(rows - 1);
    }

    fn change_rows(&mut self, rows: usize) {
        while self.normal.height() < rows {
            let on_last = self.normal.y + 1 == self.normal.height();
            match on_last.then(|| self.take_back()).flatten() {
                Some(row) => self.push_front(row),
                None => self.normal.rows.push_back(Row::default()),
            }
        }
        while self.normal.height() > rows {
            if self.normal.y + 1 < self.normal.height() {
                self.normal.rows.pop_back();
            } else {
                self.give_up_front();
            }
        }
    }

    fn push_front(&mut self, row: Row) {
        let grid = &mut self.normal;
        grid.rows.push_front(row);
        grid.y += 1;
        grid.saved.y += 1;
    }

    /// The first row goes into the history.
    fn give_up_front(&mut self) {
        let next = continuation(&self.normal.rows, 1);
        if let Some(row) = self.normal.rows.pop_front() {
            self.keep(&row, next);
        }
        let grid = &mut self.normal;
        grid.y = grid.y.saturating_sub(1);
        grid.saved.y = grid.saved.y.saturating_sub(1);
    }

    /// The last row of the history.
    fn take_back(&mut self) -> Option<Row> {
        let cols = self.normal.cols;
        let (text, wrapped) = self.history.pop()?;
        let mut rows = wrap(self.read(&text), cols, wrapped);
        let last = rows.pop();
        for index in 0..rows.len() {
            let next = rows.get(index + 1).or(last.as_ref()).map(|row| row.get(0).width.max(1));
            let row = std::mem::take(&mut rows[index]);
            self.keep(&row, next);
        }
        last
    }

    fn read(&mut self, text: &[u8]) -> Vec<Cell> {
        let (normal, alternate) = (&self.normal, &self.alternate);
        let in_use: Vec<Cell> = normal
            .cells()
            .chain(alternate.iter().flat_map(Grid::cells))
            .copied()
            .collect();
        Reader::read(text, &mut self.tables, &in_use)
    }

    /// Lines that a program wrote past the margin are one line each, and are cut anew. The line of the cursor is not, as in
    /// xterm.js: its program draws it itself when it hears of the size.
    fn rewrap(&mut self, cols: usize) {
        let rows = self.normal.height();
        let old_cols = self.normal.cols;
        let had_history = !self.history.is_empty();
        // The part of the first line that scrolled away comes back.
        let before = match self.normal.rows.front().is_some_and(|row| row.wrapped) {
            true => self.history.pop(),
            false => None,
        };
        let mut lines: Vec<Row> = Vec::new();
        if let Some((text, wrapped)) = before {
            lines = wrap(self.read(&text), old_cols, wrapped);
        }
        let (y, saved_y) = (lines.len() + self.normal.y, lines.len() + self.normal.saved.y);
        lines.extend(self.normal.rows.drain(..));

        let mut done: Vec<Row> = Vec::new();
        let (mut new_y, mut new_saved_y) = (0, 0);
        let mut start = 0;
        while start < lines.len() {
            let mut end = start + 1;
            while lines.get(end).is_some_and(|row| row.wrapped) {
                end += 1;
            }
            let line = &mut lines[start..end];
            let first = done.len();
            if (start..end).contains(&y) || (line.len() == 1 && line[0].content_len() <= cols) {
                for row in line.iter_mut() {
                    row.truncate(cols);
                }
                done.extend(line.iter_mut().map(std::mem::take));
            } else {
                let wrapped = line[0].wrapped;
                done.extend(wrap(unwrap(line, old_cols), cols, wrapped));
            }
            let place = |y: usize| first + (y - start).min(done.len() - first - 1);
            if (start..end).contains(&y) {
                new_y = place(y);
            }
            if (start..end).contains(&saved_y) {
                new_saved_y = place(saved_y);
            }
            start = end;
        }

        let grid = &mut self.normal;
        grid.extend_tabs(cols);
        grid.cols = cols;
        (grid.x, grid.y, grid.saved.y) = (grid.x.min(cols - 1), new_y, new_saved_y);
        grid.rows = done.into();
        // Without a history the text stays at the top, with one it stays at the bottom.
        while self.normal.height() > rows && !had_history && self.normal.y + 1 < self.normal.height() {
            let last = self.normal.rows.back().is_some_and(|row| row.cells().is_empty());
            if !last {
                break;
            }
            self.normal.rows.pop_back();
        }
        while self.normal.height() > rows {
            self.give_up_front();
        }
        while self.normal.height() < rows {
            match self.take_back() {
                Some(row) => self.push_front(row),
                None => self.normal.rows.push_back(Row::default()),
            }
        }
    }
}

fn resize_alternate(grid: &mut Grid, cols: usize, rows: usize) {
    while grid.height() < rows {
        grid.rows.push_back(Row::default());
    }
    while grid.height() > rows {
        if grid.y + 1 < grid.height() {
            grid.rows.pop_back();
        } else {
            grid.rows.pop_front();
            grid.y = grid.y.saturating_sub(1);
        }
    }
    if cols < grid.cols {
        grid.rows.iter_mut().for_each(|row| row.truncate(cols));
    }
    grid.extend_tabs(cols);
    grid.cols = cols;
    (grid.top, grid.bottom) = (0, rows - 1);
    grid.x = grid.x.min(cols - 1);
    grid.y = grid.y.min(rows - 1);
    grid.saved.x = grid.saved.x.min(cols - 1);
    grid.saved.y = grid.saved.y.min(rows - 1);
}

/// The cells of rows that are one line.
fn unwrap(line: &[Row], cols: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (index, row) in line.iter().enumerate() {
        let len = match line.get(index + 1) {
            // A column stayed free because a wide character did not fit.
            Some(next) if next.get(0).width == 2 && row.content_len() + 1 == cols => cols - 1,
            Some(_) => cols,
            None => row.content_len(),
        };
        cells.extend((0..len).map(|x| row.get(x)));
    }
    cells
}

/// A line as rows; an empty one is one row.
fn wrap(cells: Vec<Cell>, cols: usize, wrapped: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = 0;
    while start < cells.len() || rows.is_empty() {
        let mut end = (start + cols).min(cells.len());
        if end < cells.len() && cells[end].is_second_half() && end > start + 1 {
            end -= 1;
        }
        rows.push(Row::of(cells[start..end].to_vec(), wrapped || start > 0));
        start = end;
    }
    rows
}
