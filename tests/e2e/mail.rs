//! Letters arrive, by both transports.
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::account::{Account, Anonymous};
use crate::support::mail::letter;
use crate::support::stack::Stack;
use crate::support::wait::within;

/// Somebody who is no administrator, so that their account may be disabled when it is not used; and the time of the first
/// warning.
async fn idle(stack: &Stack) -> (Account, String) {
    let somebody = Account::new(stack).await;
    stack.sql(&format!("UPDATE users SET role = 'user' WHERE id = '{}'", somebody.id));
    let time = chrono::Utc::now() + chrono::TimeDelta::days(24);
    (somebody, time.to_rfc3339())
}

#[tokio::test]
async fn a_letter_arrives_with_text_and_html_and_links_to_the_edge() {
    let stack = Stack::start(&[]).await;
    let (somebody, warned_at) = idle(&stack).await;
    stack.scheduled(&warned_at);
    let mail = letter(&stack, &somebody.email, "will be disabled in").await;
    assert_eq!(mail.from, "edge@example.com");
    assert!(
        mail.text.contains(&somebody.username) && mail.html.contains(&somebody.username),
        "{mail:#?}"
    );
    assert_eq!(mail.link("http://"), stack.url);
}

// The mail service must answer while this test waits for the scheduled work.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_posted_to_a_mail_service() {
    let service = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/emails", service.local_addr().expect("bound"));
    let stack = Stack::start(&[
        ("MAIL_TRANSPORT", "http"),
        ("MAIL_HTTP_URL", &url),
        ("MAIL_HTTP_KEY", "hunter2"),
        ("MAIL_FROM", "Someone <someone@example.net>"),
        ("BASE_URL", "https://edge.example.net/"),
    ])
    .await;
    let (somebody, warned_at) = idle(&stack).await;
    let posted = tokio::spawn(async move { posted(service).await });
    stack.scheduled(&warned_at);
    let (head, body) = within("the mail service to be called", posted).await.expect("it was");
    assert!(head.starts_with("POST /emails HTTP/1.1\r\n"), "{head}");
    assert!(
        head.to_lowercase().contains("authorization: bearer hunter2\r\n"),
        "{head}"
    );
    assert_eq!(
        (&body["from"], &body["to"]),
        (&json!("Someone <someone@example.net>"), &json!([somebody.email]))
    );
    for part in ["text", "html"] {
        let part = body[part].as_str().expect("a part");
        assert!(
            part.contains("https://edge.example.net") && !part.contains("edge.example.net//"),
            "{part}"
        );
    }
}

/// Takes one request and answers 200.
async fn posted(service: TcpListener) -> (String, Value) {
    let (mut socket, _) = service.accept().await.expect("a caller");
    let (head, body) = request(&mut socket).await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    socket.write_all(answer).await.expect("it listens");
    (head, serde_json::from_slice(&body).expect("JSON"))
}

async fn request(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at + 2]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().ok())?
            });
            let length = length.expect("a length");
            if bytes.len() >= at + 4 + length {
                return (head, bytes[at + 4..at + 4 + length].to_vec());
            }
        }
        assert_ne!(
            socket.read_buf(&mut bytes).await.expect("it speaks"),
            0,
            "the caller hung up"
        );
    }
}

#[tokio::test]
async fn half_a_mail_setup_is_refused_and_says_what_is_missing() {
    let stack = Stack::start(&[("MAIL_TRANSPORT", "http")]).await;
    let answer = Anonymous::at(&stack).ask(Method::GET, "/api/auth/me", None).await;
    let (status, error) = answer.refusal();
    assert_eq!(status, 503);
    assert!(error.contains("MAIL_HTTP_KEY"), "{error}");
}
