//! What is refused, and how one gets to the edge.
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use crate::support::{Edge, within};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_machine_is_not_deleted_without_anybody_to_ask() {
    let edge = Edge::start().await;
    let child = edge.vsay(&["delete", "web"]).stdin(Stdio::null()).spawn().unwrap();
    edge.list().await;
    // Had it asked the edge for more than the list, it would still wait for an answer.
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("say --yes"), "{}", said(&output));
}

#[tokio::test]
async fn a_sign_in_that_others_may_read_is_not_used() {
    let edge = Edge::start().await;
    std::fs::set_permissions(edge.config(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = within("the end", edge.vsay(&["list"]).output()).await.unwrap();
    let remedy = format!("chmod 600 {}", edge.config().display());
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&remedy), "{}", said(&output));
}

#[tokio::test]
async fn requests_and_terminals_go_through_the_proxy() {
    let edge = Edge::start().await;
    // The edge of the test is its own proxy: what asks it for another name came as to one.
    edge.sign_in_at("http://edge.invalid");
    let mut child = edge
        .vsay(&["connect", "web"])
        .env("http_proxy", edge.url())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut relay = edge.terminal().await;
    relay.exit(7).await;
    let status = within("the end", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(7));
}

#[tokio::test]
async fn a_name_that_the_proxy_is_not_for_is_not_asked_of_it() {
    let edge = Edge::start().await;
    edge.sign_in_at("http://edge.invalid");
    let mut list = edge.vsay(&["list"]);
    list.env("HTTP_PROXY", edge.url())
        .env("no_proxy", "example.com,.invalid");
    let output = within("the end", list.output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("cannot reach http://edge.invalid"), "{said}");
    assert!(edge.was_left_alone().await);
}
