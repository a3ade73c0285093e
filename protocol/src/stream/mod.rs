//! The rules of a stream that both of its ends must follow alike, as state machines without I/O or clock.
//!
//! Output: the viewer's [`OutputReader`] turns frames into bytes, each once, and says when to acknowledge.
//! Input: the viewer's [`InputWriter`] keeps what was typed until it is acknowledged; the agent's [`InputApplier`] takes
//! each byte once, in order.
mod input;
mod output;

pub use input::{Applied, InputApplier, InputWriter};
pub use output::{Ahead, OutputReader};
