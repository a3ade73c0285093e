//! How the product is called here, and what it looks like: said by super administrators, and read by whoever is about to sign in.
mod handlers;
mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "branding";
        handlers::find_branding => Open,
        handlers::update_branding => SuperAdmin,
    ]
}
