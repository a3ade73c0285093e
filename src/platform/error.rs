//! How requests fail. [`ApiError`] is what handlers return; this is the only file that knows status numbers and the shape
//! that each API surface gives a failure.
use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use protocol::api::agents::CLOCK_SKEW_SECONDS;
use protocol::api::error::{ErrorBody, FieldError};
use serde_json::json;

use super::{log, random};

/// Seconds after which a refused client may try again: the period of the rate limits in `wrangler.toml`.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// A failed request. Behind a pointer: whatever may fail hands its result on at every step, and what is handed on is code.
#[derive(Debug, Clone)]
pub struct ApiError(Box<Failure>);

/// What is known of a failure.
#[derive(Debug, Clone)]
struct Failure {
    status: StatusCode,
    code: &'static str,
    text: Cow<'static, str>,
    /// What `detail` says, where it is not what `error` says.
    detail: Option<String>,
    fields: Vec<FieldError>,
    /// How many accounts are in the way.
    user_count: Option<u64>,
    /// The time here, where the caller's clock is in the way.
    now: Option<DateTime<Utc>>,
    /// What went wrong inside; logged, never sent.
    cause: Option<String>,
}

type Text = Cow<'static, str>;

impl ApiError {
    fn new(status: StatusCode, code: &'static str, text: impl Into<Text>) -> Self {
        Self::of(status, code, text.into())
    }

    /// Apart, so that it is compiled once and not for each kind of text.
    #[inline(never)]
    fn of(status: StatusCode, code: &'static str, text: Text) -> Self {
        Self(Box::new(Failure {
            status,
            code,
            text,
            detail: None,
            fields: Vec::new(),
            user_count: None,
            now: None,
            cause: None,
        }))
    }

    /// 400: the request makes no sense as a whole.
    pub fn bad_request(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", text)
    }

    /// 400: some fields are not accepted.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let text = match fields.first() {
            Some(fault) => format!("{} {}", fault.field, fault.message).into(),
            None => Text::from("The request is not valid"),
        };
        let mut error = Self::new(StatusCode::BAD_REQUEST, "validation_failed", text);
        error.0.fields = fields;
        error
    }

    /// 400: one field is not accepted.
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// 400: one field is not accepted, in the words that clients of a published API look for.
    pub fn refused_field(field: &str, message: impl Into<String>, text: impl Into<Text>) -> Self {
        let mut error = Self::invalid_field(field, message);
        error.0.text = text.into();
        error
    }

    /// 401: nobody proved who calls.
    pub fn unauthorized(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", text)
    }

    /// 401: nothing is wrong with the proof but its time.
    pub fn clock_skew(now: DateTime<Utc>) -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "clock_skew",
            format!(
                "The machine's clock is more than {CLOCK_SKEW_SECONDS} s off: here it is {}",
                now.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
        );
        error.0.now = Some(now);
        error
    }

    /// 403: the caller is known and lacks the right.
    pub fn forbidden(code: &'static str, text: impl Into<Text>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, text)
    }

    /// 403: somebody else chose the password of the caller's account.
    pub fn password_change_required() -> Self {
        Self::forbidden(
            "password_change_required",
            "Choose a password of your own first: POST /api/auth/change-password",
        )
    }

    /// 403 in the words of the contract, for an object of the caller's own organization.
    pub fn not_authorized() -> Self {
        Self::forbidden("forbidden", "Not authorized")
    }

    /// The same, with words of its own for `detail`: clients of the two published APIs look for different ones.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The same, of fields that the request had under other names: of each pair, the one here and the one there.
    pub fn of_fields(self, names: &[(&str, &str)]) -> Self {
        if self.0.fields.is_empty() {
            return self;
        }
        let renamed = self.0.fields.into_iter().map(|fault| {
            let other = names.iter().find(|(here, _)| *here == fault.field);
            FieldError {
                field: other.map_or(fault.field, |(_, there)| (*there).to_owned()),
                ..fault
            }
        });
        Self::invalid(renamed.collect())
    }

    /// The same, saying how many accounts are in the way.
    pub fn with_user_count(mut self, count: u64) -> Self {
        self.0.user_count = Some(count);
        self
    }

    /// The same, with what went wrong inside, for the log.
    pub fn caused_by(mut self, cause: impl ToString) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What went wrong inside, for the log.
    pub fn cause(&self) -> &str {
        self.0.cause.as_deref().unwrap_or(&self.0.text)
    }

    /// Which fields are not accepted.
    #[cfg(test)]
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Its words.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// 404: absent, or not for the caller to know of.
    pub fn not_found(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", text)
    }

    /// 405: the path is right, the method is not.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
        )
    }

    /// 409: the request contradicts what is there.
    pub fn conflict(code: &'static str, text: impl Into<Text>) -> Self {
        Self::new(StatusCode::CONFLICT, code, text)
    }

    /// 413: the body is over its bound.
    pub fn too_large() -> Self {
        Self::over_limit("The request body is too large")
    }

    /// 413: something in the body is over a bound of its own, which the text names.
    pub fn over_limit(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", text)
    }

    /// 415: the body is compressed in a way that is not read here.
    pub fn unsupported_encoding() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "The body must not be compressed: leave Content-Encoding out",
        )
    }

    /// 426: this path speaks WebSocket only.
    pub fn upgrade_required(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", text)
    }

    /// 429: too many attempts.
    pub fn too_many_requests() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many attempts, try again in a minute",
        )
    }

    /// 501: this server was not set up for it.
    pub fn not_implemented(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_configured", text)
    }

    /// 503: whoever runs this must set something.
    pub fn misconfigured(text: impl Into<Text>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "misconfigured", text)
    }

    /// 503: something this server depends on does not work at the moment.
    pub fn unavailable(code: &'static str, text: impl Into<Text>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, text)
    }

    /// 503: a binding of `wrangler.toml` is missing from this deployment.
    pub fn unbound(binding: &str) -> Self {
        let text = format!("The server is not configured: the binding {binding} is missing");
        log::error(&text);
        Self::misconfigured(text)
    }

    /// 500: a defect of ours, or of what we depend on. The cause goes to the log only and must hold no secret.
    pub fn internal(cause: impl ToString) -> Self {
        let error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
        );
        error.caused_by(cause)
    }
}

