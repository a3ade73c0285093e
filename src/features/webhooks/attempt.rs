//! One attempt to post a delivery: signed, bounded in time, never led elsewhere, and read no further than is shown.
use chrono::Utc;
use futures_util::StreamExt;
use protocol::api::secret::Secret;
use worker::{Fetch, Response};

use super::signature;
use super::store::outbox::Outcome;
use crate::platform::outgoing;

/// How long a receiver may take. One that has much to do answers first and does it then.
const TIMEOUT_MILLISECONDS: u32 = 10_000;

/// How much of an answer is kept: enough for the words of an error.
const MAX_SHOWN: usize = 1024;

/// Posts `body` to `url` as the message `id`, signed by each secret.
pub async fn post(url: &str, secrets: &[Secret], id: &str, body: &str) -> Outcome {
    let began = Utc::now();
    let answer = ask(url, secrets, id, body).await;
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

async fn ask(url: &str, secrets: &[Secret], id: &str, body: &str) -> Result<(u16, String), String> {
    let timestamp = Utc::now().timestamp();
    let signature = signature::sign_by_all(secrets, id, timestamp, body).ok_or("The webhook has no valid secret")?;
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp.to_string()),
        ("webhook-signature", &signature),
    ];
    let request = outgoing::request(url, &headers, Some(body.to_owned())).map_err(|_| "The address cannot be asked")?;
    let timeout = web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MILLISECONDS);
    // What the runtime says of a failure may name what stands between us and the receiver.
    let response = Fetch::Request(request).send_with_signal(&timeout.into()).await;
    let response = response.map_err(|error| match error.to_string().to_lowercase().contains("timeout") {
        true => format!("It did not answer within {} seconds", TIMEOUT_MILLISECONDS / 1000),
        false => "It cannot be reached".to_owned(),
    })?;
    let status = response.status_code();
    Ok((status, beginning(response).await))
}

/// The first bytes of an answer. One that breaks off or does not end has been given all the same.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut stream) = response.stream() {
        while bytes.len() < MAX_SHOWN {
            match stream.next().await {
                Some(Ok(chunk)) => bytes.extend(chunk),
                _ => break,
            }
        }
    }
    shown(&bytes)
}

/// As text, and as the database keeps it.
fn shown(bytes: &[u8]) -> String {
    let first = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    String::from_utf8_lossy(first).replace('\0', "\u{FFFD}")
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
