//! How messages leave: the platform's own binding, or a mail service over HTTP.
use serde::Serialize;
use worker::{Env, Fetch};

use super::message::Message;
use crate::platform::outgoing;
use crate::platform::settings::mail::{MailSettings, Transport};

/// The name of the `send_email` binding.
const BINDING: &str = "MAIL";

/// How long a mail service may take: they answer in a second or two, and somebody may be waiting.
const TIMEOUT_MILLISECONDS: u32 = 15_000;

/// What a mail service is posted.
#[derive(Serialize)]
struct Posted<'a> {
    from: String,
    to: [&'a str; 1],
    subject: &'a str,
    text: &'a str,
    html: &'a str,
}

/// Sends a message. The error is for a log and may quote the address.
pub async fn send(settings: &MailSettings, env: &Env, message: &Message) -> Result<(), String> {
    match &settings.transport {
        Transport::Binding => bound(env, message).await,
        Transport::Http { url, key } => post(url, key.expose(), message).await,
    }
}

async fn bound(env: &Env, message: &Message) -> Result<(), String> {
    let binding = env
        .send_email(BINDING)
        .map_err(|_| format!("the binding {BINDING} is missing"))?;
    let raw = message.mime()?;
    let mail = worker::EmailMessage::new(message.from.address.as_str(), message.to.as_str(), &raw)
        .map_err(|error| String::from(error.message()))?;
    binding
        .send(&mail)
        .await
        .map_err(|error| String::from(error.message()))?;
    Ok(())
}

async fn post(url: &str, key: &str, message: &Message) -> Result<(), String> {
    let body = posted(message)?;
    let authorization = format!("Bearer {key}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let request = outgoing::request(url, &headers, Some(body)).map_err(|error| error.to_string())?;
    let timeout = web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MILLISECONDS);
    let response = Fetch::Request(request)
        .send_with_signal(&timeout.into())
        .await
        .map_err(|error| error.to_string())?;
    match response.status_code() {
        200..=299 => Ok(()),
        status => Err(format!("the mail service answered {status}")),
    }
}

fn posted(message: &Message) -> Result<String, String> {
    serde_json::to_string(&Posted {
        from: message.from.in_header(),
        to: [message.to.as_str()],
        subject: &message.subject,
        text: &message.text,
        html: &message.html,
    })
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::mail::Address;
    use crate::platform::settings::mail::Sender;

    #[test]
    fn a_mail_service_is_posted_both_parts() {
        let mut message = Message {
            name: "test",
            from: Sender {
                name: "VSAY Edge".into(),
                address: Address::parse("edge@example.com").unwrap(),
            },
            to: Address::parse("ann@example.org").unwrap(),
            subject: "Hi".into(),
            text: "text".into(),
            html: "<p>html</p>".into(),
        };
        let body = |message: &Message| serde_json::from_str::<serde_json::Value>(&posted(message).unwrap()).unwrap();
        assert_eq!(
            body(&message),
            json!({"from": "VSAY Edge <edge@example.com>", "to": ["ann@example.org"], "subject": "Hi", "text": "text",
                "html": "<p>html</p>"})
        );
        message.from.name.clear();
        assert_eq!(body(&message)["from"], "edge@example.com");
    }
}
