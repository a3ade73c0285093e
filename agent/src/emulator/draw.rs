//! A row as the text that draws it, and back.
use super::cell::{Cell, Text};
use super::row::Row;
use super::style::Pen;
use super::table::Table;

/// A hyperlink: what stands between the semicolons of OSC 8, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    pub parameters: Box<[u8]>,
    pub uri: Box<[u8]>,
}

/// What cells refer to.
#[derive(Debug, Default)]
pub struct Tables {
    pub links: Table<Link>,
    /// Characters with their combining marks.
    pub marked: Table<Box<str>>,
}

/// Writes rows, and remembers how the pen was left.
pub struct Brush<'a> {
    pub out: &'a mut Vec<u8>,
    tables: &'a Tables,
    pen: Pen,
    exact: bool,
}

impl<'a> Brush<'a> {
    /// A brush for a terminal whose pen is plain.
    pub fn new(out: &'a mut Vec<u8>, tables: &'a Tables) -> Self {
        Self {
            out,
            tables,
            pen: Pen::default(),
            exact: false,
        }
    }

    /// One that leaves empty what was never written to. Spaces look the same, and are wrapped like text in a terminal that
    /// is narrower; so they are for what scrolled away.
    pub fn exact(out: &'a mut Vec<u8>, tables: &'a Tables) -> Self {
        Self {
            exact: true,
            ..Self::new(out, tables)
        }
    }

    /// Changes the pen.
    pub fn dip(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        if pen.link != self.pen.link {
            self.out.extend_from_slice(b"\x1b]8;");
            match self.tables.links.get(pen.link) {
                Some(link) => {
                    self.out.extend_from_slice(&link.parameters);
                    self.out.push(b';');
                    self.out.extend_from_slice(&link.uri);
                }
                None => self.out.push(b';'),
            }
            self.out.extend_from_slice(b"\x1b\\");
        }
        let rendition = |pen: Pen| Pen { link: 0, ..pen };
        if rendition(pen) != rendition(self.pen) {
            let parameters = pen.parameters();
            self.out.extend_from_slice(b"\x1b[");
            if parameters != "0" {
                self.out.extend_from_slice(parameters.as_bytes());
            }
            self.out.push(b'm');
        }
        self.pen = pen;
    }

    /// Draws a cell where the cursor is. One that was never written to looks like a space.
    pub fn cell(&mut self, cell: Cell) {
        if cell.is_second_half() {
            return;
        }
        self.dip(cell.pen);
        match (cell.text.char(), cell.text.mark()) {
            (Some(char), _) if char.is_ascii() => self.out.push(char as u8),
            (Some(char), _) => {
                let mut bytes = [0; 4];
                self.out.extend_from_slice(char.encode_utf8(&mut bytes).as_bytes());
            }
            (None, Some(mark)) => {
                let text = self.tables.marked.get(mark).map_or(" ", |text| text);
                self.out.extend_from_slice(text.as_bytes());
            }
            (None, None) => self.out.push(b' '),
        }
    }

    /// Draws a row from its first column on and leaves the pen plain. The next line goes on where it ends if `next` says so,
    /// with the width of its first character.
    pub fn row(&mut self, row: &Row, next: Option<u8>, cols: usize) {
        let cells = row.cells();
        let len = match next {
            // A wide character that did not fit leaves a column free, and will again.
            Some(width) if row.content_len() + usize::from(width) > cols => row.content_len(),
            Some(_) => cols,
            None => row.content_len(),
        };
        if self.exact && next.is_none() && !row.wrapped {
            let is_empty = |cell: &Cell| cell.text.is_nothing() && cell.width == 1;
            for run in cells[..len].chunk_by(|a, b| is_empty(a) == is_empty(b)) {
                if is_empty(&run[0]) {
                    self.empty(run, true);
                } else {
                    run.iter().for_each(|cell| self.cell(*cell));
                }
            }
        } else {
            (0..len).for_each(|x| self.cell(row.get(x)));
        }
        if next.is_none() {
            self.empty(cells.get(len..).unwrap_or_default(), false);
        }
        self.dip(Pen::default());
    }

