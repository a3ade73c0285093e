//! The Worker's end of `protocol::live`: the channel of one organization.
use axum::response::Response;
use protocol::ids::ObjectId;
use protocol::live::{self, LISTEN_PATH, TELL_PATH, Topic, UNTIL_HEADER};
use worker::{Env, Headers, Method, Request, RequestInit, Stub};

use super::error::ApiError;

/// The channel of one organization.
pub struct Channel(Stub);

impl Channel {
    /// The channel of `organization`. It comes into being when it is first asked.
    pub fn new(env: &Env, organization: &ObjectId) -> Result<Self, ApiError> {
        let namespace = env
            .durable_object(live::BINDING)
            .map_err(|_| ApiError::unbound(live::BINDING))?;
        Ok(Self(namespace.get_by_name(organization.as_str())?))
    }

    /// Tells those who listen what has changed.
    pub async fn tell(&self, topics: &[Topic]) -> Result<(), ApiError> {
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(live::frame(topics).into()));
        self.ask(TELL_PATH, init, 204).await.map(drop)
    }

    /// Opens a socket on which somebody listens, until a time in milliseconds since the Unix epoch.
    pub async fn listen(&self, until: u64) -> Result<Response, ApiError> {
        let headers = Headers::new();
        headers.set("upgrade", "websocket")?;
        headers.set(UNTIL_HEADER, &until.to_string())?;
        let mut init = RequestInit::new();
        init.with_headers(headers);
        self.ask(LISTEN_PATH, init, 101).await.map(Into::into)
    }

    async fn ask(&self, path: &str, init: RequestInit, expected: u16) -> Result<worker::Response, ApiError> {
        let request = Request::new_with_init(&format!("https://channel{path}"), &init)?;
        let response = self.0.fetch_with_request(request).await?;
        match response.status_code() {
            status if status == expected => Ok(response),
            503 => Err(ApiError::unavailable(
                "too_many_listeners",
                "Too many pages listen just now; look again in a while",
            )),
            status => Err(ApiError::internal(format!("the channel answered {status} to {path}"))),
        }
    }
}
