//! Enrolment, and what an edge can say to it.
use std::process::Output;

use protocol::ids::StreamId;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vsay_agent::command::{Commands, Journal};
use vsay_agent::config::Config;
use vsay_agent::identity::Identity;

use crate::support::{note, program, shell_account, within};

/// Answers one request with `status` and `body`, and gives back what was asked: the request line and the body.
pub async fn answer(listener: &TcpListener, status: &str, body: &str) -> (String, Value) {
    let (mut socket, _) = within("a request", listener.accept()).await.unwrap();
    let mut request = Vec::new();
    let (head, length) = loop {
        let mut buffer = [0; 4096];
        let count = within("the head", socket.read(&mut buffer)).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head.to_owned(), length.unwrap_or(0usize));
        }
    };
    while request.len() < head.len() + 4 + length {
        let mut buffer = [0; 4096];
        let count = within("the body", socket.read(&mut buffer)).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
    }
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(response.as_bytes()).await.unwrap();
    let asked = serde_json::from_slice(&request[head.len() + 4..]).unwrap();
    (head.lines().next().unwrap().to_owned(), asked)
}

struct Setup {
    listener: TcpListener,
    directory: tempfile::TempDir,
}

impl Setup {
    async fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn configure(&self, extra: &[&str]) -> tokio::task::JoinHandle<Output> {
        let mut command = program();
        command
            .args(["configure", "--no-service", "--host"])
            .arg(format!("http://{}", self.listener.local_addr().unwrap()))
            .args(["--linux-user", &shell_account().name, "--config"])
            .arg(self.directory.path().join("sub/agent.yaml"))
            .args(extra)
            .env("VSAY_TOKEN", "s3cr3t");
        tokio::spawn(async move { command.output().await.unwrap() })
    }
}

