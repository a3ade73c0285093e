//! The edge: workerd with the Worker, its Durable Objects and D1, on a free port with a database of its own.
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::process::{memory, scratch, signal};
use super::root;
use super::wait::eventually;

/// Settings of every stack: tests sign up far more often from one address than people do.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("CREDENTIALS_BY_ADDRESS", "1000000"),
    ("CREDENTIALS_BY_ACCOUNT", "1000000"),
    ("V1_REQUESTS", "1000000"),
    ("LETTERS_BY_RECIPIENT", "1000000"),
    ("RENEWALS_BY_ACCOUNT", "1000000"),
    // Receivers of webhooks run beside the tests.
    ("WEBHOOK_PRIVATE_ADDRESSES", "true"),
    // Nothing answers there: what a test does reaches no provider but its own.
    ("VULTR_API_URL", "http://127.0.0.1:9"),
];

/// A running edge. Ends when dropped, or with the process of the tests.
pub struct Stack {
    /// Its address, kept over restarts.
    pub url: String,
    settings: Vec<(String, String)>,
    folder: PathBuf,
    running: Mutex<Option<Running>>,
}

struct Running {
    node: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
    workerd: u32,
}

impl Stack {
    /// The one that most tests share. They do not restart it.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Stack> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start(&[])).await
    }

    /// One of its own, with settings of its own, for a test that restarts or changes it.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("edge-")
            .tempdir_in(scratch())
            .expect("a folder")
            .keep();
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut stack = Self {
            url: String::new(),
            settings,
            folder,
            running: Mutex::new(None),
        };
        let (running, url) = stack.launch(0);
        stack.url = url;
        *stack.running.lock().unwrap() = Some(running);
        stack
    }

    fn launch(&self, port: u16) -> (Running, String) {
        let log = self.folder.join("edge.log");
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log can be written");
        let mut node = Command::new(root().join("node_modules/.bin/node"))
            .arg(root().join("scripts/edge.mjs"))
            .args(["--stdin-lifeline", "--port", &port.to_string(), "--state"])
            .arg(self.folder.join("state"))
            .envs(ENVIRONMENT)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("node starts (make setup)");
        let (stdin, stdout) = (node.stdin.take().expect("piped"), node.stdout.take().expect("piped"));
        let mut answers = BufReader::new(stdout);
        let mut line = String::new();
        answers.read_line(&mut line).expect("the edge speaks");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no edge; see {}", log.display()));
        let url = ready["url"].as_str().expect("a url").to_owned();
        let workerd = ready["workerd_pid"]
            .as_u64()
            .and_then(|pid| u32::try_from(pid).ok())
            .expect("a process id");
        (
            Running {
                node,
                stdin,
                answers,
                workerd,
            },
            url,
        )
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("plain http")
    }

    /// A secret of this edge.
    pub fn secret(&self, name: &str) -> String {
        let secrets = std::fs::read_to_string(self.folder.join("state/.dev.vars")).expect("the edge keeps its secrets");
        let line = secrets
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.expect("the secret is there").trim_matches('"').to_owned()
    }

    /// Kills the runtime as a crash would: nothing is flushed, nobody says goodbye.
    pub fn kill(&self) {
        let mut running = self.running.lock().unwrap().take().expect("it runs");
        // The runner first: it would start a runtime that crashed again.
        signal(running.node.id(), "KILL");
        signal(running.workerd, "KILL");
        running.node.wait().expect("it ended");
    }

    /// Starts again after [`Self::kill`], with the same data and address.
    pub async fn start_again(&self) {
        let port = self
            .url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port");
        // The port is free as soon as the kernel has buried the one that had it.
        eventually("the port to be free", async || {
            std::net::TcpListener::bind(("127.0.0.1", port)).ok()
        })
        .await;
        *self.running.lock().unwrap() = Some(self.launch(port).0);
    }

    /// From its next start on, a setting is what it usually is.
    pub fn unset(&mut self, name: &str) {
        self.settings.retain(|(set, _)| set != name);
    }

    /// Drops the relay of a machine from memory, as the platform does with one that is idle, and perhaps has done already; its
    /// sockets stay.
    pub fn evict(&self, machine_id: &str) {
        let answer = self.ask(&format!("evict Relay {machine_id} hibernate"));
        let error = answer.get("error").map(Value::to_string).unwrap_or_default();
        assert!(error.is_empty() || error.contains("not currently running"), "{error}");
    }

    /// Does the scheduled work as if it were `time`, in RFC 3339.
    pub fn scheduled(&self, time: &str) {
        assert_eq!(self.tell(&format!("scheduled {time}"))["scheduled"], "ok");
    }

    /// Runs a statement on the database, as somebody with access to it could, and gives its rows.
    pub fn sql(&self, statement: &str) -> Value {
        self.try_sql(statement)
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The same, for a statement that may be refused.
    pub fn try_sql(&self, statement: &str) -> Result<Value, String> {
        let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut answer = self.ask(&format!("sql {line}"));
        match answer.get("error") {
            None => Ok(answer["rows"].take()),
            Some(error) => Err(error.to_string()),
        }
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("edge.log")).expect("a log")
    }

    /// Where mail goes that the edge sends.
    pub fn mail_folder(&self) -> PathBuf {
        self.folder.join("state/mail")
    }

    /// Drops the relay of a machine and its sockets, as the platform does when it moves or updates one.
    pub fn drop_relay(&self, machine_id: &str) {
        self.tell(&format!("evict Relay {machine_id} close"));
    }

    fn tell(&self, command: &str) -> Value {
        let answer = self.ask(command);
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }

    fn ask(&self, command: &str) -> Value {
        let mut running = self.running.lock().unwrap();
        let running = running.as_mut().expect("it runs");
        writeln!(running.stdin, "{command}").expect("the edge listens");
        let mut line = String::new();
        running.answers.read_line(&mut line).expect("the edge answers");
        serde_json::from_str(&line).expect("a line of JSON")
    }

    /// Resident memory of the runtime, in bytes.
    pub fn memory(&self) -> u64 {
        memory(self.running.lock().unwrap().as_ref().expect("it runs").workerd)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(Running { mut node, stdin, .. }) = self.running.lock().unwrap().take() {
            drop(stdin);
            let _ = node.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
