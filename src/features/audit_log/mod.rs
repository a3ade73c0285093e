//! The audit log for those who read it: lists, files, and the proof that nobody changed it. `audit/` writes it.
pub mod chain;
mod export;
mod filter;
mod handlers;
mod session_ends;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "audit";
        handlers::list_audit => AdminOr(SystemAuditLog), also "/api/audit-logs",
        handlers::list_audit_tenants => Admin, also "/api/audit-logs/tenants",
        handlers::export_audit => AdminOr(SystemAuditLog),
        handlers::verify_audit => AdminOr(SystemAuditLog),
    ]
}
