//! One attempt to post a delivery: signed, bounded in time, never led elsewhere, and read no further than is shown.
use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use protocol::api::secret::Secret;
use worker::{Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response};

use super::signature;
use super::store::outbox::Outcome;

/// How long a receiver may take. One that has much to do answers first and does it then.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long its answer may take after its status: what it says is shown, and nothing depends on it.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// How much of an answer is kept: enough for the words of an error.
const MAX_SHOWN: usize = 1024;

/// How we call ourselves.
const USER_AGENT: &str = "vsay-edge";

/// Posts `body` to `url` as the message `id`.
pub async fn post(url: &str, secret: &Secret, id: &str, body: &str) -> Outcome {
    let began = Utc::now();
    let answer = ask(url, secret, id, body).await;
    let (response_status, response, error) = match answer {
        Ok((status, response)) => (Some(status), response, verdict(status)),
        Err(error) => (None, String::new(), error),
    };
    Outcome {
        response_status,
        duration_ms: (Utc::now() - began).num_milliseconds(),
        response,
        error,
    }
}

/// What is wrong with a status, if anything is.
fn verdict(status: u16) -> String {
    match status {
        200..=299 => String::new(),
        300..=399 => format!("It answered {status}, and redirects are not followed"),
        _ => format!("It answered {status}"),
    }
}

async fn ask(url: &str, secret: &Secret, id: &str, body: &str) -> Result<(u16, String), String> {
    let timestamp = Utc::now().timestamp();
    let signature = signature::sign(secret, id, timestamp, body).ok_or("The webhook has no valid secret")?;
    let request = request(url, id, timestamp, &signature, body).map_err(|_| "The address cannot be asked")?;
    let asked = Fetch::Request(request);
    let response = match select(pin!(asked.send()), Delay::from(TIMEOUT)).await {
        // What the runtime says of a failure may name what stands between us and the receiver.
        Either::Left((response, _)) => response.map_err(|_| "It cannot be reached")?,
        Either::Right(_) => return Err(format!("It did not answer within {} seconds", TIMEOUT.as_secs())),
    };
    let status = response.status_code();
    Ok((status, beginning(response).await))
}

/// The first bytes of an answer. One that breaks off or does not end has been given all the same; the end of one that has no bytes is
/// not always told, so that it is not waited for.
async fn beginning(mut response: Response) -> String {
    let length = response.headers().get("content-length").ok().flatten();
    let bytes = RefCell::new(Vec::new());
    let read = async {
        let Ok(mut stream) = response.stream() else { return };
        while bytes.borrow().len() < MAX_SHOWN {
            match stream.next().await {
                Some(Ok(chunk)) => bytes.borrow_mut().extend(chunk),
                _ => break,
            }
        }
    };
    if length.as_deref() != Some("0") {
        select(pin!(read), Delay::from(READ_WITHIN)).await;
    }
    shown(&bytes.borrow())
}

/// As text, and as the database keeps it.
fn shown(bytes: &[u8]) -> String {
    let first = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    String::from_utf8_lossy(first).replace('\0', "\u{FFFD}")
}

fn request(url: &str, id: &str, timestamp: i64, signature: &str, body: &str) -> worker::Result<Request> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("user-agent", USER_AGENT)?;
    headers.set("webhook-id", id)?;
    headers.set("webhook-timestamp", &timestamp.to_string())?;
    headers.set("webhook-signature", signature)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body.into()))
        // Another address was not looked at.
        .with_redirect(RequestRedirect::Manual);
    Request::new_with_init(url, &init)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_2xx_is_an_arrival() {
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(status), "", "{status}");
        }
        for status in [199, 302, 307, 400, 410, 500] {
            assert!(verdict(status).contains(&status.to_string()), "{status}");
        }
        assert!(verdict(302).contains("redirects are not followed"));
    }

    #[test]
    fn of_an_answer_the_beginning_is_shown_whatever_it_is() {
        assert_eq!(shown(b"no"), "no");
        assert_eq!(shown(b"a\0b\xff"), "a\u{FFFD}b\u{FFFD}");
        assert_eq!(shown(&[b'x'; 5000]).len(), MAX_SHOWN);
    }
}
