//! Machines: a host that an agent runs on, or will. A person makes one and gets a registration token; the agent trades that
//! token for an identity (`agents/`) and from then on the machine's relay says whether it is online.
pub mod access;
mod body;
mod handlers;
pub mod predicates;
pub mod row;
pub mod store;

use crate::http::operation::{Routes, routes};

pub use handlers::reach;
pub use store::Key;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_machines,
        handlers::create_machine,
        handlers::find_machine,
        handlers::delete_machine,
        handlers::find_machine_by_id,
        handlers::create_registration_token,
    ]
}