    /// Empty cells, which may have a background. The cursor goes behind them if there is more.
    fn empty(&mut self, cells: &[Cell], more: bool) {
        let mut cells = cells.chunk_by(|a, b| a.pen.background == b.pen.background).peekable();
        while let Some(alike) = cells.next() {
            self.dip(alike[0].pen.erasing());
            self.out.extend_from_slice(format!("\x1b[{}X", alike.len()).as_bytes());
            if more || cells.peek().is_some() {
                self.out.extend_from_slice(format!("\x1b[{}C", alike.len()).as_bytes());
            }
        }
    }
}

/// Reads what a [`Brush`] wrote of a line.
pub struct Reader<'a> {
    pub cells: Vec<Cell>,
    pub tables: &'a mut Tables,
    /// The links and marks that are in use elsewhere.
    pub in_use: &'a [Cell],
    pen: Pen,
}

impl<'a> Reader<'a> {
    pub fn read(text: &[u8], tables: &'a mut Tables, in_use: &'a [Cell]) -> Vec<Cell> {
        let mut reader = Self {
            cells: Vec::new(),
            tables,
            in_use,
            pen: Pen::default(),
        };
        vte::Parser::<{ super::terminal::LONGEST_STRING }>::default().advance(&mut reader, text);
        reader.cells
    }
}

impl vte::Perform for Reader<'_> {
    fn print(&mut self, char: char) {
        let width = super::terminal::width(char);
        if width == 0 {
            let last = self.cells.iter_mut().rfind(|cell| !cell.is_second_half());
            if let Some(cell) = last {
                let in_use = self.in_use.iter().filter_map(|cell| cell.text.mark());
                cell.text = join(&mut self.tables.marked, cell.text, char, || in_use);
            }
            return;
        }
        self.cells.push(Cell {
            text: Text::of(char),
            width,
            pen: self.pen,
        });
        if width == 2 {
            self.cells.push(Cell {
                text: Text::NOTHING,
                width: 0,
                pen: self.pen,
            });
        }
    }

    fn csi_dispatch(&mut self, parameters: &vte::Params, _: &[u8], _: bool, action: char) {
        match action {
            'm' => self.pen.select(parameters),
            'X' => {
                let count = parameters
                    .iter()
                    .next()
                    .and_then(|parameter| parameter.first())
                    .copied();
                let count = usize::from(count.unwrap_or(1));
                self.cells.extend(std::iter::repeat_n(Cell::empty(self.pen), count));
            }
            // What stands after the erased cells that were read.
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, parts: &[&[u8]], _: bool) {
        let in_use = self.in_use.iter().chain(&self.cells).map(|cell| cell.pen.link);
        self.pen.link = link(&mut self.tables.links, parts, || in_use).unwrap_or(0);
    }
}

/// The number of the link that OSC 8 opens, and 0 for the end of one. Nothing if it is not OSC 8.
pub fn link<I: Iterator<Item = u16>>(
    links: &mut Table<Link>,
    parts: &[&[u8]],
    in_use: impl FnOnce() -> I,
) -> Option<u16> {
    let [b"8", parameters, uri @ ..] = parts else {
        return None;
    };
    let link = Link {
        parameters: (*parameters).into(),
        uri: uri.join(&b';').into(),
    };
    if link.uri.is_empty() {
        return Some(0);
    }
    Some(links.number(link, in_use).unwrap_or(0))
}

/// A text with one more combining mark.
pub fn join<I: Iterator<Item = u16>>(
    marked: &mut Table<Box<str>>,
    text: Text,
    mark: char,
    in_use: impl FnOnce() -> I,
) -> Text {
    /// Marks beyond those of any script, as in text that is made to run over its neighbours, are left out.
    const LONGEST: usize = 64;
    let mut whole = match (text.char(), text.mark()) {
        (Some(char), _) => char.to_string(),
        (None, Some(number)) => marked.get(number).map(|text| text.to_string()).unwrap_or_default(),
        (None, None) => String::new(),
    };
    if whole.len() >= LONGEST {
        return text;
    }
    whole.push(mark);
    marked.number(whole.into(), in_use).map_or(text, Text::marked)
}
