//! What is typed at prompts becomes records: real shells with our hooks, and a relay that takes them.
mod corpus;
mod delivery;
mod rules;
mod screen;
mod unannounced;

use std::env;
use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::command_record::{CommandRecord, Outcome, Text};
use tokio::process::Child;

use crate::support::relay::Terminal;
use crate::support::{Connection, DEADLINE, Machine, Received, Relay, shell_account, system};

/// How each of the shells is told to draw a prompt that tests know.
const PROMPTS: [(&str, &str, &str); 3] = [
    ("bash", ".bash_profile", "PS1='READY> ' PS2='more> '\n"),
    (
        "zsh",
        ".zshrc",
        "PS1='READY> ' PS2='more> '\nsetopt interactive_comments\n",
    ),
    (
        "fish",
        ".config/fish/config.fish",
        "function fish_prompt; echo -n 'READY> '; end\nset -g fish_greeting\n",
    ),
];

/// What shells say when they wait for keys.
const READS_KEYS: &[u8] = b"\x1b[?2004h";

/// A folder of other shells than this machine has, such as a newer fish.
const OTHERS: &str = "VSAY_TEST_SHELLS";

/// Where a shell is on this machine. A test of one that is not here says so and passes.
pub fn shell(name: &str) -> Option<PathBuf> {
    let folders = ["/bin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from);
    let mut folders = env::var_os(OTHERS).map(PathBuf::from).into_iter().chain(folders);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.exists()));
    if found.is_none() {
        eprintln!("{name} is not on this machine: left out");
    }
    found
}

/// A terminal with one of the shells, and what was recorded of it.
pub struct Typed {
    pub relay: Relay,
    pub machine: Machine,
    pub agent: Option<Child>,
    pub link: Connection,
    pub terminal: Terminal,
    pub records: Vec<CommandRecord>,
    /// What else the agent said.
    pub said: Vec<FromAgent>,
}

impl Typed {
    /// A login with one of the shells, at its first prompt. `more` is added to its start-up file.
    pub async fn at(name: &str, more: &str) -> Option<Self> {
        let path = shell(name)?;
        let (_, file, prompt) = PROMPTS.into_iter().find(|(known, ..)| *known == name)?;
        Some(Self::with(&path, &[(file, &format!("{prompt}{more}"))]).await)
    }

    /// A login with any shell, and files in its home. It may not have a prompt yet.
    pub async fn with(path: &Path, files: &[(&str, &str)]) -> Self {
        Self::on(|_| path.to_owned(), files).await
    }

    async fn on(shell: impl FnOnce(&Machine) -> PathBuf, files: &[(&str, &str)]) -> Self {
        let mut typed = Self::opened(shell, files).await;
        typed.reads_keys(0).await;
        typed
    }

    /// The same with a shell that may not say when it waits for keys.
    pub async fn opened(shell: impl FnOnce(&Machine) -> PathBuf, files: &[(&str, &str)]) -> Self {
        let relay = Relay::start().await;
        let machine = Machine::enrolled_with(&relay);
        system::set_shell(&machine.system, &shell(&machine));
        for (file, text) in files {
            write_home(&machine, file, text);
        }
        let agent = Some(machine.start());
        let mut link = relay.welcome_with_log().await;
        let terminal = link.open_shell().await;
        Self {
            relay,
            machine,
            agent,
            link,
            terminal,
            records: Vec::new(),
            said: Vec::new(),
        }
    }

    /// The same with a shell under another name, for which there are no hooks.
    pub async fn unhooked(path: &Path, files: &[(&str, &str)]) -> Self {
        let named = |machine: &Machine| {
            let other = machine.system.path("bin/other");
            symlink(path, &other).unwrap();
            other
        };
        Self::on(named, files).await
    }

    /// Takes what the agent says next, and says of records that they are stored.
    pub async fn hear(&mut self) {
        match self.link.next().await {
            Received::Frame(frame) => self.terminal.take(&mut self.link, &frame).await,
            Received::Message(FromAgent::Commands { records, .. }) => {
                let ids = records.iter().map(|record| record.id.clone()).collect();
                self.records.extend(records);
                self.link.send(ToAgent::CommandsStored { ids }).await;
            }
            Received::Message(message) => self.said.push(message),
            Received::Closed(code) => panic!("closed with {code:?} after {:?}", self.terminal.text()),
        }
    }

    /// Until something holds.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !holds(self) {
            let shown = self.terminal.text();
            let end = &shown[shown.floor_char_boundary(shown.len().saturating_sub(1500))..];
            assert!(
                Instant::now() < deadline,
                "no {what}; {:?} after {end:?}",
                self.records.last()
            );
            self.hear().await;
        }
    }

    /// Until the shell waits for keys behind an offset of the output.
    pub async fn reads_keys(&mut self, from: usize) {
        self.until("prompt", |typed| {
            contains(
                &typed.terminal.output[from.min(typed.terminal.output.len())..],
                READS_KEYS,
            )
        })
        .await;
    }

    /// Until the output behind an offset has a text.
    pub async fn shows(&mut self, from: usize, text: &str) {
        self.until(text, |typed| {
            contains(
                &typed.terminal.output[from.min(typed.terminal.output.len())..],
                text.as_bytes(),
            )
        })
        .await;
    }

    pub async fn keys(&mut self, keys: &str) {
        self.terminal.type_text(&mut self.link, keys).await;
    }

    /// Types, and waits for so many records and the prompt behind them.
    pub async fn run(&mut self, keys: &str, count: usize) -> Vec<CommandRecord> {
        let from = self.records.len();
        let shown = self.terminal.output.len();
        self.keys(keys).await;
        self.until("record", |typed| typed.records.len() >= from + count).await;
        let end = self.records.last().map_or(0, |record| record.to as usize);
        self.reads_keys(end.max(shown)).await;
        self.records[from..].to_vec()
    }

    /// Text and outcome of one command that is run.
    pub async fn one(&mut self, command: &str) -> (String, Outcome) {
        let records = self.run(&format!("{command}\r"), 1).await;
        assert_eq!(records.len(), 1, "{records:?}");
        (records[0].command.clone(), records[0].outcome)
    }

    /// What is known of the text of a command that is run.
    pub async fn text(&mut self, keys: &str) -> (Text, String) {
        let records = self.run(keys, 1).await;
        assert_eq!(records.len(), 1, "{records:?}");
        (records[0].text, records[0].command.clone())
    }
}

/// Writes a file into the home of the machine's account.
pub fn write_home(machine: &Machine, file: &str, text: &str) {
    let account = shell_account();
    let home = machine.system.path("home");
    let path = home.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    for made in path.ancestors().take_while(|made| *made != home) {
        chown(made, Some(account.uid.as_raw()), Some(account.gid.as_raw())).unwrap();
    }
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

pub fn exited(exit_code: i32) -> Outcome {
    Outcome::Exited { exit_code }
}
