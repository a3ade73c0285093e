//! Machines: a host that an agent runs on, or will. A person makes one and gets a registration token; the agent trades that
//! token for an identity (`agents/`) and from then on the machine's relay says whether it is online.
pub mod access;
mod body;
pub mod freshness;
mod handlers;
pub mod health;
mod history;
pub mod predicates;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{metrics, rotate_key, update};

pub use handlers::{load, remove};
pub use store::Key;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "machines";
        handlers::list_machines => SignedIn,
        handlers::create_machine => SignedIn,
        handlers::find_machine => Object,
        update::update_machine => Object,
        handlers::delete_machine => Object,
        metrics::list_metrics => Object,
        handlers::find_machine_by_id => Object,
        handlers::create_registration_token => Object,
        rotate_key::rotate_key => Object,
    ]
}
