//! Providers to sign in with, and a browser that goes there and comes back.
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::process::scratch;
use super::root;

/// Most steps between leaving and coming back; a real issuer takes eight.
const MAX_STEPS: usize = 15;

/// A provider: a program beside the tests that ends with them.
pub struct Issuer {
    /// Its address.
    pub url: String,
    running: Mutex<Running>,
}

struct Running {
    // Ends when its stdin does.
    _node: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Issuer {
    /// Starts a script of this folder.
    pub fn start(script: &str) -> Self {
        let mut node = Command::new(root().join("node_modules/.bin/node"))
            .arg(root().join("tests/support").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(scratch().join(format!("{script}.log"))).expect("a log can be written"))
            .spawn()
            .expect("node starts (make setup)");
        let mut running = Running {
            stdin: node.stdin.take().expect("piped"),
            answers: BufReader::new(node.stdout.take().expect("piped")),
            _node: node,
        };
        let url = running.answer()["url"].as_str().expect("a url").to_owned();
        Self {
            url,
            running: Mutex::new(running),
        }
    }

    /// Tells it something, and waits until it has understood.
    pub fn tell(&self, line: &str) {
        let mut running = self.running.lock().unwrap();
        writeln!(running.stdin, "{line}").expect("it listens");
        running.answer();
    }
}

impl Running {
    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it speaks");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer but {line:?}"))
    }
}

/// A browser: it keeps cookies and can be stopped on its way.
pub struct Browser {
    http: reqwest::Client,
    /// By origin and name.
    cookies: HashMap<(String, String), String>,
}

/// An answer that the browser stopped at.
#[derive(Debug)]
pub struct Stop {
    /// What was asked.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

impl Stop {
    /// Where it leads.
    pub fn location(&self) -> Url {
        let location = self
            .headers
            .get(LOCATION)
            .unwrap_or_else(|| panic!("leads nowhere: {self:#?}"));
        self.url.join(location.to_str().expect("text")).expect("a url")
    }
}

impl Browser {
    /// One without cookies.
    pub fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Self {
            http,
            cookies: HashMap::new(),
        }
    }

    /// Asks for a page and goes no further.
    pub async fn ask(&mut self, url: &Url) -> Stop {
        let origin = url.origin().ascii_serialization();
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|((of, _), _)| *of == origin)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let response = self
            .http
            .get(url.clone())
            .header("cookie", sent.join("; "))
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            )
            .send()
            .await
            .expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            self.keep(&origin, cookie.to_str().expect("text"));
        }
        Stop {
            url: url.clone(),
            status,
            headers,
        }
    }

    fn keep(&mut self, origin: &str, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').expect("a name and a value");
        let attributes = attributes.to_lowercase();
        let key = (origin.to_owned(), name.trim().to_owned());
        if attributes.contains("max-age=0") || attributes.contains("1970") {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }

    /// A cookie as it is sent.
    pub fn cookie(&self, name: &str) -> String {
        let found = self.cookies.iter().find(|((_, of), _)| of == name);
        format!("{name}={}", found.expect("it was set").1)
    }

    /// Follows redirects from `url` until one leads to a path that ends like this; gives that address, not asked for yet.
    /// `at_provider` is added to the query where a person would sign in.
    pub async fn go(&mut self, url: &Url, until: &str, at_provider: &[(&str, &str)]) -> Url {
        let mut url = url.clone();
        for _ in 0..MAX_STEPS {
            let mut next = self.ask(&url).await.location();
            if next.path().ends_with(until) {
                return next;
            }
            if next.query_pairs().any(|(name, _)| name == "code_challenge") {
                next.query_pairs_mut().extend_pairs(at_provider);
            }
            url = next;
        }
        panic!("it never came to {until}, but to {url}");
    }
}
