//! Input that ends, and output that nobody reads any more.
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Edge, within};

#[tokio::test]
async fn input_that_ends_is_ended_for_the_shell_too_until_it_takes_notice() {
    for (input, typed) in [
        ("echo one\necho two\n", &b"echo one\necho two\n\x04"[..]),
        // Without a line break at its end.
        ("echo one", b"echo one\n\x04"),
        ("", b"\x04"),
    ] {
        let edge = Edge::start().await;
        let mut child = edge.vsay(&["connect", "web"]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let mut relay = edge.terminal().await;
        relay.wait_for(typed).await;
        assert_eq!(relay.typed, typed);
        // A shell that ran a command in that moment has not seen it, and comes back with a prompt.
        relay.write("one\r\n$ ").await;
        relay.wait_for(b"\x04\x04").await;
        relay.write("exit\r\n").await;
        relay.exit(3).await;
        let output = within("the end", child.wait_with_output()).await.unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert_eq!(output.stdout, b"one\r\n$ exit\r\n");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[tokio::test]
async fn a_list_that_nobody_reads_ends_quietly() {
    let edge = Edge::start().await;
    let mut child = edge.vsay(&["list"]).spawn().unwrap();
    drop(child.stdout.take());
    edge.list().await;
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]));

    for args in [&["version"][..], &["logout"]] {
        let mut child = edge.vsay(args).spawn().unwrap();
        drop(child.stdout.take());
        let output = within("the end", child.wait_with_output()).await.unwrap();
        assert!(matches!(output.status.code(), Some(0 | 141)), "{output:?}");
        assert_eq!(output.stderr, b"", "{args:?}");
    }
}

#[tokio::test]
async fn a_terminal_whose_output_nobody_reads_any_more_is_left() {
    let edge = Edge::start().await;
    let mut child = edge.vsay(&["connect", "web"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut relay = edge.terminal().await;
    relay.write("first\r\n").await;
    let mut first = [0; 7];
    within("the first line", stdout.read_exact(&mut first)).await.unwrap();
    drop(stdout);
    relay.write("second\r\n").await;
    relay.goodbye().await;
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]));
}

#[tokio::test]
async fn complaints_that_nobody_reads_are_no_reason_to_break() {
    let edge = Edge::start().await;
    std::fs::remove_file(edge.config()).unwrap();
    let mut child = edge.vsay(&["status"]).stdin(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
}
