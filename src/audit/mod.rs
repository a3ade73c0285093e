//! What happened, for good. A handler describes it as an [`Event`] and puts [`record`] into the batch that makes it true, so
//! that there is neither a deed without an entry nor an entry without a deed.
mod event;
pub mod severity;
pub mod store;

pub use event::{Action, Event, RequestContext, Resource};
pub use store::{record, record_if_changed};