/// On a machine where tests run as root, accounts other than root's can be configured; elsewhere only one's own.
async fn output(running: tokio::task::JoinHandle<Output>) -> (bool, String, String) {
    let output = within("configure ends", running).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

pub const ACCEPTED: &str = r#"{"agent_id":"0123456789ab","machine_id":"0123456789abcdef01234567","name":"web-1"}"#;

#[tokio::test]
async fn a_machine_becomes_known_and_remembers_it() {
    let setup = Setup::new().await;
    let running = setup.configure(&["--name", "web-1", "--project", "shop", "--tenant", "acme"]);
    let (line, asked) = answer(&setup.listener, "201 Created", ACCEPTED).await;
    let (success, stdout, stderr) = output(running).await;
    assert!(success, "{stderr}");
    assert_eq!(line, "POST /agent/enroll HTTP/1.1");

    let path = setup.directory.path().join("sub/agent.yaml");
    let config = Config::load(&path).unwrap();
    assert!(config.unknown.is_empty());
    let config = config.config;
    assert_eq!(
        (config.agent.id.as_str(), config.agent.name.as_str()),
        ("0123456789ab", "web-1")
    );
    assert_eq!(config.agent.metadata["project"], "shop");
    assert_eq!(config.agent.metadata["tenant"], "acme");
    let identity = Identity::load(&config.server.key_file).unwrap();
    assert_eq!(asked["public_key"], json!(identity.public_key()));
    assert_eq!(asked["token"], json!("s3cr3t"));
    assert_eq!(asked["name"], json!("web-1"));
    assert_eq!(asked["linux_user"], json!(shell_account().name));
    assert_eq!(asked["allow_sudo"], json!(false));
    assert_eq!(asked["version"], json!(env!("CARGO_PKG_VERSION")));
    assert!(asked["hostname"].is_string() && asked["os"].is_string());
    let host_id = asked["host_id"].clone();
    assert_eq!(host_id.as_str().unwrap().len(), 64);
    // The secret is in one file and nowhere else.
    let yaml = std::fs::read_to_string(&path).unwrap();
    assert!(!yaml.contains("s3cr3t") && !yaml.contains("PRIVATE"), "{yaml}");
    assert!(!stdout.contains("s3cr3t"), "{stdout}");
    assert!(stdout.contains("vsay-agent start --config"), "{stdout}");
    use std::os::unix::fs::PermissionsExt;
    for file in [&path, &config.server.key_file, &path.with_extension("host-id")] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // And again, which replaces the key: it is the same installation.
    let running = setup.configure(&[]);
    let (_, asked) = answer(&setup.listener, "201 Created", ACCEPTED).await;
    assert!(output(running).await.0);
    assert_ne!(asked["public_key"], json!(identity.public_key()));
    assert_eq!(asked["host_id"], host_id);
    assert_eq!(asked.get("name"), None);
}

#[tokio::test]
async fn installations_of_one_image_are_hosts_of_their_own() {
    // They share the system's machine id, or have none.
    let mut ids = Vec::new();
    for _ in 0..2 {
        let setup = Setup::new().await;
        let running = setup.configure(&[]);
        let (_, asked) = answer(&setup.listener, "201 Created", ACCEPTED).await;
        assert!(output(running).await.0);
        ids.push(asked["host_id"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_enrolment_whose_answer_was_lost_is_tried_again_as_the_same_host() {
    let setup = Setup::new().await;
    let running = setup.configure(&[]);
    let (mut socket, _) = within("a request", setup.listener.accept()).await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut buffer = [0; 4096];
        let count = within("the request", socket.read(&mut buffer)).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
    }
    drop(socket);
    assert!(!output(running).await.0);
    let text = String::from_utf8(request).unwrap();
    let lost: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();

    let running = setup.configure(&[]);
    let (_, asked) = answer(&setup.listener, "201 Created", ACCEPTED).await;
    assert!(output(running).await.0);
    assert_eq!(asked["host_id"], lost["host_id"]);
}

#[tokio::test]
async fn a_copy_becomes_a_machine_of_its_own_and_stays_as_it_was_otherwise() {
    let setup = Setup::new().await;
    let running = setup.configure(&["--project", "shop", "--name", "web-1"]);
    let (_, first) = answer(&setup.listener, "201 Created", ACCEPTED).await;
    assert!(output(running).await.0);
    let path = setup.directory.path().join("sub/agent.yaml");
    let mut before = Config::load(&path).unwrap().config;
    before.logging.level = "debug".into();
    before.storage.directory = setup.directory.path().to_owned();
    before.save(&path).unwrap();
    // What the original was about to report.
    let original = Commands::of(&before);
    note(&Journal::file_of(&before.server.key_file), r#"{"started":7}"#);
    let records = before.storage.records(&before.agent.id);
    std::fs::create_dir(&records).unwrap();

    let become_another = || {
        let mut command = program();
        command
            .args(["configure", "--no-service", "--new-identity", "--config"])
            .arg(&path)
            .env("VSAY_TOKEN", "an0ther");
        tokio::spawn(async move { command.output().await.unwrap() })
    };
    // Refused, it is what it was.
    let running = become_another();
    answer(&setup.listener, "401 Unauthorized", r#"{"error":"invalid token"}"#).await;
    assert!(!output(running).await.0);
    let same = Config::load(&path).unwrap().config;
    assert_eq!(same, before);
    let left = Commands::of(&same);
    assert_eq!((left.journal(), left.known()), (original.journal(), vec![StreamId(7)]));
    assert!(records.exists());
    let key = Identity::load(&before.server.key_file).unwrap().public_key();
    assert_eq!(first["public_key"], json!(key));

    let running = become_another();
    let accepted = ACCEPTED
        .replace("0123456789ab\"", "ba9876543210\"")
        .replace("web-1", "web-2");
    let (_, second) = answer(&setup.listener, "201 Created", &accepted).await;
    let (success, _, stderr) = output(running).await;
    assert!(success, "{stderr}");
    for field in ["public_key", "host_id", "token"] {
        assert_ne!(second[field], first[field], "{field}");
    }
    // The copy's own host name names it.
    assert_eq!(
        (second.get("name"), &second["linux_user"]),
        (None, &first["linux_user"])
    );
    let after = Config::load(&path).unwrap().config;
    assert_eq!(
        (after.agent.id.as_str(), after.agent.name.as_str()),
        ("ba9876543210", "web-2")
    );
    assert_eq!(after.agent.metadata, before.agent.metadata);
    // It answers for no command of the original's, and reports none.
    let own = Commands::of(&after);
    assert!(own.journal().is_some() && own.journal() != original.journal());
    assert!(own.known().is_empty() && !records.exists());
    assert_eq!((after.server, after.logging), (before.server, before.logging));
}

#[tokio::test]
async fn a_refusal_is_said_in_words_and_leaves_nothing_behind() {
    for (status, body, words) in [
        (
            "401 Unauthorized",
            r#"{"error":"invalid token"}"#,
            "does not accept this token (invalid token)",
        ),
        (
            "403 Forbidden",
            r#"{"error":"machine has been revoked"}"#,
            "machine has been revoked",
        ),
        ("404 Not Found", "nope", "not as a VSAY edge does"),
        ("200 OK", "<html>", "not as a VSAY edge does"),
        ("201 Created", r#"{"agent_id":"BAD"}"#, "not as a VSAY edge does"),
        (
            "400 Bad Request",
            r#"{"error":"name","detail":"name is too long"}"#,
            "400 Bad Request: name: name is too long",
        ),
        ("302 Found", "", "not as a VSAY edge does"),
    ] {
        let setup = Setup::new().await;
        let running = setup.configure(&[]);
        answer(&setup.listener, status, body).await;
        let (success, _, stderr) = output(running).await;
        assert!(!success);
        assert!(stderr.contains(words), "{stderr}");
        assert!(!stderr.contains("s3cr3t"), "{stderr}");
        assert!(!setup.directory.path().join("sub").exists());
    }
}

#[tokio::test]
async fn an_edge_that_is_not_there_is_named() {
    let setup = Setup::new().await;
    let address = setup.listener.local_addr().unwrap();
    let Setup { listener, directory } = setup;
    drop(listener);
    let running = program()
        .args([
            "configure",
            "--no-service",
            "--token",
            "t",
            "--host",
            &format!("http://{address}"),
        ])
        .args(["--linux-user", &shell_account().name, "--config"])
        .arg(directory.path().join("agent.yaml"))
        .output();
    let output = within("configure ends", running).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(&format!("cannot reach http://{address}/")), "{stderr}");
    assert!(stderr.contains("refused"), "{stderr}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_the_token_is_spent() {
    let setup = Setup::new().await;
    for (extra, words) in [
        (&["--host-entry", "nonsense"][..], "IP:DOMAIN"),
        (&["--name", ""], "--name must be 1 to 128"),
        (
            &["--api-host", "ftp://x"],
            "--api-host must be an http:// or https:// address",
        ),
        (&["--token", " "], "the token is empty"),
    ] {
        let (success, _, stderr) = output(setup.configure(extra)).await;
        assert!(!success, "{extra:?}");
        // Without root the flag itself is refused.
        assert!(
            stderr.contains(words) || stderr.contains("needs root"),
            "{extra:?}: {stderr}"
        );
    }
}
