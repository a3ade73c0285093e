//! The rules of a stream that both of its ends must follow alike, as state machines without I/O or clock.
//!
//! Output: the viewer's [`OutputReader`] turns frames into bytes, each once, and says when to acknowledge.
//! Input: the viewer's [`InputWriter`] keeps what was typed until it is acknowledged; the agent's [`InputApplier`] takes
//! each byte once, in order. [`Questions`] tells what a program asks its terminal from what is to be drawn.
mod input;
mod mark;
mod marks;
mod output;
mod questions;

pub use input::{Applied, InputApplier, InputWriter};
pub use mark::{Mark, Typed};
pub use marks::{Marked, Marks};
pub use output::{Ahead, OutputReader};
pub use questions::{Piece, Questions};
