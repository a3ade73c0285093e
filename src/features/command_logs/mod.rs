//! The command log: what was run on machines, where the relays put it, and those who read it.
pub mod body;
mod filter;
mod handlers;
pub mod mask;
pub mod output;
pub mod record;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "command logs";
        handlers::list_machine_logs => Object,
        handlers::search_machine_logs => Object,
        handlers::search_command_logs => AdminOr(SystemAuditLog),
        handlers::find_command_log => Object,
    ]
}
