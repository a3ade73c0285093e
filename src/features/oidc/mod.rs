//! Signing in with another provider: Microsoft, GitHub, or any issuer of OpenID Connect.
//!
//! A browser starts at `/api/auth/oidc/…`, proves itself to the provider, and comes back with a code (`handlers.rs`). Only the
//! browser that started may come back (`attempt.rs`). The code is traded for a verified mail address (`identity.rs`), and
//! that for the accounts that have it (`landing.rs`); none is ever made. The browser is sent to the console with the result.
pub mod attempt;
mod cache;
mod claims;
mod discovery;
mod handlers;
mod http;
mod identity;
mod jwks;
mod landing;
mod outcome;
pub mod store;
mod webcrypto;

use crate::http::operation::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::oidc_providers,
        handlers::start_microsoft,
        handlers::finish_microsoft,
        handlers::start_github,
        handlers::finish_github,
        handlers::start_sso,
        handlers::finish_sso,
    ]
}
