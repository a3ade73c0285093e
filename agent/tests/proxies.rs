//! Networks with something in the way: a proxy that everything goes through, an authority that only the company knows.
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::enrolment::{ACCEPTED, answer};
use crate::support::{self, Machine, Relay, shell_account, within};

/// A name that only the proxy knows.
const EDGE: &str = "edge.invalid";

/// The first line of a request, and the line that says who asks.
type Asked = (String, Option<String>);

/// A proxy in front of an edge: it forwards requests in plain text, and tunnels to the edge, which is behind TLS there.
struct Proxy {
    url: String,
    /// In the order in which it came.
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    async fn before(relay: &Relay, tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://ann:s3cret@{}", listener.local_addr().unwrap());
        let edge = relay.listener().local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let book = seen.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let (tls, book) = (tls.clone(), book.clone());
                tokio::spawn(async move {
                    let head = head(&mut client).await;
                    let line = head.lines().next().unwrap().to_owned();
                    let names_somebody = |line: &&str| line.to_lowercase().starts_with("proxy-authorization: ");
                    let who = head.lines().find(names_somebody).map(str::to_owned);
                    book.lock().unwrap().push((line.clone(), who));
                    let mut edge = TcpStream::connect(edge).await.unwrap();
                    if line.starts_with("CONNECT") {
                        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                        let client = tls.accept(client).await.unwrap();
                        carry(client, edge).await;
                    } else {
                        let head = head.replacen(&format!("http://{EDGE}"), "", 1);
                        edge.write_all(head.as_bytes()).await.unwrap();
                        carry(client, edge).await;
                    }
                });
            }
        });
        Self { url, seen }
    }
}

async fn carry(mut client: impl AsyncRead + AsyncWrite + Unpin, mut edge: TcpStream) {
    // However it ends, the test sees it at its own end.
    let _ = copy_bidirectional(&mut client, &mut edge).await;
}

async fn head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("a request", tcp.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A certificate for the edge, put into a file that a program can be told to trust.
fn certificate(file: &Path) -> TlsAcceptor {
    certificate_of(1975..=4096, file)
}

/// The same, of these years.
fn certificate_of(years: RangeInclusive<i32>, file: &Path) -> TlsAcceptor {
    let mut parameters = rcgen::CertificateParams::new([EDGE.to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(*years.start(), 1, 1);
    parameters.not_after = rcgen::date_time_ymd(*years.end(), 12, 31);
    let signing_key = rcgen::KeyPair::generate().unwrap();
    let cert = parameters.self_signed(&signing_key).unwrap();
    std::fs::write(file, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The agent, in no environment but the one given.
fn program() -> Command {
    let mut command = support::program();
    command.env_clear();
    command
}

#[tokio::test]
async fn a_machine_behind_a_proxy_is_enrolled_and_connects() {
    for (variable, scheme, enrolment, link_line) in [
        (
            "HTTPS_PROXY",
            "https",
            "CONNECT edge.invalid:443 HTTP/1.1",
            "CONNECT edge.invalid:443 HTTP/1.1",
        ),
        (
            "all_proxy",
            "https",
            "CONNECT edge.invalid:443 HTTP/1.1",
            "CONNECT edge.invalid:443 HTTP/1.1",
        ),
        (
            "http_proxy",
            "http",
            "POST http://edge.invalid/agent/enroll HTTP/1.1",
            "GET http://edge.invalid/agent/connect HTTP/1.1",
        ),
    ] {
        let (relay, directory) = (Relay::start().await, tempfile::tempdir().unwrap());
        let authority = directory.path().join("company.pem");
        let proxy = Proxy::before(&relay, certificate(&authority)).await;
        let config = directory.path().join("agent.yaml");
        let mut configure = program();
        configure
            .args([
                "configure",
                "--no-service",
                "--token",
                "t",
                "--linux-user",
                &shell_account().name,
            ])
            .args(["--host", &format!("{scheme}://{EDGE}"), "--config"])
            .arg(&config)
            .env(variable, &proxy.url)
            .env("SSL_CERT_FILE", &authority);
        let configured = tokio::spawn(async move { configure.output().await.unwrap() });
        answer(relay.listener(), "201 Created", ACCEPTED).await;
        let configured = within("configure ends", configured).await.unwrap();
        let said = String::from_utf8_lossy(&configured.stderr).into_owned();
        assert!(configured.status.success(), "{variable}: {said}");

        let _agent = program()
            .args(["start", "--config"])
            .arg(&config)
            .env(variable, &proxy.url)
            .env("SSL_CERT_FILE", &authority)
            .spawn()
            .unwrap();
        relay.welcome().await;

        let seen = proxy.seen.lock().unwrap().clone();
        let lines: Vec<&str> = seen.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(lines, [enrolment, link_line], "{variable}");
        // ann:s3cret
        for (_, who) in &seen {
            assert!(who.as_deref().unwrap().ends_with("Basic YW5uOnMzY3JldA=="), "{who:?}");
        }
    }
}

#[tokio::test]
async fn an_edge_on_this_machine_is_reached_without_the_proxy() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let _agent = program()
        .args(["start", "--config"])
        .arg(machine.config_file())
        .env("HTTP_PROXY", proxy)
        .spawn()
        .unwrap();
    relay.welcome().await;
}

#[tokio::test]
async fn an_authority_that_is_not_known_is_not_trusted_and_said() {
    let (relay, directory) = (Relay::start().await, tempfile::tempdir().unwrap());
    let tls = certificate(&directory.path().join("unknown.pem"));
    let proxy = Proxy::before(&relay, tls).await;
    let configured = program()
        .args([
            "configure",
            "--no-service",
            "--token",
            "t",
            "--linux-user",
            &shell_account().name,
        ])
        .args(["--host", &format!("https://{EDGE}"), "--config"])
        .arg(directory.path().join("agent.yaml"))
        .env("HTTPS_PROXY", &proxy.url)
        .output();
    let configured = within("configure ends", configured).await.unwrap();
    let said = String::from_utf8_lossy(&configured.stderr).into_owned();
    assert!(!configured.status.success() && said.contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_certificate_whose_time_is_another_is_said_together_with_this_machines_clock() {
    for (years, fault) in [
        (1975..=1999, "certificate expired at 1999-12-31"),
        (4000..=4096, "certificate is not valid before 4000-01-01"),
    ] {
        let relay = Relay::start().await;
        let mut machine = Machine::enrolled_with(&relay);
        let authority = machine.directory.path().join("company.pem");
        let proxy = Proxy::before(&relay, certificate_of(years, &authority)).await;
        machine.config.server.host = format!("https://{EDGE}").parse().unwrap();
        let mut configure = program();
        configure
            .args([
                "configure",
                "--no-service",
                "--token",
                "t",
                "--linux-user",
                &shell_account().name,
            ])
            .args(["--host", &format!("https://{EDGE}"), "--config"])
            .arg(machine.directory.path().join("new.yaml"));
        let mut start = program();
        start.arg("start").arg("--config").arg(machine.config_file());
        for mut command in [configure, start] {
            let mut running = command
                .env("HTTPS_PROXY", &proxy.url)
                .env("SSL_CERT_FILE", &authority)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
            let told = within("words about the certificate", async {
                loop {
                    let line = lines.next_line().await.unwrap().expect("some words");
                    if line.contains("certificate") {
                        return line;
                    }
                }
            })
            .await;
            assert!(told.contains(fault) && told.contains("set the clock"), "{told}");
        }
    }
}
