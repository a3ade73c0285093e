//! The terminal as a whole: two screens and what they share.
use protocol::terminal::Size;
use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Text};
use super::charset::{Charset, Charsets};
use super::colors::Colors;
use super::draw::{Brush, Tables, join};
use super::grid::{Grid, Saved};
use super::history::History;
use super::modes::Modes;
use super::perform::Performer;
use super::row::Row;
use super::style::Pen;
use super::syntax::Syntax;

/// The longest text within a sequence that is understood, such as a title or the target of a link; of a longer one the
/// beginning is.
pub const LONGEST_STRING: usize = 4096;

/// A terminal.
pub struct Terminal {
    parser: vte::Parser<LONGEST_STRING>,
    syntax: Syntax,
    /// The beginning of a character.
    held: Vec<u8>,
    pub(super) state: State,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("size", &self.state.size())
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// An empty terminal.
    pub fn new(size: Size) -> Self {
        Self {
            parser: vte::Parser::default(),
            syntax: Syntax::default(),
            held: Vec::new(),
            state: State::new(size),
        }
    }

    /// Obeys a piece of output.
    pub fn process(&mut self, output: &[u8]) {
        self.syntax.advance(output);
        let joined;
        let output = if self.held.is_empty() {
            output
        } else {
            joined = [&self.held, output].concat();
            &joined
        };
        // The parser, vte 0.15, loses the character after one that comes in two parts, if that is the last of its part but one.
        let (whole, part) = output.split_at(output.len() - self.syntax.unfinished_character().len());
        self.held = part.to_vec();
        self.parser.advance(&mut Performer(&mut self.state), whole);
    }

    /// The size changes.
    pub fn resize(&mut self, size: Size) {
        self.state.resize(size);
    }

    /// The title that programs have set.
    pub fn title(&self) -> String {
        String::from_utf8_lossy(&self.state.title).into_owned()
    }

    /// The size.
    pub fn size(&self) -> Size {
        self.state.size()
    }

    /// The escape sequences that put a terminal of this size into this state, whatever it showed before.
    pub fn dump(&self) -> Vec<u8> {
        let mut dump = self.state.dump(true);
        // The output may pause inside a sequence; its rest must find its beginning.
        dump.extend_from_slice(self.syntax.unfinished());
        dump
    }

    /// The same without what has scrolled away. Nothing in the middle of a sequence or a character.
    pub fn dump_screen(&self) -> Option<Vec<u8>> {
        self.syntax.unfinished().is_empty().then(|| self.state.dump(false))
    }

    /// What this terminal answers to a question, given as the whole sequence.
    pub fn answer(&self, question: &[u8]) -> Vec<u8> {
        self.state.answer(question)
    }
}

/// Everything but the parser, which obeys into it.
#[derive(Debug)]
pub struct State {
    pub normal: Grid,
    /// The alternate screen, while it is shown.
    pub alternate: Option<Grid>,
    /// What the alternate screen keeps while it is not shown.
    pub alternate_saved: Saved,
    pub history: History,
    pub pen: Pen,
    pub charsets: Charsets,
    pub modes: Modes,
    pub colors: Colors,
    pub title: Vec<u8>,
    pub titles: Vec<Vec<u8>>,
    pub tables: Tables,
    /// The last character, while nothing but marks of it has followed.
    pub last: Option<char>,
    scratch: Vec<u8>,
}

impl State {
    fn new(size: Size) -> Self {
        let (cols, rows) = sides(size);
        Self {
            normal: Grid::new(cols, rows),
            alternate: None,
            alternate_saved: Saved::default(),
            history: History::default(),
            pen: Pen::default(),
            charsets: Charsets::default(),
            modes: Modes::default(),
            colors: Colors::default(),
            title: Vec::new(),
            titles: Vec::new(),
            tables: Tables::default(),
            last: None,
            scratch: Vec::new(),
        }
    }

    pub fn size(&self) -> Size {
        let side = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Size {
            cols: side(self.normal.cols),
            rows: side(self.normal.height()),
        }
    }

    /// The screen that is shown.
    pub fn grid(&mut self) -> &mut Grid {
        self.alternate.as_mut().unwrap_or(&mut self.normal)
    }

    pub fn shown(&self) -> &Grid {
        self.alternate.as_ref().unwrap_or(&self.normal)
    }

    /// What erasing leaves.
    pub fn erased(&self) -> Cell {
        Cell::empty(self.pen.erasing())
    }

    /// "Reset to initial state". The title and what counts as the terminal's own settings stay.
    pub fn reset(&mut self) {
        let title = std::mem::take(&mut self.title);
        let (cursor_blink, line_feed_returns) = (self.modes.cursor_blink, self.modes.line_feed_returns);
        *self = Self {
            title,
            ..Self::new(self.size())
        };
        self.modes.cursor_blink = cursor_blink;
        self.modes.line_feed_returns = line_feed_returns;
    }