impl From<worker::Error> for ApiError {
    fn from(error: worker::Error) -> Self {
        Self::internal(error)
    }
}

impl From<random::NoRandomness> for ApiError {
    fn from(error: random::NoRandomness) -> Self {
        Self::internal(error)
    }
}

/// The error travels as an extension and gets its body from [`render`], which knows the path.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A family of paths with its own shape of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `/api`, `/agent`, `/health` and whatever is no path of ours.
    Api,
    /// `/v1`.
    V1,
}

impl Surface {
    /// The surface a path belongs to.
    pub fn of(path: &str) -> Self {
        if path == "/v1" || path.starts_with("/v1/") {
            Self::V1
        } else {
            Self::Api
        }
    }
}

/// The response to a failed request. Logs what must be looked at, once.
pub fn render(ApiError(error): ApiError, surface: Surface) -> Response {
    if let Some(cause) = &error.cause {
        log::error(&format!("the request failed: {cause}"));
    }
    let request_id = match error.status.is_server_error() {
        true => log::Scope::current().map(|scope| scope.request_id().to_owned()),
        false => None,
    };
    let body = match surface {
        Surface::Api => serde_json::to_string(&ErrorBody {
            error: error.text.to_string(),
            detail: error.detail.unwrap_or_else(|| error.text.to_string()),
            code: error.code.to_owned(),
            fields: error.fields,
            user_count: error.user_count,
            now: error.now,
            request_id,
        })
        .unwrap_or_default(),
        Surface::V1 => {
            json!({"success": false, "error": {"code": v1_code(error.status, error.code), "message": error.text}})
                .to_string()
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = error.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    match error.status {
        StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        StatusCode::TOO_MANY_REQUESTS => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
        StatusCode::UPGRADE_REQUIRED => headers.insert(header::UPGRADE, HeaderValue::from_static("websocket")),
        _ => None,
    };
    response
}

/// The codes of the Sessions API: one per status, whatever the reason.
fn v1_code(status: StatusCode, code: &str) -> String {
    match status {
        StatusCode::BAD_REQUEST => "VALIDATION_ERROR".to_owned(),
        StatusCode::FORBIDDEN => "FORBIDDEN".to_owned(),
        StatusCode::CONFLICT => "CONFLICT".to_owned(),
        StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL_ERROR".to_owned(),
        _ => code.to_uppercase(),
    }
}

#[cfg(test)]
mod tests;
