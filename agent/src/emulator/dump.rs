//! The state as escape sequences, for a terminal of the same size that was not there.
use super::cell::Cell;
use super::charset::{Charset, Charsets};
use super::colors::spell;
use super::draw::Brush;
use super::grid::{Grid, Saved};
use super::modes::{MouseEncoding, SWITCHES};
use super::terminal::{State, continuation};

/// Puts a terminal of any history into the state that a dump starts from: whatever sequence was begun is over, the normal
/// screen is shown, modes and colours are the usual ones, the screen is empty. What scrolled away before stays: in a
/// terminal of its own it belongs to somebody.
const RESET: &[u8] =
    b"\x18\x1b[?1049l\x1b[!p\x1b[?7h\x1b>\x1b[?45;9;1000;1002;1003;1004;1006;1016;2004;2026l\x1b[4;20l\x1b[0 q\
\x1b]8;;\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\x1b[H\x1b[2J";

impl State {
    /// See [`super::Terminal::dump`]; `history` says whether what has scrolled away is in it.
    pub fn dump(&self, history: bool) -> Vec<u8> {
        let scrolled = if history { self.history.bytes() } else { 0 };
        let mut out = Vec::with_capacity(scrolled + 64 * 1024);
        out.extend_from_slice(RESET);
        self.dump_colors(&mut out);
        self.dump_text(&mut out, history);
        self.dump_grid(&mut out, &self.normal);
        if let Some(alternate) = &self.alternate {
            // Not 1049, which would save the cursor once more; the oldest of its kind does not clear.
            out.extend_from_slice(b"\x1b[?47h\x1b[2J");
            self.dump_alternate(&mut out, alternate);
            self.dump_grid(&mut out, alternate);
        }
        self.dump_modes(&mut out);
        self.dump_cursor(&mut out);
        out
    }

    fn dump_colors(&self, out: &mut Vec<u8>) {
        for (index, color) in &self.colors.palette {
            push(out, &format!("\x1b]4;{index};{}\x1b\\", spell(*color)));
        }
        for (slot, color) in self.colors.special.iter().enumerate() {
            if let Some(color) = color {
                push(out, &format!("\x1b]{};{}\x1b\\", 10 + slot, spell(*color)));
            }
        }
        for title in self.titles.iter().chain([&self.title]).enumerate() {
            let (index, title) = title;
            if !title.is_empty() || index > 0 && !self.titles.is_empty() {
                out.extend_from_slice(b"\x1b]2;");
                out.extend_from_slice(title);
                out.extend_from_slice(b"\x1b\\");
            }
            if index < self.titles.len() {
                out.extend_from_slice(b"\x1b[22;2t");
            }
        }
    }

    /// What scrolled away and the normal screen, line after line. Only a line that is over is followed by a line feed: the
    /// others wrap by themselves, and so the viewer knows them for one.
    fn dump_text(&self, out: &mut Vec<u8>, history: bool) {
        let mut first = true;
        for line in self.history.lines().filter(|_| history) {
            if !first && !line.wrapped {
                out.extend_from_slice(b"\r\n");
            }
            first = false;
            out.extend_from_slice(&line.text);
        }
        for (y, row) in self.normal.rows.iter().enumerate() {
            if !first && !row.wrapped {
                out.extend_from_slice(b"\r\n");
            }
            first = false;
            let next = continuation(&self.normal.rows, y + 1);
            Brush::exact(out, &self.tables).row(row, next, self.normal.cols);
            // A line that wraps and holds nothing yet still is there.
            if row.wrapped && row.content_len() == 0 && next.is_none() {
                out.extend_from_slice(b" \x1b[D\x1b[X");
            }
        }
    }

    fn dump_alternate(&self, out: &mut Vec<u8>, grid: &Grid) {
        for (y, row) in grid.rows.iter().enumerate() {
            if !row.cells().is_empty() {
                push(out, &format!("\x1b[{}H", y + 1));
                Brush::exact(out, &self.tables).row(row, None, grid.cols);
            }
        }
    }

