//! One module for each number of the architecture.
pub mod bulk;
pub mod bundle;
pub mod echo;
pub mod inventory;
pub mod jobs;
pub mod memory;
pub mod pty;
pub mod requests;
pub mod resume;
pub mod search;
pub mod watchers;

use std::time::Duration;

use anyhow::Result;

/// A process whose processor time is of interest.
pub type Clock<'a> = Option<&'a dyn Fn() -> Result<Duration>>;
