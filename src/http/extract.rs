//! Arguments for what clients send. Each turns what it cannot use into an [`ApiError`] that says what is allowed.
use axum::body::Bytes;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::{HeaderMap, Uri, header};
use futures_util::FutureExt;
use protocol::api::validate::{Faults, Validate};
use protocol::json;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http::argument::{Argument, Asked, Step, read_body};
use crate::http::misfit::{malformed, misfit};
use crate::http::query;
use crate::platform::error::ApiError;

/// A JSON body that keeps its own rules.
pub struct ValidJson<T>(pub T);

impl<T: DeserializeOwned + Validate> Argument for ValidJson<T> {
    const FIRST: Option<Step> = Some(read_body);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let OptionalJson(body) = OptionalJson::of(asked)?;
        body.map(Self)
            .ok_or_else(|| ApiError::bad_request("A JSON body is required"))
    }
}

/// A JSON body that may be absent altogether.
pub struct OptionalJson<T>(pub Option<T>);

impl<T: DeserializeOwned + Validate> Argument for OptionalJson<T> {
    const FIRST: Option<Step> = Some(read_body);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let bytes = json(asked)?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        let body: T = decode(&bytes, T::OTHER_NAMES)?;
        let mut faults = Faults::default();
        body.validate(&mut faults);
        let faults = faults.into_vec();
        if faults.is_empty() {
            Ok(Self(Some(body)))
        } else {
            Err(ApiError::invalid(faults))
        }
    }
}

/// The whole body, which says that it is JSON unless it is empty.
fn json(asked: &mut Asked) -> Result<Bytes, ApiError> {
    let bytes = asked.bytes();
    check_json(is_json(&asked.parts.headers), &bytes)?;
    Ok(bytes)
}

fn check_json(is_json: bool, bytes: &[u8]) -> Result<(), ApiError> {
    match bytes.is_empty() || is_json {
        true => Ok(()),
        false => Err(ApiError::bad_request(
            "The body must be JSON: set Content-Type to application/json",
        )),
    }
}

/// The fields of a JSON body, whatever they are; none of an empty one.
pub fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    check_json(is_json(headers), bytes)?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::bad_request("The body must be a JSON object")),
        Err(error) => Err(malformed(&error)),
    }
}

/// What the body says it is, in lower case and without parameters; empty if it does not say.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether the body says that it is a form with files.
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers) == "multipart/form-data"
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = media_type(headers);
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

fn decode<T: DeserializeOwned>(bytes: &[u8], other_names: &[(&str, &'static str)]) -> Result<T, ApiError> {
    let body = parse(bytes, other_names)?;
    json::explain(&body).map_err(|fault| misfit(&fault))
}

/// The body with the fields' own names.
fn parse<'b>(bytes: &'b [u8], other_names: &[(&str, &'static str)]) -> Result<json::Value<'b>, ApiError> {
    let mut body = json::Value::parse(bytes).map_err(|error| malformed(&error))?;
    if let json::Value::Object(fields) = &mut body {
        for (name, _) in fields {
            if let Some((_, own)) = other_names.iter().find(|(other, _)| other == name) {
                *name = (*own).into();
            }
        }
    }
    Ok(body)
}

/// The one variable part of a path.
pub struct PathParam(pub String);

impl Argument for PathParam {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let [only] = path(asked)?;
        Ok(Self(only))
    }
}

/// The two variable parts of a path, in order.
pub struct PathPair(pub String, pub String);

impl Argument for PathPair {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let [first, second] = path(asked)?;
        Ok(Self(first, second))
    }
}

/// The three variable parts of a path, in order.
pub struct PathTriple(pub String, pub String, pub String);

impl Argument for PathTriple {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        let [first, second, third] = path(asked)?;
        Ok(Self(first, second, third))
    }
}

/// What is variable in the path. The router has it at hand: there is nothing to wait for.
fn path<const N: usize>(asked: &mut Asked) -> Result<[String; N], ApiError> {
    let found = RawPathParams::from_request_parts(&mut asked.parts, &()).now_or_never();
    let parts = found
        .and_then(Result::ok)
        .map(|parts| -> Vec<String> { parts.iter().map(|(_, part)| part.to_owned()).collect() });
    let parts = parts.and_then(|parts| parts.try_into().ok());
    parts.ok_or_else(|| ApiError::bad_request("The path is not valid UTF-8"))
}

/// The query, each parameter at most once.
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> Argument for QueryParams<T> {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Self::of_uri(&asked.parts.uri)
    }
}

impl<T: DeserializeOwned> QueryParams<T> {
    /// The query of an address.
    pub fn of_uri(uri: &Uri) -> Result<Self, ApiError> {
        query::read(uri.query().unwrap_or_default()).map(Self)
    }
}

/// Refuses a body in an encoding that is not read here, before anybody takes it for something else.
pub fn readable(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut encodings = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|name| name.trim_ascii());
    match encodings.all(|name| name.is_empty() || name.eq_ignore_ascii_case(b"identity")) {
        true => Ok(()),
        false => Err(ApiError::unsupported_encoding()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::machines::CreateMachine;

    #[test]
    fn a_body_in_an_encoding_that_is_not_read_is_refused() {
        let of = |value: &str| {
            readable(
                &[(header::CONTENT_ENCODING, value.parse().unwrap())]
                    .into_iter()
                    .collect(),
            )
        };
        assert!(readable(&HeaderMap::new()).is_ok());
        for good in ["", "identity", "Identity", "identity, identity"] {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in ["gzip", "br", "identity, gzip", "zstd", "x"] {
            assert_eq!(
                of(bad).unwrap_err().status(),
                axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "{bad}"
            );
        }
    }

    fn refusal(text: &str) -> String {
        format!("{:?}", decode::<CreateMachine>(text.as_bytes(), &[]).unwrap_err())
    }

    #[test]
    fn a_body_with_a_wrong_type_is_refused_by_field() {
        let text = refusal(r#"{"name":"a","tags":["x",5]}"#);
        assert!(text.contains("tags[1]") && text.contains("must be a string"), "{text}");
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = decode::<protocol::api::auth::Signup>(br#"{"username":"a"}"#, &[]).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("\"email\"") && text.contains("is required"), "{text}");
    }

    #[test]
    fn what_is_no_json_or_goes_on_after_it_is_refused() {
        for text in ["", "{", "{}x", r#"{"name":"\ud800"}"#] {
            assert!(refusal(text).contains("not valid JSON"), "{text}");
        }
        for text in ["[]", " []", "5", "null", "\"{}\""] {
            assert!(refusal(text).contains("must be a JSON object"), "{text}");
        }
    }

    #[test]
    fn json_is_told_by_its_content_type() {
        let of = |value: &str| is_json(&[(header::CONTENT_TYPE, value.parse().unwrap())].into_iter().collect());
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
        ] {
            assert!(of(good), "{good}");
        }
        for bad in ["", "text/plain", "text/json+json", "application/x-www-form-urlencoded"] {
            assert!(!of(bad), "{bad}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
