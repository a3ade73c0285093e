//! Starting a program as an account. The agent does it itself, or has its helper for PAM do it, which stands between the two
//! as long as the program runs; what both do is here, so that a shell is the same either way.
//!
//! A [`Program`] is what is run. It begins with a [`Beginning`], whoever it is to be, and becomes an account by a [`Login`];
//! both are done between fork and exec. [`question`] is what agent and helper say to each other.
mod beginning;
mod end;
mod enter;
mod program;
pub mod question;
mod signals;
mod supervisor;

pub use beginning::Beginning;
pub use end::end_as;
pub use enter::{Identity, Login, Setting};
pub use program::Program;
pub use signals::outlast;
