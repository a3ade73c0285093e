//! A row of a file.
use std::borrow::Cow;

use serde::Serialize;

/// A row of a file.
pub trait Row: Serialize {
    /// The row's number: the next page begins behind it.
    fn number(&self) -> i64;

    /// What stands in the columns.
    fn cells(&self) -> Vec<Cow<'_, str>>;
}
