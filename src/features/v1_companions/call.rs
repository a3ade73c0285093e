//! A request of `/v1`, and asking the operations of `/api` in its name: with its credentials, address and program, and for the audit log
//! as the operation that was asked for.
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use form_urlencoded::Serializer;
use futures_util::future::BoxFuture;
use protocol::api::v1::bare_id;
use serde_json::{Map, Value};
use worker::send::SendFuture;

use super::fields::Fields;
use crate::audit::RequestContext;
use crate::auth::caller::Credentials;
use crate::auth::denials::Attempt;
use crate::auth::rule::{Operation, Rule};
use crate::http::argument::{Argument, Asked, Step, read_body};
use crate::http::extract::{PathParam, object};
use crate::http::inside::Inside;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What an adapter gives.
pub type Reply = BoxFuture<'static, Result<Response, ApiError>>;

/// A handler of this feature.
pub type Adapter = fn(Call) -> Reply;

/// How much fits on a page if nothing is asked for…
const LISTED: u64 = 20;

/// …and at most.
const MOST: u64 = 100;

/// A request.
pub struct Call {
    pub app: App,
    /// What the path names; empty where it names nothing.
    pub id: String,
    inside: Inside,
    context: RequestContext,
    attempt: Attempt,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Argument for Call {
    const FIRST: Option<Step> = Some(Self::proven);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        asked.found()
    }
}

impl Call {
    fn proven(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(SendFuture::new(async {
            let call = Self::taken(asked).await?;
            asked.find(call);
            Ok(())
        }))
    }

    async fn taken(asked: &mut Asked) -> Result<Self, ApiError> {
        let rule = asked
            .parts
            .extensions
            .get::<Operation>()
            .map(|operation| operation.rule);
        let credentials = match (rule, Credentials::FIRST) {
            (Some(Rule::Open), _) | (_, None) => None,
            (_, Some(present)) => {
                present(asked).await?;
                Some(Credentials::of(asked)?)
            }
        };
        let app = App::of(asked)?;
        let context = RequestContext::of(asked)?;
        let id = match context.endpoint.contains('{') {
            true => PathParam::of(asked)?.0,
            false => String::new(),
        };
        read_body(asked).await?;
        let body = asked.bytes();
        if let Some(credentials) = credentials {
            // What is asked has rules of its own, and may be only a part of what is to be done.
            credentials.load(&app.db()?, ()).await?;
        }
        let parts = &asked.parts;
        let inside = parts.extensions.get::<Inside>().cloned();
        let mut headers = parts.headers.clone();
        put(&mut headers, HeaderName::from_static("x-envelope"), "flat")?;
        Ok(Self {
            app,
            id,
            inside: inside.ok_or_else(|| ApiError::internal("the request carries nothing to ask"))?,
            context,
            attempt: Attempt::of(parts),
            uri: parts.uri.clone(),
            headers,
            body,
        })
    }

