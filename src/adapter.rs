//! Between the platform's requests and responses and those of axum. Nothing a client sends makes this fail with a 5xx.
use axum::body::{Body, HttpBody};
use axum::http::{HeaderName, HeaderValue, Request, Response, Uri};
use worker::{Headers, ResponseBuilder};

use crate::error::ApiError;

/// A URL that the platform let through and HTTP does not allow, or more headers than a map holds.
#[derive(Debug)]
pub struct BadRequest;

impl From<BadRequest> for ApiError {
    fn from(_: BadRequest) -> Self {
        Self::bad_request("The request's URL or headers are malformed or too long")
    }
}

/// The request as axum wants it. Headers that HTTP does not allow are dropped.
pub fn request(raw: &web_sys::Request) -> Result<Request<Body>, BadRequest> {
    let body = raw
        .body()
        .map_or_else(Body::empty, |stream| Body::new(worker::Body::new(stream)));
    let mut converted = Request::new(body);
    *converted.method_mut() = raw.method().parse().map_err(|_| BadRequest)?;
    *converted.uri_mut() = raw.url().parse::<Uri>().map_err(|_| BadRequest)?;
    for (name, value) in Headers(raw.headers()).entries() {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            converted
                .headers_mut()
                .try_append(name, value)
                .map_err(|_| BadRequest)?;
        }
    }
    Ok(converted)
}

/// The response as the platform wants it. A body of known length goes as one piece of memory: a stream costs several turns
/// between Rust and JavaScript.
pub async fn response(response: Response<Body>) -> worker::Result<worker::Response> {
    let socket = response.extensions().get::<worker::WebSocket>().is_some();
    if socket || response.body().size_hint().exact().is_none() {
        return worker::Response::try_from(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|error| worker::Error::RustError(error.to_string()))?;
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.append(
            name.as_str(),
            value
                .to_str()
                .map_err(|error| worker::Error::RustError(error.to_string()))?,
        )?;
    }
    let builder = ResponseBuilder::new()
        .with_status(parts.status.as_u16())
        .with_headers(headers);
    Ok(if bytes.is_empty() {
        builder.empty()
    } else {
        builder.fixed(bytes.into())
    })
}
