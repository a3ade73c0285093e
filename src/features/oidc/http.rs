//! Asking providers over HTTP: bounded in time and size, and never led elsewhere.
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use worker::{AbortController, AbortSignal, Delay, Fetch};

use super::cache::Cache;
use crate::platform::outgoing;

/// How long a provider may take for one answer. A person is waiting, and there are up to four of them.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Largest answer. Microsoft's keys are the largest of the usual ones, at about 20 KB.
const MAX_BODY: usize = 256 * 1024;

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache::new()) };
}

/// Reads a document with an `Authorization` header. The error is for a log and quotes nothing that was sent.
pub async fn get<T: DeserializeOwned>(url: &str, authorization: &str) -> Result<T, String> {
    let body = fetch(url, Some(authorization), None).await?;
    decode(url, &body)
}

/// Reads a public document, or takes one that is at most `max_age` milliseconds old.
pub async fn get_cached<T: DeserializeOwned>(url: &str, max_age: i64) -> Result<T, String> {
    let now = Utc::now().timestamp_millis();
    let cached = CACHE.with_borrow(|cache| cache.get(url, now, max_age));
    let body = match cached {
        Some(body) => body,
        None => Rc::from(fetch(url, None, None).await?),
    };
    // What does not decode is not kept.
    let document = decode(url, &body)?;
    CACHE.with_borrow_mut(|cache| {
        if cache.get(url, now, max_age).is_none() {
            cache.put(url, now, body);
        }
    });
    Ok(document)
}

/// Posts a form, with an `Authorization` header if there is one.
pub async fn post<T: DeserializeOwned>(url: &str, authorization: Option<&str>, form: String) -> Result<T, String> {
    let body = fetch(url, authorization, Some(form)).await?;
    decode(url, &body)
}

fn decode<T: DeserializeOwned>(url: &str, body: &[u8]) -> Result<T, String> {
    // Not with the error's own text, which may quote a token.
    protocol::json::from_slice(body)
        .map_err(|error| format!("{url} answered what has another form ({:?})", error.classify()))
}

async fn fetch(url: &str, authorization: Option<&str>, form: Option<String>) -> Result<Vec<u8>, String> {
    let abort = AbortController::default();
    let signal = abort.signal();
    let answer = std::pin::pin!(ask(url, authorization, form, &signal));
    match select(answer, Delay::from(TIMEOUT)).await {
        Either::Left((result, _)) => result.map_err(|error| format!("{url} {error}")),
        Either::Right(_) => {
            abort.abort();
            Err(format!("{url} did not answer within {} seconds", TIMEOUT.as_secs()))
        }
    }
}

async fn ask(
    url: &str,
    authorization: Option<&str>,
    form: Option<String>,
    signal: &AbortSignal,
) -> Result<Vec<u8>, String> {
    let mut headers = vec![("accept", "application/json")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    if form.is_some() {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
    }
    let request = outgoing::request(url, &headers, form).map_err(|error| format!("cannot be asked: {error}"))?;
    let mut response = Fetch::Request(request)
        .send_with_signal(signal)
        .await
        .map_err(|error| format!("cannot be reached: {error}"))?;
    let status = response.status_code();
    if !(200..300).contains(&status) {
        return Err(format!("answered {status}"));
    }
    let mut stream = response.stream().map_err(|error| format!("gave no body: {error}"))?;
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend(chunk.map_err(|error| format!("broke off: {error}"))?);
        if body.len() > MAX_BODY {
            return Err(format!("answered more than {MAX_BODY} bytes"));
        }
    }
    Ok(body)
}