    /// The fields of the body.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        object(&self.headers, &self.body).map(Fields)
    }

    /// A parameter of the query, unless it is empty.
    pub fn param(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default();
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }

    /// Where the account is that the path names, with or without what this API puts before its id.
    pub fn account(&self) -> String {
        format!("/api/users/{}", segment(bare_id(&self.id, "usr_")))
    }

    /// The query for a page of a list: as it was asked for, or else of the usual size.
    pub fn page(&self, more: &[(&str, Option<String>)]) -> String {
        let number = |name: &str| self.param(name).and_then(|text| text.parse::<u64>().ok());
        let limit = number("limit").filter(|limit| (1..=MOST).contains(limit));
        let mut query = Serializer::new(String::new());
        query.append_pair("page", &number("page").unwrap_or(1).to_string());
        query.append_pair("limit", &limit.unwrap_or(LISTED).to_string());
        for (name, value) in more {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// What an operation of `/api` answers, whatever that is.
    pub fn respond(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> BoxFuture<'_, Result<Response, ApiError>> {
        let request = self.request(method, path, body);
        Box::pin(async move {
            let mut response = self.inside.ask(request?).await;
            match response.extensions_mut().remove::<ApiError>() {
                Some(error) => Err(error),
                None => Ok(response),
            }
        })
    }

    /// The content of what an operation of `/api` answers.
    pub fn ask(&self, method: Method, path: &str, body: Option<Value>) -> BoxFuture<'_, Result<Value, ApiError>> {
        let response = self.respond(method, path, body);
        Box::pin(async move {
            // It is in memory already.
            let bytes = to_bytes(response.await?.into_body(), usize::MAX).await;
            serde_json::from_slice(&bytes.map_err(ApiError::internal)?).map_err(ApiError::internal)
        })
    }

    /// Reads.
    pub fn get(&self, path: &str) -> BoxFuture<'_, Result<Value, ApiError>> {
        self.ask(Method::GET, path, None)
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Request, ApiError> {
        let mut parts = self.app.bare_request();
        let mut uri = self.uri.clone().into_parts();
        uri.path_and_query = Some(PathAndQuery::try_from(path).map_err(|_| too_long())?);
        parts.uri = Uri::from_parts(uri).map_err(|_| too_long())?;
        parts.method = method;
        parts.headers.clone_from(&self.headers);
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        parts.extensions.insert(self.context.clone());
        parts.extensions.insert(self.attempt.clone());
        let content = match body {
            Some(body) => {
                put(&mut parts.headers, header::CONTENT_TYPE, "application/json")?;
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        Ok(Request::from_parts(parts, content))
    }
}

/// Adds a header, of which there may be too many already.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) -> Result<(), ApiError> {
    let before = headers.try_insert(name, HeaderValue::from_static(value));
    before
        .map(drop)
        .map_err(|_| ApiError::bad_request("The request has too many headers"))
}

/// An address has 65,534 characters at most.
fn too_long() -> ApiError {
    ApiError::bad_request("The request's URL is too long")
}

/// A text as a part of a path.
pub fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

fn reply(status: StatusCode, data: Option<Value>, message: Option<&str>) -> Result<Response, ApiError> {
    let mut body = Map::new();
    body.insert("success".to_owned(), true.into());
    body.extend(data.map(|data| ("data".to_owned(), data)));
    body.extend(message.map(|message| ("message".to_owned(), message.into())));
    Ok((status, Json(Value::Object(body))).into_response())
}

/// A success with content.
pub fn data(data: Value) -> Result<Response, ApiError> {
    reply(StatusCode::OK, Some(data), None)
}

/// The same of something that was changed.
pub fn changed(data: Value, message: &str) -> Result<Response, ApiError> {
    reply(StatusCode::OK, Some(data), Some(message))
}

/// The same of something new.
pub fn created(data: Value, message: &str) -> Result<Response, ApiError> {
    reply(StatusCode::CREATED, Some(data), Some(message))
}

/// A success that has nothing else to say.
pub fn done(message: &str) -> Result<Response, ApiError> {
    reply(StatusCode::OK, None, Some(message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_cannot_leave_its_part_of_a_path() {
        assert_eq!(segment("sess_1.a-B"), "sess_1.a-B");
        assert_eq!(segment("a/../b?c#d %é"), "a%2F..%2Fb%3Fc%23d%20%25%C3%A9");
    }

    #[test]
    fn a_success_says_what_it_has() {
        let body = |response: Result<Response, ApiError>| {
            let response = response.unwrap();
            let body = futures_util::FutureExt::now_or_never(to_bytes(response.into_body(), 1024));
            serde_json::from_slice::<Value>(&body.unwrap().unwrap()).unwrap()
        };
        assert_eq!(body(data(json!([1]))), json!({"success": true, "data": [1]}));
        assert_eq!(body(done("gone")), json!({"success": true, "message": "gone"}));
        assert_eq!(
            body(created(json!({}), "made")),
            json!({"success": true, "data": {}, "message": "made"})
        );
    }
}