    /// Tab stops, saved cursor and region of a screen. Leaves the cursor anywhere.
    fn dump_grid(&self, out: &mut Vec<u8>, grid: &Grid) {
        if !grid.has_usual_tabs() {
            push(out, "\x1b[3g");
            for x in grid.tabs.iter().filter(|x| **x < grid.cols) {
                push(out, &format!("\x1b[{}G\x1bH", x + 1));
            }
        }
        let saved = grid.saved;
        if saved != Saved::default() {
            self.dump_place(out, grid, saved.x, saved.y);
            let mut brush = Brush::new(out, &self.tables);
            brush.dip(saved.pen);
            push(out, &format!("\x1b({}\x1b7\x1b(B\x1b[m", saved.charset.name()));
        }
        if (grid.top, grid.bottom) != (0, grid.height() - 1) {
            push(out, &format!("\x1b[{};{}r", grid.top + 1, grid.bottom + 1));
        }
    }

    /// Puts the cursor to a place of the whole screen.
    fn dump_place(&self, out: &mut Vec<u8>, grid: &Grid, x: usize, y: usize) {
        push(out, &format!("\x1b[{};{}H", y + 1, x.min(grid.cols - 1) + 1));
        if x < grid.cols {
            return;
        }
        // Behind the last column: only a character that is written there brings the cursor to where the next one wraps.
        let Some(row) = grid.rows.get(y) else { return };
        let mut cell = row.get(grid.cols - 1);
        if cell.is_second_half() && grid.cols > 1 {
            push(out, "\x1b[D");
            cell = row.get(grid.cols - 2);
        }
        let mut brush = Brush::new(out, &self.tables);
        brush.cell(cell);
        brush.dip(Cell::BLANK.pen);
    }

    fn dump_modes(&self, out: &mut Vec<u8>) {
        let (usual, mut modes) = (super::modes::Modes::default(), self.modes);
        for number in SWITCHES {
            let mut usual = usual;
            if let (Some(on), Some(usually)) = (modes.switch(number), usual.switch(number))
                && on != usually
            {
                match number {
                    // The last of all: what is drawn after it would wait.
                    2026 => {}
                    // The older name of the same, which all terminals know.
                    66 => push(out, "\x1b="),
                    _ => push(out, &format!("\x1b[?{number}{}", if *on { 'h' } else { 'l' })),
                }
            }
        }
        if modes.line_feed_returns {
            push(out, "\x1b[20h");
        }
        if let Some(number) = modes.mouse_number() {
            push(out, &format!("\x1b[?{number}h"));
        }
        match modes.mouse_encoding {
            MouseEncoding::Bytes => {}
            MouseEncoding::Sgr => push(out, "\x1b[?1006h"),
            MouseEncoding::Pixels => push(out, "\x1b[?1016h"),
        }
        if modes.cursor_style != 0 {
            push(out, &format!("\x1b[{} q", modes.cursor_style));
        }
        if let Some(blinks) = modes.cursor_blink {
            push(out, if blinks { "\x1b[?12h" } else { "\x1b[?12l" });
        }
    }

    fn dump_cursor(&self, out: &mut Vec<u8>) {
        let grid = self.shown();
        if self.modes.origin {
            // It counts from the region from now on, and the cursor is in it.
            push(out, "\x1b[?6h");
            self.dump_place(out, grid, grid.x, grid.y.saturating_sub(grid.top));
            if grid.x >= grid.cols {
                self.dump_last_column(out, grid);
            }
        } else {
            self.dump_place(out, grid, grid.x, grid.y);
        }
        if self.modes.insert {
            push(out, "\x1b[4h");
        }
        dump_charsets(out, &self.charsets);
        Brush::new(out, &self.tables).dip(self.pen);
        if self.modes.synchronized {
            push(out, "\x1b[?2026h");
        }
    }

    fn dump_last_column(&self, out: &mut Vec<u8>, grid: &Grid) {
        push(out, &format!("\x1b[{}G", grid.cols));
        let mut brush = Brush::new(out, &self.tables);
        brush.cell(grid.rows.get(grid.y).map_or(Cell::BLANK, |row| row.get(grid.cols - 1)));
        brush.dip(Cell::BLANK.pen);
    }
}

fn dump_charsets(out: &mut Vec<u8>, charsets: &Charsets) {
    for (slot, charset) in charsets.designated.into_iter().enumerate() {
        if charset != Charset::Ascii {
            push(out, &format!("\x1b{}{}", ['(', ')', '*', '+'][slot], charset.name()));
        }
    }
    push(out, ["", "\x0e", "\x1bn", "\x1bo"][charsets.level.min(3)]);
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