    /// The region moves up by a line; the first line of the normal screen goes into the history.
    pub fn scroll(&mut self, wrapped: bool) {
        let cell = self.erased();
        if let Some(grid) = &mut self.alternate {
            return grid.scroll(cell, wrapped, |_| {});
        }
        let grid = &mut self.normal;
        let next = if grid.height() == 1 && wrapped {
            Some(1)
        } else {
            continuation(&grid.rows, 1)
        };
        // The saved cursor stays with the text, as it does in xterm.js until the oldest lines go.
        if grid.top == 0 && !self.history.is_full() {
            grid.saved.y = grid.saved.y.saturating_sub(1);
        }
        let (cols, text, tables, history) = (grid.cols, &mut self.scratch, &self.tables, &mut self.history);
        grid.scroll(cell, wrapped, |row| keep(history, text, tables, row, next, cols));
    }

    /// Puts a row at the end of the history. `next` is as for [`Brush::row`].
    pub fn keep(&mut self, row: &Row, next: Option<u8>) {
        let cols = self.normal.cols;
        keep(&mut self.history, &mut self.scratch, &self.tables, row, next, cols);
    }

    pub fn print(&mut self, char: char) {
        // Plain text at the end of a line, which is nearly all there is.
        if char.is_ascii() && self.charsets.current == Charset::Ascii && !self.modes.insert {
            let pen = self.pen;
            let grid = self.alternate.as_mut().unwrap_or(&mut self.normal);
            let (x, cols) = (grid.x, grid.cols);
            let text = Text::of(char);
            if grid.row().append(x, Cell { text, width: 1, pen }, cols) {
                grid.x += 1;
                self.last = Some(char);
                return;
            }
        }
        let char = if char.is_ascii() {
            self.charsets.current.glyph(char)
        } else {
            char
        };
        let width = width(char);
        if width == 0 {
            return self.add_mark(char);
        }
        self.last = Some(char);
        let (wraparound, insert, pen) = (self.modes.wraparound, self.modes.insert, self.pen);
        let wide = usize::from(width);
        let grid = self.grid();
        let cols = grid.cols;
        if wide > cols {
            return;
        }
        if grid.x + wide > cols {
            if wraparound {
                self.wrap();
            } else {
                grid.x = cols - 1;
                if wide == 2 {
                    return;
                }
            }
        }
        let empty = Cell::empty(pen);
        let grid = self.grid();
        let x = grid.x;
        grid.x += wide;
        let row = grid.row();
        if x > 0 && row.get(x).is_second_half() && row.get(x - 1).width == 2 {
            row.set(x - 1, empty);
        }
        if insert {
            row.insert(x, wide, empty, cols);
        }
        let text = Text::of(char);
        row.set(x, Cell { text, width, pen });
        if wide == 2 {
            let text = Text::NOTHING;
            row.set(x + 1, Cell { text, width: 0, pen });
        }
        if row.get(x + wide).is_second_half() {
            row.set(x + wide, empty);
        }
    }

    /// The line is full: the text goes on in the next one.
    fn wrap(&mut self) {
        let empty = Cell::empty(self.pen);
        let grid = self.grid();
        for x in grid.x..grid.cols {
            grid.row().set(x, empty);
        }
        grid.x = 0;
        if grid.y == grid.bottom {
            self.scroll(true);
        } else {
            grid.y = (grid.y + 1).min(grid.height() - 1);
            grid.row().wrapped = true;
        }
    }

    /// A mark belongs to the character before it, and to none if something else came between.
    fn add_mark(&mut self, mark: char) {
        if self.last.is_none() {
            return;
        }
        let Some(before) = self.grid().x.checked_sub(1) else {
            return;
        };
        let row = self.grid().row();
        let x = if row.get(before).width == 0 {
            before.saturating_sub(1)
        } else {
            before
        };
        let mut cell = row.get(x);
        let (normal, alternate) = (&self.normal, &self.alternate);
        let cells = normal.cells().chain(alternate.iter().flat_map(Grid::cells));
        let in_use = cells.filter_map(|cell| cell.text.mark());
        cell.text = join(&mut self.tables.marked, cell.text, mark, || in_use);
        self.grid().row().set(x, cell);
    }
}

fn keep(history: &mut History, text: &mut Vec<u8>, tables: &Tables, row: &Row, next: Option<u8>, cols: usize) {
    text.clear();
    Brush::new(text, tables).row(row, next, cols);
    history.push(text, row.wrapped);
}

/// Whether the row at `index` goes on from the one above: the width of its first character then.
pub fn continuation(rows: &std::collections::VecDeque<Row>, index: usize) -> Option<u8> {
    let row = rows.get(index).filter(|row| row.wrapped)?;
    Some(row.get(0).width.max(1))
}

/// How many columns a character takes.
pub fn width(char: char) -> u8 {
    if char.is_ascii() {
        return 1;
    }
    u8::try_from(char.width().unwrap_or(0).min(2)).unwrap_or(1)
}

/// Never without a row or column.
pub fn sides(size: Size) -> (usize, usize) {
    (usize::from(size.cols.max(1)), usize::from(size.rows.max(1)))
}
