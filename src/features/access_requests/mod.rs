//! Asking for a machine that one may not use, or only without privileges. Its owner and administrators decide. A request that was
//! approved is a way to the machine (`machines/predicates.rs`) until its time is over or it is taken back.
mod access;
mod event;
mod handlers;
mod letters;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

pub use event::about;
use handlers::{ask, decide, list};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "access requests";
        ask::create_access_request => Object,
        ask::cancel_access_request => Object,
        list::list_access_requests => Admin,
        list::list_own_access_requests => SignedIn,
        list::list_access_requests_to_decide => SignedIn,
        list::list_askable_machines => SignedIn,
        list::list_machine_access_requests => Object,
        list::count_pending_access_requests => Object,
        decide::approve_access_request => Object,
        decide::reject_access_request => Object,
        decide::revoke_access_request => Admin,
    ]
}
