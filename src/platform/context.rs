//! What every handler may reach: the settings and the platform's bindings.
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::Response;
use protocol::ids::ObjectId;
use worker::Env;

use super::background::Background;
use super::channel::Channel;
use super::config::Config;
use super::db::Db;
use super::error::ApiError;
use super::images::{Images, Shelf};
use super::mail::Mailer;
use super::recordings::Recordings;
use super::relay_stub::RelayStub;
use super::settings::origins;

/// The binding of the files that are served without the Worker.
const ASSETS: &str = "ASSETS";

/// Where the network in front of the Worker says from which address a request came.
pub const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// The application as one request, or one run of the scheduled work, sees it.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    env: Env,
    background: Background,
    /// What was asked for; nothing where no request is.
    uri: Uri,
    /// From which network address; empty where that is not known.
    client_address: String,
}

impl App {
    pub fn new(config: Arc<Config>, env: Env, background: Background) -> Self {
        config.audit.install();
        Self {
            config,
            env,
            background,
            uri: Uri::default(),
            client_address: String::new(),
        }
    }

    /// The same, for somebody who has come from a network address.
    pub fn asked_from(self, client_address: String) -> Self {
        Self { client_address, ..self }
    }

    /// From which network address the request came, as the network in front of the Worker says; empty where that is not known.
    pub fn client_address(&self) -> &str {
        &self.client_address
    }

    /// Where programs and people reach this deployment, without a final slash: as the settings say, or else the address that
    /// the request came to. It is safe in a shell's quotes.
    pub fn address(&self) -> Result<String, ApiError> {
        if let Some(address) = &self.config.base_url {
            return Ok(address.clone());
        }
        let came_to = self.uri.scheme_str().zip(self.uri.authority());
        came_to
            .and_then(|(scheme, authority)| origins::web_origin(&format!("{scheme}://{authority}")))
            .ok_or_else(|| ApiError::bad_request("The request's host is no name or address"))
    }

    /// The head of a request that nobody sent, with all that extractors look for.
    pub fn bare_request(&self) -> Parts {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(self.env.clone());
        parts.extensions.insert(self.background.clone());
        if let Ok(address) = HeaderValue::from_str(&self.client_address) {
            parts.headers.insert(CLIENT_ADDRESS, address);
        }
        parts
    }

    /// What can be done after the answer.
    pub fn background(&self) -> &Background {
        &self.background
    }

    pub fn mailer(&self) -> Mailer {
        Mailer::new(self.config.mail.clone(), self.env.clone(), self.background.clone())
    }

    pub fn db(&self) -> Result<Db, ApiError> {
        Db::new(&self.env)
    }

    /// The relay of one machine.
    pub fn relay(&self, machine: &ObjectId) -> Result<RelayStub, ApiError> {
        RelayStub::new(&self.env, machine)
    }

    /// The live channel of one organization.
    pub fn channel(&self, organization: &ObjectId) -> Result<Channel, ApiError> {
        Channel::new(&self.env, organization)
    }

    /// The pictures of a shelf.
    pub fn images(&self, shelf: Shelf) -> Result<Images, ApiError> {
        Images::new(&self.env, shelf)
    }

    /// The recordings of terminals.
    pub fn recordings(&self) -> Result<Recordings, ApiError> {
        Recordings::new(&self.env)
    }

    /// The page of the console.
    pub async fn console_page(&self) -> Result<Response, ApiError> {
        self.asset("/").await
    }

    /// What the files' own server answers for a path, with the headers that files have. There is none where only the API was
    /// deployed.
    pub async fn asset(&self, path: &str) -> Result<Response, ApiError> {
        let assets = self.env.assets(ASSETS).map_err(|_| ApiError::not_found("Not found"))?;
        // It wants an address; its host means nothing.
        let file = assets.fetch(format!("https://files{path}"), None).await?;
        Ok(file.map(Body::new))
    }

    /// A rate limit by the name of its binding. Without it, the routes it guards answer 503: a limit that is silently
    /// absent is none.
    pub fn rate_limiter(&self, binding: &str) -> Result<worker::RateLimiter, ApiError> {
        self.env.rate_limiter(binding).map_err(|_| ApiError::unbound(binding))
    }
}

/// The address that a request came from; empty where nothing stands in front of the Worker to tell.
pub fn client_address(headers: &HeaderMap) -> String {
    let told = headers.get(CLIENT_ADDRESS).and_then(|value| value.to_str().ok());
    let address = told.filter(|address| address.parse::<std::net::IpAddr>().is_ok());
    address.unwrap_or_default().to_owned()
}

/// For what surrounds handlers.
impl FromRequestParts<Arc<Config>> for App {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        Self::from_parts(parts, config)
    }
}

impl App {
    /// The application as the request with this head sees it.
    pub fn from_parts(parts: &Parts, config: &Arc<Config>) -> Result<Self, ApiError> {
        let env = parts.extensions.get::<Env>().cloned();
        let background = parts.extensions.get::<Background>().cloned();
        match (env, background) {
            (Some(env), Some(background)) => Ok(Self {
                uri: parts.uri.clone(),
                client_address: client_address(&parts.headers),
                ..Self::new(config.clone(), env, background)
            }),
            _ => Err(ApiError::internal("the request carries no Env or no Background")),
        }
    }
}
