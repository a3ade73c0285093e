//! Terminals on hosts without an agent: a runner whose services know the host opens them by SSH, and they are sessions of its machine like any
//! other (`docs/ssh.md`). Who may have one, and how one is opened, are apart: [`open::open`] takes whoever may from wherever that was decided.
pub mod access;
mod handlers;
pub mod open;
pub mod record;
pub mod socket;
pub mod store;
mod things;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "ssh";
        handlers::create_instance_ticket => Object.in_person(),
        handlers::open_instance_terminal => Object,
        handlers::create_server_ticket => Object.in_person(),
        handlers::open_server_terminal => Object,
        things::create_thing_ticket => Object.in_person(),
        things::open_thing => Object, also "/api/inventory/server/{object_id}/ssh",
    ]
}
