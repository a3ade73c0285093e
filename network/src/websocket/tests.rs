use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, ClientBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::*;
use crate::builder;

const SUBPROTOCOL: &str = "test.v1";

/// No condition of a test takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: did not happen within {DEADLINE:?}"))
}

fn client() -> Client {
    builder_for("http://127.0.0.1").build().unwrap()
}

fn builder_for(edge: &str) -> ClientBuilder {
    builder("test", &edge.parse().unwrap()).unwrap()
}

async fn open_at(client: &Client, address: &str) -> Result<Opened, OpenError> {
    open(client.get(address), SUBPROTOCOL, WebSocketConfig::default()).await
}

/// Takes one WebSocket and sends back what comes.
async fn echo(tcp: TcpStream) {
    #[allow(clippy::result_large_err)]
    let check = |request: &Request, mut response: Response| {
        assert_eq!(request.headers()[SEC_WEBSOCKET_PROTOCOL.as_str()], SUBPROTOCOL);
        let subprotocol = SUBPROTOCOL.parse().unwrap();
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL.as_str(), subprotocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(tcp, check).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() {
            socket.send(message).await.unwrap();
        }
    }
}

/// Reads the head of a request.
async fn head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("a request", tcp.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A server that answers each request with this.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            head(&mut tcp).await;
            tcp.write_all(answer.as_bytes()).await.unwrap();
            // Until the client has read it and hung up.
            let _ = tcp.read(&mut [0; 1]).await;
        }
    });
    address
}

#[tokio::test]
async fn what_is_sent_comes_whole_and_our_own_address_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { echo(listener.accept().await.unwrap().0).await });
    let opened = within("the socket", open_at(&client(), &address)).await.unwrap();
    assert_eq!(opened.local, Some(Ipv4Addr::LOCALHOST.into()));
    let (mut sink, mut source) = opened.socket.split();
    let sent: Vec<Message> = (0..40u8)
        .map(|n| Message::binary(vec![n; usize::from(n) * 1000]))
        .collect();
    for message in &sent {
        sink.send(message.clone()).await.unwrap();
    }
    for message in sent {
        assert_eq!(within("an echo", source.next()).await.unwrap().unwrap(), message);
    }
}

#[tokio::test]
async fn an_address_that_swallows_packets_does_not_keep_the_socket_away() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let deaf = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let Ok(_hole) = Hole::dig(deaf).await else {
        eprintln!("not tried: this machine has no IPv6 at all");
        return;
    };
    tokio::spawn(async move { echo(listener.accept().await.unwrap().0).await });
    let both = [deaf, SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    let client = builder_for("http://edge.test")
        // The environment of whoever runs the tests is none of ours.
        .no_proxy()
        .resolve_to_addrs("edge.test", &both)
        .build()
        .unwrap();
    let address = format!("http://edge.test:{port}/");
    let opened = within("the socket", open_at(&client, &address)).await.unwrap();
    assert_eq!(opened.local, Some(Ipv4Addr::LOCALHOST.into()));
}

/// An address whose packets vanish: a listener that accepts nothing, with its queue full.
struct Hole {
    _listener: TcpListener,
    _queue: Vec<tokio::task::JoinHandle<()>>,
}

impl Hole {
    async fn dig(address: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v6()?;
        socket.bind(address)?;
        let listener = socket.listen(1)?;
        let mut queue = Vec::new();
        // The kernel lets one or two more in than was asked for, and then answers nothing.
        let mut swallowed = false;
        while !swallowed {
            let (told, connected) = tokio::sync::oneshot::channel();
            queue.push(tokio::spawn(async move {
                let stream = TcpStream::connect(address).await;
                let _ = told.send(());
                let _kept = stream;
                std::future::pending::<()>().await;
            }));
            swallowed = timeout(Duration::from_millis(500), connected).await.is_err();
        }
        Ok(Self {
            _listener: listener,
            _queue: queue,
        })
    }
}

impl Drop for Hole {
    fn drop(&mut self) {
        self._queue.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test]
async fn a_refusal_comes_with_its_words_and_headers() {
    let address = answering(
        "HTTP/1.1 403 Forbidden\r\ndate: Fri, 15 Jan 2027 08:00:00 GMT\r\ncontent-length: 14\r\n\r\n{\"error\":\"no\"}",
    )
    .await;
    match within("the answer", open_at(&client(), &address)).await {
        Err(OpenError::Refused(refusal)) => {
            assert_eq!(refusal.status, StatusCode::FORBIDDEN);
            assert_eq!(refusal.body, b"{\"error\":\"no\"}");
            assert_eq!(refusal.headers["date"], "Fri, 15 Jan 2027 08:00:00 GMT");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_followed_by_nobody() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let address = answering(answer).await;
    let error = within("the answer", open_at(&client(), &address)).await.unwrap_err();
    assert!(error.to_string().contains("302 Found"), "{error}");
}

#[tokio::test]
async fn an_answer_that_only_looks_like_a_websocket_is_none() {
    let address = answering(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\nsec-websocket-protocol: test.v1\r\n\r\n",
    )
    .await;
    let error = within("the answer", open_at(&client(), &address)).await.unwrap_err();
    assert!(matches!(error, OpenError::Unproven), "{error}");
}

#[tokio::test]
async fn a_server_without_our_protocol_is_none_of_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(tcp).await.unwrap();
    });
    let error = within("the answer", open_at(&client(), &address)).await.unwrap_err();
    assert!(matches!(error, OpenError::Subprotocol(SUBPROTOCOL)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_said_in_the_words_of_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = within("the answer", open_at(&client(), &address)).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_name_and_carries_the_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5h://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        // Version 5, one method, no authentication (RFC 1928).
        let mut greeting = [0; 3];
        tcp.read_exact(&mut greeting).await.unwrap();
        assert_eq!(greeting, [5, 1, 0]);
        tcp.write_all(&[5, 0]).await.unwrap();
        // CONNECT to a name.
        let mut request = [0; 5];
        tcp.read_exact(&mut request).await.unwrap();
        assert_eq!(request, [5, 1, 0, 3, "edge.invalid".len() as u8]);
        let mut target = vec![0; "edge.invalid".len() + 2];
        tcp.read_exact(&mut target).await.unwrap();
        assert_eq!(target, b"edge.invalid\x00\x50");
        tcp.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.unwrap();
        echo(tcp).await;
    });
    let client = builder_for("http://edge.invalid")
        .proxy(reqwest::Proxy::all(proxy).unwrap())
        .build()
        .unwrap();
    let opened = within("the socket", open_at(&client, "http://edge.invalid/"))
        .await
        .unwrap();
    drop(opened);
    within("the proxy", server).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_refuses_is_said_to_be_one() {
    for (answer, words) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy does not let us through"),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "the proxy does not let us through (proxy authorization required)",
        ),
    ] {
        let client = builder_for("https://edge.invalid")
            .proxy(reqwest::Proxy::all(answering(answer).await).unwrap())
            .build()
            .unwrap();
        let error = within("the answer", open_at(&client, "https://edge.invalid/"))
            .await
            .unwrap_err();
        assert!(error.to_string().starts_with(words), "{error}");
    }
}
