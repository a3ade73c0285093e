//! What happened, for good. A handler describes it as an [`Event`] and puts [`record`] into the batch that makes it true, so
//! that there is neither a deed without an entry nor an entry without a deed.
pub mod chain;
mod event;
mod export;
mod filter;
mod handlers;
pub mod read;
mod severity;
pub mod store;

use crate::routes::{Routes, routes};

pub use event::{Action, Event, Resource, Trail};
pub use store::{record, record_if_changed};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_audit,
        handlers::list_audit_logs,
        handlers::list_audit_tenants,
        handlers::list_audit_logs_tenants,
        handlers::export_audit,
        handlers::verify_audit
    ]
}
