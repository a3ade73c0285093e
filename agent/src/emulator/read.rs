//! What a terminal shows, as text.
use super::cell::Cell;
use super::grid::Grid;
use super::terminal::Terminal;

/// Columns at the right edge that shells leave free of a line that they show only a part of.
const MARGIN: usize = 2;

/// A line of the screen, whole where it wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// All of it.
    pub text: String,
    /// What stands before the cursor.
    pub before: String,
    /// Whether it goes as far as the edge, so that there may be more of it than is shown.
    pub fills: bool,
}

impl Terminal {
    /// The lines down to the last with something on it, whole where they wrapped, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let rows = &self.state.shown().rows;
        let count = rows
            .iter()
            .rposition(|row| row.content_len() > 0)
            .map_or(0, |last| last + 1);
        let mut lines: Vec<String> = Vec::new();
        for row in rows.iter().take(count) {
            match lines.last_mut().filter(|_| row.wrapped) {
                Some(line) => line.push_str(&text(row.cells())),
                None => lines.push(text(row.cells())),
            }
        }
        for line in &mut lines {
            line.truncate(line.trim_end().len());
        }
        lines
    }

    /// The line that the cursor is in; nothing while a program has the whole screen.
    pub fn cursor_line(&self) -> Option<Line> {
        if self.state.alternate.is_some() {
            return None;
        }
        let Grid { rows, x, y, cols, .. } = &self.state.normal;
        let y = (*y).min(rows.len() - 1);
        let first = (0..=y).rev().find(|index| !rows[*index].wrapped).unwrap_or(0);
        let end = (y + 1..rows.len())
            .find(|index| !rows[*index].wrapped)
            .unwrap_or(rows.len());
        let of = |from: usize, to: usize| -> String { rows.range(from..to).map(|row| text(row.cells())).collect() };
        let left: Vec<Cell> = (0..*x.min(cols)).map(|x| rows[y].get(x)).collect();
        Some(Line {
            text: of(first, end),
            before: of(first, y) + &text(&left),
            fills: rows[end - 1].content_len() + MARGIN >= *cols,
        })
    }
}

/// What stands in some cells. One with marks on it is in a table that nobody needs here.
fn text(cells: &[Cell]) -> String {
    let char = |cell: &Cell| match cell.text.is_nothing() {
        true => ' ',
        false => cell.text.char().unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    cells.iter().filter(|cell| !cell.is_second_half()).map(char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::terminal::Size;

    fn showing(output: &str) -> Terminal {
        let mut terminal = Terminal::new(Size { cols: 10, rows: 4 });
        terminal.process(output.as_bytes());
        terminal
    }

    #[test]
    fn lines_are_whole_where_they_wrapped() {
        let terminal = showing("one  \r\n\r\n0123456789abc\x1b[41m ");
        assert_eq!(terminal.lines(), ["one", "", "0123456789abc"]);
        assert!(showing("").lines().is_empty());
    }

    #[test]
    fn the_cursors_line_is_known_with_what_stands_before_it() {
        let line = |text: &str, before: &str, fills| {
            Some(Line {
                text: text.into(),
                before: before.into(),
                fills,
            })
        };
        assert_eq!(showing("x\r\n$ ").cursor_line(), line("$ ", "$ ", false));
        assert_eq!(showing("$ ls\x1b[D\x1b[D").cursor_line(), line("$ ls", "$ ", false));
        assert_eq!(showing("$ ls\r").cursor_line(), line("$ ls", "", false));
        assert_eq!(
            showing("$ 01234567ab").cursor_line(),
            line("$ 01234567ab", "$ 01234567ab", false)
        );
        assert_eq!(showing("$ 012345").cursor_line(), line("$ 012345", "$ 012345", true));
        assert_eq!(showing("$ \x1b[?1049hvim").cursor_line(), None);
    }
}
