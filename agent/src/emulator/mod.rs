//! A terminal without a window: it interprets output as the console's terminal does, draws its state as escape sequences
//! for a terminal that was not there, and says what programs ask a terminal.
//!
//! The model is xterm.js, which the console uses; `tests/pictures/` compares the two over recordings of real programs. From
//! the inside out: a [`cell::Cell`] has a [`style::Pen`], a [`row::Row`] has cells, a [`grid::Grid`] is one of the two
//! screens, [`history::History`] keeps what scrolled away. [`Terminal`] obeys sequences: [`perform`] says which does what, and
//! [`cursor`], [`edit`] and [`switch`] do it. [`resize`] has the rules of another size, [`dump`] draws, [`read`] reads,
//! [`answers`] answers.
mod answers;
mod cell;
mod charset;
mod colors;
mod cursor;
mod draw;
mod dump;
mod edit;
mod grid;
mod history;
mod modes;
mod perform;
mod read;
mod resize;
mod row;
mod style;
mod switch;
mod syntax;
mod table;
mod terminal;

pub use read::Line;
pub use syntax::Syntax;
pub use terminal::Terminal;

#[cfg(test)]
mod tests;
