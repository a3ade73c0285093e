//! The audit log for those who read it: lists, files, and the proof that nobody changed it. `audit/` writes it.
pub mod chain;
mod export;
mod filter;
mod handlers;
pub mod store;

use crate::http::operation::{Routes, routes};

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
