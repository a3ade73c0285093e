//! The command line, as somebody runs it.
use std::path::PathBuf;
use std::process::{Output, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::account::{Account, PASSWORD};
use super::process::scratch;
use super::program;
use super::wait::within;

/// Somebody's command line, with a configuration of its own.
pub struct Cli {
    folder: tempfile::TempDir,
}

/// What a command said, and its exit status.
#[derive(Debug)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Cli {
    /// One that is not signed in.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir_in(scratch()).expect("a folder"),
        }
    }

    /// One that is signed in at `url`.
    pub async fn signed_in(account: &Account, url: &str) -> Self {
        let cli = Self::new();
        let said = cli
            .run(&["login", url, "--email", &account.email], &format!("{PASSWORD}\n"))
            .await;
        assert_eq!(said.status, 0, "{said:?}");
        cli
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// A command to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program("VSAY_BIN", "vsay"));
        command.args(args).env("VSAY_CONFIG", self.config()).kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end with this on standard input.
    pub async fn run(&self, args: &[&str], input: &str) -> Said {
        let mut child = self.command(args).spawn().expect("vsay runs");
        let mut stdin = child.stdin.take().expect("piped");
        let typed = input.to_owned();
        let typing = async move {
            let _ = stdin.write_all(typed.as_bytes()).await;
            drop(stdin);
        };
        let (output, ()) = within("the command to end", async {
            tokio::join!(child.wait_with_output(), typing)
        })
        .await;
        said(output.expect("vsay ran"))
    }

    /// Runs a command in a terminal of its own.
    pub fn in_terminal(&self, line: &str) -> Terminal {
        let line = format!("stty rows 30 cols 100; {line}");
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command
            .env("VSAY_CONFIG", self.config())
            .env("VSAY", program("VSAY_BIN", "vsay"))
            .env("SHELL", "/bin/sh");
        command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        Terminal {
            child: command.spawn().expect("script (util-linux) runs"),
            seen: String::new(),
        }
    }
}

fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A terminal with a command in it.
pub struct Terminal {
    child: Child,
    /// Everything on the screen so far.
    pub seen: String,
}

impl Terminal {
    /// Types.
    pub async fn types(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        stdin.write_all(text.as_bytes()).await.expect("the terminal takes it");
        stdin.flush().await.expect("the terminal takes it");
    }

    /// Waits for text on the screen.
    pub async fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            let what = format!("{text:?} on the screen, which shows {:?}", self.seen);
            let stdout = self.child.stdout.as_mut().expect("piped");
            let count = within(&what, stdout.read(&mut buffer)).await.expect("readable");
            assert!(count > 0, "the command ended without {text:?}: {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    /// Waits for the end, and answers the exit status.
    pub async fn wait(&mut self) -> i32 {
        let mut rest = Vec::new();
        let stdout = self.child.stdout.as_mut().expect("piped");
        within("the terminal to close", stdout.read_to_end(&mut rest))
            .await
            .expect("readable");
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        within("the command to end", self.child.wait())
            .await
            .expect("it ran")
            .code()
            .unwrap_or(-1)
    }
}
