//! The command log, on the machine's side: shells with our hooks ([`crate::integration`]) put marks into their output; [`Marks`](protocol::stream::Marks)
//! takes them out again, a [`Recorder`] makes records of them, and the [`Journal`] keeps those on disk until the edge has
//! stored them. Of shells without hooks a [`Reader`] has the lines that the screen shows. `docs/command-log.md` says what a mark is and what is promised.
mod continued;
mod journal;
mod reader;
mod recorder;

pub use journal::{Journal, SharedJournal};
pub use reader::{Before, Reader};
pub use recorder::{Event, Moment, Recorder};
