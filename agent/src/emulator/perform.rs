//! What each control character and sequence does, as in xterm.js.
use vte::{Params, Perform};

use super::charset::Charset;
use super::colors::{self, Colors};
use super::draw::link;
use super::grid::Grid;
use super::terminal::State;

/// Titles that a program can put away, as in xterm.js.
const TITLES: usize = 10;

/// Obeys what the parser finds.
pub struct Performer<'a>(pub &'a mut State);

impl Perform for Performer<'_> {
    fn print(&mut self, char: char) {
        self.0.print(char);
    }

    fn execute(&mut self, byte: u8) {
        let state = &mut *self.0;
        state.last = None;
        let reverse = state.modes.reverse_wraparound;
        let origin = state.modes.origin;
        match byte {
            0x08 => {
                let grid = state.grid();
                grid.restrict(if reverse { grid.cols } else { grid.cols - 1 }, origin);
                if grid.x > 0 {
                    grid.x -= 1;
                } else if reverse && grid.y > grid.top && grid.y <= grid.bottom && grid.row().wrapped {
                    grid.row().wrapped = false;
                    grid.y -= 1;
                    grid.x = grid.cols - 1;
                }
            }
            0x09 => {
                let grid = state.grid();
                if grid.x < grid.cols {
                    grid.x = grid.next_tab();
                }
            }
            0x0a..=0x0c => state.line_feed(),
            0x0d => state.grid().x = 0,
            0x0e => state.charsets.shift(1),
            0x0f => state.charsets.shift(0),
            0x84 => state.index(),
            0x85 => state.next_line(),
            0x88 => state.set_tab(),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        let state = &mut *self.0;
        state.last = None;
        match (intermediates, byte) {
            ([], b'7') => state.save_cursor(),
            ([], b'8') => state.restore_cursor(),
            ([], b'D') => state.index(),
            ([], b'E') => state.next_line(),
            ([], b'H') => state.set_tab(),
            ([], b'M') => state.reverse_index(),
            ([], b'=') => state.modes.application_keypad = true,
            ([], b'>') => state.modes.application_keypad = false,
            ([], b'c') => state.reset(),
            ([], b'n' | b'}') => state.charsets.shift(2),
            ([], b'o' | b'|') => state.charsets.shift(3),
            ([], b'~') => state.charsets.shift(1),
            ([b'#'], b'8') => state.fill_with_letters(),
            ([b'%'], b'@' | b'G') => {
                state.charsets.shift(0);
                state.charsets.designate(0, Charset::Ascii);
            }
            ([slot @ (b'(' | b')' | b'*' | b'+')], name) => {
                state.charsets.designate(usize::from(slot - b'('), Charset::named(name));
            }
            ([slot @ (b'-' | b'.')], name) => {
                state
                    .charsets
                    .designate(usize::from(slot - b'-') + 1, Charset::named(name));
            }
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, intermediates: &[u8], _: bool, action: char) {
        let state = &mut *self.0;
        let last = state.last.take();
        let number = |index: usize| {
            let parameter = parameters.iter().nth(index);
            parameter.and_then(|values| values.first()).copied().unwrap_or(0)
        };
        // Most counts and places: nothing and 0 mean 1.
        let count = |index: usize| usize::from(number(index).max(1));
        let origin = state.modes.origin;
        let erased = state.erased();
        match (intermediates, action) {
            ([], '@') => state.edit_row(|row, x, cols| row.insert(x, count(0), erased, cols)),
            ([], 'P') => state.edit_row(|row, x, cols| row.delete(x, count(0), erased, cols)),
            ([], 'X') => state.edit_row(|row, x, cols| row.replace(x..x + count(0), erased, cols)),
            ([b' '], '@') => state.edit_region(|row, _, cols| row.delete(0, count(0), erased, cols)),
            ([b' '], 'A') => state.edit_region(|row, _, cols| row.insert(0, count(0), erased, cols)),
            ([b'\''], '}') => state.edit_region(|row, x, cols| row.insert(x, count(0), erased, cols)),
            ([b'\''], '~') => state.edit_region(|row, x, cols| row.delete(x, count(0), erased, cols)),
            ([], 'A') => state.up(count(0)),
            ([], 'B') => state.down(count(0)),
            ([], 'C' | 'a') => state.step(count(0) as isize, 0),
            ([], 'D') => state.step(-(count(0) as isize), 0),
            ([], 'E') => {
                state.down(count(0));
                state.grid().x = 0;
            }
            ([], 'F') => {
                state.up(count(0));
                state.grid().x = 0;
            }
            ([], 'G' | '`') => {
                let y = state.grid().y;
                state.go(count(0) - 1, y);
            }
            ([], 'H' | 'f') => state.go(count(1) - 1, count(0) - 1),
            ([], 'd') => {
                let x = state.grid().x;
                state.go(x, count(0) - 1);
            }
            ([], 'e') => state.step(0, count(0) as isize),
            ([], 'I') => {
                let grid = state.grid();
                for _ in 0..count(0).min(grid.cols) {
                    if grid.x < grid.cols {
                        grid.x = grid.next_tab();
                    }
                }
            }
            ([], 'Z') => {
                let grid = state.grid();
                for _ in 0..count(0).min(grid.cols) {
                    if grid.x < grid.cols {
                        grid.x = grid.previous_tab();
                    }
                }
            }
            ([] | [b'?'], 'J') => state.erase_display(number(0)),
            ([] | [b'?'], 'K') => state.erase_line(number(0)),
            ([], 'L' | 'M') => {
                let grid = state.grid();
                grid.restrict(grid.cols - 1, origin);
                if grid.is_in_region() {
                    match action {
                        'L' => grid.insert_lines(grid.y, count(0), erased),
                        _ => grid.delete_lines(grid.y, count(0), erased),
                    }
                    grid.x = 0;
                }
            }
            ([], 'S') => {
                let grid = state.grid();
                grid.delete_lines(grid.top, count(0), erased);
            }
            ([], 'T') => {
                let grid = state.grid();
                grid.insert_lines(grid.top, count(0), super::cell::Cell::BLANK);
            }
            ([], 'b') => {
                if let Some(char) = last {
                    let most = state.size();
                    let most = usize::from(most.cols) * usize::from(most.rows);
                    (0..count(0).min(most)).for_each(|_| state.print(char));
                    state.last = None;
                }
            }
            ([], 'g') => {
                let grid = state.grid();
                match number(0) {
                    0 => {
                        grid.tabs.remove(&grid.x);
                    }
                    3 => grid.tabs.clear(),
                    _ => {}
                }
            }
            ([], 'h' | 'l') => {
                for parameter in parameters {
                    match parameter.first() {
                        Some(4) => state.modes.insert = action == 'h',
                        Some(20) => state.modes.line_feed_returns = action == 'h',
                        _ => {}
                    }
                }
            }
            ([b'?'], 'h' | 'l') => {
                for parameter in parameters {
                    state.private_mode(parameter.first().copied().unwrap_or(0), action == 'h');
                }
            }
            ([], 'm') => state.pen.select(parameters),
            ([b'!'], 'p') => state.soft_reset(),
            ([b' '], 'q') => state.modes.cursor_style = if parameters.is_empty() { 1 } else { number(0) },
            ([], 'r') => {
                let rows = state.grid().height();
                let bottom = match usize::from(number(1)) {
                    0 => rows,
                    bottom => bottom.min(rows),
                };
                if bottom > count(0) {
                    let grid = state.grid();
                    (grid.top, grid.bottom) = (count(0) - 1, bottom - 1);
                    state.go(0, 0);
                }
            }
            ([], 's') => state.save_cursor(),
            ([], 'u') => state.restore_cursor(),
            ([], 't') if matches!(number(1), 0 | 2) => match number(0) {
                22 => {
                    state.titles.push(state.title.clone());
                    if state.titles.len() > TITLES {
                        state.titles.remove(0);
                    }
                }
                23 => {
                    if let Some(title) = state.titles.pop() {
                        state.title = title;
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, _: char) {
        self.0.last = None;
    }

    fn osc_dispatch(&mut self, parts: &[&[u8]], _: bool) {
        let state = &mut *self.0;
        state.last = None;
        let colors = &mut state.colors;
        match parts {
            [b"0" | b"2", title @ ..] => state.title = title.join(&b';'),
            [b"4", pairs @ ..] => {
                for pair in pairs.chunks_exact(2) {
                    if let (Some(index), Some(color)) = (index(pair[0]), colors::parse(pair[1])) {
                        colors.palette.insert(index, color);
                    }
                }
            }
            [b"8", ..] => {
                let (normal, alternate) = (&state.normal, &state.alternate);
                let cells = normal.cells().chain(alternate.iter().flat_map(Grid::cells));
                let in_use = cells.map(|cell| cell.pen.link);
                if let Some(link) = link(&mut state.tables.links, parts, || in_use) {
                    state.pen.link = link;
                }
            }
            [b"10", specs @ ..] => set_special(colors, 0, specs),
            [b"11", specs @ ..] => set_special(colors, 1, specs),
            [b"12", specs @ ..] => set_special(colors, 2, specs),
            [b"104"] | [b"104", b""] => colors.palette.clear(),
            [b"104", indexes @ ..] => {
                for index in indexes.iter().filter_map(|text| index(text)) {
                    colors.palette.remove(&index);
                }
            }
            [b"110", ..] => colors.special[0] = None,
            [b"111", ..] => colors.special[1] = None,
            [b"112", ..] => colors.special[2] = None,
            _ => {}
        }
    }
}

fn index(text: &[u8]) -> Option<u8> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// One that asks sets nothing.
fn set_special(colors: &mut Colors, first: usize, specs: &[&[u8]]) {
    for (slot, spec) in colors.special.iter_mut().skip(first).zip(specs) {
        if let Some(color) = colors::parse(spec) {
            *slot = Some(color);
        }
    }
}
