//! What every handler may reach: the settings and the platform's bindings.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use protocol::ids::ObjectId;
use worker::Env;

use crate::config::Config;
use crate::db::Db;
use crate::error::ApiError;
use crate::relay::RelayStub;

/// The application as one request sees it.
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    env: Env,
}

impl App {
    /// The database.
    pub fn db(&self) -> Result<Db, ApiError> {
        Db::new(&self.env)
    }

    /// The relay of one machine.
    pub fn relay(&self, machine: &ObjectId) -> Result<RelayStub, ApiError> {
        RelayStub::new(&self.env, machine)
    }

    /// A rate limit by the name of its binding. Without it, the routes it guards answer 503: a limit that is silently
    /// absent is none.
    pub fn rate_limiter(&self, binding: &str) -> Result<worker::RateLimiter, ApiError> {
        self.env.rate_limiter(binding).map_err(|_| ApiError::unbound(binding))
    }
}

impl FromRequestParts<Arc<Config>> for App {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let env = parts
            .extensions
            .get::<Env>()
            .cloned()
            .ok_or_else(|| ApiError::internal("the request carries no Env"))?;
        Ok(Self {
            config: config.clone(),
            env,
        })
    }
}
