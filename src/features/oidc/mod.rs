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

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "auth";
        handlers::oidc_providers => Open,
        handlers::start_microsoft => Open,
        handlers::finish_microsoft => Open,
        handlers::start_github => Open,
        handlers::finish_github => Open,
        handlers::start_sso => Open,
        handlers::finish_sso => Open,
    ]
}
