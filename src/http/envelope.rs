//! The answers of the first published API: flat fields, and beside them `message` and a copy of the fields as `data`.
//! A client that sends `X-Envelope: flat` is spared the copy.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::argument::{Argument, Asked};
use crate::platform::error::ApiError;

/// What a route without words of its own says.
pub const SUCCESS: &str = "Success";

/// How the caller wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// With the copy.
    Dual,
    /// Without.
    Flat,
}

impl Argument for Envelope {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let flat = asked
            .parts
            .headers
            .get("x-envelope")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"flat"));
        Ok(if flat { Self::Flat } else { Self::Dual })
    }
}

impl Envelope {
    /// The answer with the fields of `body`, which must serialize to a JSON object without `message` and `data`.
    pub fn reply(self, status: StatusCode, message: &str, body: &impl Serialize) -> Result<Response, ApiError> {
        self.answer(status, message, serde_json::to_string(body))
    }

    fn answer(
        self,
        status: StatusCode,
        message: &str,
        written: serde_json::Result<String>,
    ) -> Result<Response, ApiError> {
        let text = written.and_then(|object| self.wrap(message, &object));
        let text = text.map_err(ApiError::internal)?;
        Ok((status, [("content-type", "application/json; charset=utf-8")], text).into_response())
    }

    /// Writes the fields once and copies the text: a list of machines is long.
    fn wrap(self, message: &str, object: &str) -> serde_json::Result<String> {
        let inner = object.get(1..object.len().saturating_sub(1)).unwrap_or_default();
        let mut text = String::with_capacity(object.len() * 2 + message.len() + 32);
        text.push('{');
        text.push_str(inner);
        if !inner.is_empty() {
            text.push(',');
        }
        text.push_str("\"message\":");
        text.push_str(&serde_json::to_string(message)?);
        if self == Self::Dual {
            text.push_str(",\"data\":");
            text.push_str(object);
        }
        text.push('}');
        Ok(text)
    }
}

/// What [`Envelope::reply`] writes, for the API document.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes a shape; nothing makes one")]
pub struct Enveloped<T> {
    /// The fields.
    #[serde(flatten)]
    body: T,
    /// For people.
    message: String,
    /// The fields once more, unless the request had `X-Envelope: flat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wrapped(envelope: Envelope, body: Value) -> Value {
        serde_json::from_str(&envelope.wrap("say \"hi\"", &body.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn a_dual_answer_has_the_fields_a_message_and_a_copy() {
        let body = json!({"machines": [{"name": "}"}], "total": 1});
        let expected = json!({"machines": [{"name": "}"}], "total": 1, "message": "say \"hi\"", "data": body});
        assert_eq!(wrapped(Envelope::Dual, body), expected);
    }

    #[test]
    fn a_flat_answer_has_no_copy() {
        assert_eq!(
            wrapped(Envelope::Flat, json!({"a": {}})),
            json!({"a": {}, "message": "say \"hi\""})
        );
    }

    #[test]
    fn an_answer_without_fields_is_whole() {
        assert_eq!(
            wrapped(Envelope::Dual, json!({})),
            json!({"message": "say \"hi\"", "data": {}})
        );
    }
}
