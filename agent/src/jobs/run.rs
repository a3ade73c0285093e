//! Running a job: from its script to the end of the last process that it started.
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::termios::{OutputFlags, SetArg, tcgetattr, tcsetattr};
use protocol::terminal::jobs::{JobEnd, Outputs, Playbook, StartJob};
use protocol::terminal::services::Refusal;
use protocol::terminal::{ExitStatus, Size};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::command;
use super::environment::{self, MARK};
use super::mask::Mask;
use super::private::Private;
use super::script;
use super::text::Text;
use crate::account::Account;
use crate::process::{Child, Family, Origin, RunAs};
use crate::pty::{Pty, Read};
use crate::services::confined::Folder;
use crate::services::{catalog, scan};
use crate::session::exit_status;
use crate::system::System;
use crate::timer::reach;

/// The terminal that a job's outputs are: wide enough for what Ansible writes on one line.
const SIZE: Size = Size { cols: 120, rows: 40 };

/// How long a job that was called off has to end by itself…
const GRACE: Duration = Duration::from_secs(10);

/// …and how long it is tried after that to kill what is left. What another account runs, as by `sudo`, an agent that is not root cannot kill.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked meanwhile what is left.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long output is awaited after the script has ended: what it left running may hold the terminal open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A job, and all that is needed to run it.
#[derive(Debug)]
pub struct Spec {
    /// What the edge asks for.
    pub start: StartJob,
    /// The services directory.
    pub root: PathBuf,
    /// Name of the account it runs as.
    pub account: String,
    /// Whether it may gain privileges.
    pub privileges: bool,
    /// Whose accounts and files these are.
    pub system: System,
    /// The edge's host.
    pub edge: String,
    /// What of the agent's own environment it gets.
    pub pass_environment: Vec<String>,
    /// The folder of what it is given in files.
    pub files: PathBuf,
}

/// Whether a job is to end before it does by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Call {
    /// It is not.
    #[default]
    On,
    /// Somebody has called it off.
    Off(String),
    /// The agent stops, or nobody wants to know of it any more.
    Now,
}

/// A part of a job's output.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// What the deployment calls itself, if it has just said so.
    pub deployment_id: Option<String>,
}

/// The output of a job on its way.
struct Output {
    mask: Mask,
    text: Text,
    pieces: mpsc::Sender<Piece>,
}

impl Output {
    async fn push(&mut self, bytes: &[u8]) {
        let shown = self.mask.push(bytes);
        let text = self.text.push(&shown);
        self.send(text).await;
    }

    async fn say(&mut self, line: &str) {
        let text = self.text.say(line);
        self.send(text).await;
    }

    async fn finish(&mut self) {
        let shown = self.mask.finish();
        let mut text = self.text.push(&shown);
        text.push_str(&self.text.finish());
        self.send(text).await;
    }

    async fn send(&mut self, text: String) {
        let piece = Piece {
            text,
            deployment_id: self.text.take_deployment_id(),
        };
        if piece != Piece::default() {
            // Whoever keeps it takes it until the job is over.
            let _ = self.pieces.send(piece).await;
        }
    }
}

impl Spec {
    /// The directory of the service, if there is such a script. A disk and a network directory may take their time.
    pub async fn find(&self) -> Result<PathBuf, Refusal> {
        let (root, StartJob { service, file, .. }) = (self.root.clone(), self.start.clone());
        let found = spawn_blocking(move || script::find(&root, &service, &file)).await;
        found.unwrap_or_else(|error| {
            let error = error.to_string();
            Err(Refusal::Failed { error })
        })
    }
}

/// What the service of a job says of itself once it ended well, to be kept by the edge: nothing after a playbook, which is of other things.
pub fn outputs_of(root: PathBuf, start: &StartJob) -> impl FnOnce() -> Outputs + Send + use<> {
    let service = start.playbook.is_none().then(|| start.service.clone());
    move || {
        let folder = service.and_then(|service| Folder::root(&root).and_then(|root| root.folder(&service)).ok());
        Outputs(folder.map_or_else(Vec::new, |folder| catalog::outputs(scan::outputs(&folder))))
    }
}

/// Runs a job in a directory, or says why there is none. It ends by itself or when `call` says so, and answers then how.
pub async fn run(
    spec: Spec,
    directory: Result<PathBuf, String>,
    mut call: watch::Receiver<Call>,
    pieces: mpsc::Sender<Piece>,
) -> JobEnd {
    let job = spec.start.job.clone();
    let mut output = Output {
        mask: Mask::of(spec.start.secrets.iter().chain(&spec.start.vault_password)),
        text: Text::default(),
        pieces,
    };
    output.say(&format!("--- {} ---", spec.start.title)).await;
    let words = command::words(&spec.start, &spec.files);
    output.say(&format!("$ {}", words.join(" "))).await;
    let status = match start(spec, directory).await {
        Ok((child, pty, private)) => {
            let family = Family::new(MARK, job.as_str(), Some(child.pid()));
            let running = Running {
                child,
                pty,
                family,
                status: None,
                last_words: None,
                ending: None,
                _private: private,
            };
            running.attend(&mut call, &mut output).await
        }
        Err(error) => {
            tracing::warn!(%job, %error, "cannot run a job");
            output.finish().await;
            output.say(&format!("[ERROR: {error}]")).await;
            ExitStatus::default()
        }
    };
    tracing::info!(%job, code = status.code, signal = status.signal, "a job is over");
    JobEnd {
        job,
        code: status.code,
        signal: status.signal,
        note: None,
        outputs: Outputs::default(),
    }
}

async fn start(spec: Spec, directory: Result<PathBuf, String>) -> io::Result<(Child, Pty, Option<Private>)> {
    let directory = directory.map_err(io::Error::other)?;
    let (pty, terminal) = Pty::open(SIZE)?;
    // A line ends as the program ends it.
    let mut attributes = tcgetattr(&terminal)?;
    attributes.output_flags.remove(OutputFlags::OPOST);
    tcsetattr(&terminal, SetArg::TCSANOW, &attributes)?;
    // A disk and forking may take their time.
    let starting = spawn_blocking(move || start_on(spec, directory, terminal));
    let (child, private) = starting.await.map_err(io::Error::other)??;
    Ok((child, pty, private))
}

fn start_on(spec: Spec, directory: PathBuf, terminal: OwnedFd) -> io::Result<(Child, Option<Private>)> {
    let start = &spec.start;
    if let Some(fault) = start.playbook.as_ref().and_then(Playbook::fault) {
        return Err(io::Error::other(fault));
    }
    let account = Account::find_on(&spec.system, &spec.account).map_err(io::Error::other)?;
    let shell = account.command_shell(&spec.system)?;
    if shell.file_name() != Some("bash".as_ref()) {
        let error = format!(
            "jobs are run by bash, which this account does not have ({})",
            shell.display()
        );
        return Err(io::Error::other(error));
    }
    let private = Private::of(start, &spec.files, &account)?;
    let added = environment::of_job(start, &spec.files, &spec.pass_environment);
    let added = added.map_err(io::Error::other)?;
    let run_as = RunAs {
        account,
        privileges: spec.privileges,
        system: spec.system,
        origin: Origin {
            person: start.username.clone(),
            edge: spec.edge,
        },
        group: None,
    };
    let mut program = run_as.program(&shell);
    program.arguments = command::arguments(start, &directory, &spec.files);
    program.environment.extend(added);
    let child = run_as.start_shown(program, terminal)?;
    Ok((child, private))
}

/// A job that runs.
struct Running {
    child: Child,
    pty: Pty,
    family: Family,
    status: Option<ExitStatus>,
    /// Until when output is awaited once the script has ended.
    last_words: Option<Instant>,
    ending: Option<Ending>,
    _private: Option<Private>,
}

/// How far a job has come that is to end.
struct Ending {
    by: Option<String>,
    /// When what is left is killed…
    kill_at: Instant,
    /// …and when it is looked next.
    look_at: Instant,
    /// What is left, at last.
    left: Option<usize>,
}

impl Running {
    /// Stays with it until it is over.
    async fn attend(mut self, call: &mut watch::Receiver<Call>, output: &mut Output) -> ExitStatus {
        let mut buffer = vec![0; 64 * 1024];
        let mut hung_up = false;
        loop {
            let gone = self.ending.as_ref().is_none_or(|ending| ending.left.is_some());
            if gone && (self.status.is_some() && hung_up || self.given_up()) {
                break;
            }
            let look_at = self
                .ending
                .as_ref()
                .filter(|ending| ending.left.is_none())
                .map(|ending| ending.look_at);
            tokio::select! {
                status = self.child.wait(), if self.status.is_none() => {
                    self.status = Some(exit_status(status));
                    self.last_words = Some(Instant::now() + LAST_WORDS);
                }
                read = read(&self.pty, &mut buffer), if !hung_up => match read {
                    Ok(Some(count)) => output.push(&buffer[..count]).await,
                    Ok(None) => hung_up = true,
                    Err(error) => {
                        tracing::warn!(%error, "a job's output cannot be read");
                        hung_up = true;
                    }
                },
                called = off(call), if self.ending.is_none() => self.begin_to_end(called),
                () = reach(look_at) => self.look(),
                () = reach(self.last_words), if !hung_up => hung_up = true,
            }
        }
        output.finish().await;
        self.say_how(output).await;
        self.status.unwrap_or_default()
    }

    /// Whether what is left cannot be ended.
    fn given_up(&self) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| ending.left.is_some_and(|left| left > 0))
    }

    fn begin_to_end(&mut self, call: Call) {
        let now = Instant::now();
        self.family.look();
        let grace = match &call {
            Call::Now => Duration::ZERO,
            Call::On | Call::Off(_) => {
                self.family.ask_to_end();
                GRACE
            }
        };
        let by = match call {
            Call::Off(by) => Some(by),
            Call::On | Call::Now => None,
        };
        self.ending = Some(Ending {
            by,
            kill_at: now + grace,
            look_at: now,
            left: None,
        });
    }

    /// Looks what is left of a job that is to end.
    fn look(&mut self) {
        let now = Instant::now();
        let Some(ending) = &mut self.ending else { return };
        let left = match now < ending.kill_at {
            true => self.family.look().len(),
            false => self.family.kill(),
        };
        ending.look_at = now + LOOK_EVERY;
        // The supervisor ends when its script has. One that does not is stuck like what cannot be killed.
        if left == 0 && self.status.is_some() || now >= ending.kill_at + KILLED_WITHIN {
            ending.left = Some(left);
        }
    }

    async fn say_how(&self, output: &mut Output) {
        let status = self.status.clone().unwrap_or_default();
        match (status.code, &status.signal) {
            (Some(0), _) => {}
            (Some(code), _) => output.say(&format!("[EXIT CODE: {code}]")).await,
            (None, Some(signal)) => output.say(&format!("[ERROR: ended by {signal}]")).await,
            (None, None) => {}
        }
        let Some(Ending { by: Some(by), left, .. }) = &self.ending else {
            return;
        };
        if output.text.has_plays() {
            output
                .say("[Warning: what Ansible had begun on other machines may go on there]")
                .await;
        }
        if let Some(left @ 1..) = left {
            output
                .say(&format!("[Warning: {left} processes could not be ended]"))
                .await;
        }
        output.say(&format!("[CANCELLED by {by}]")).await;
    }
}

/// Waits for output. Nothing is that there will be none.
async fn read(pty: &Pty, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        let mut ready = pty.readable().await?;
        match pty.read(buffer)? {
            Read::Bytes(count) => return Ok(Some(count)),
            Read::HungUp => return Ok(None),
            Read::Nothing => ready.clear_ready(),
        }
    }
}

/// Waits until the job is to end.
async fn off(call: &mut watch::Receiver<Call>) -> Call {
    match call.wait_for(|call| *call != Call::On).await {
        Ok(call) => call.clone(),
        // Whoever keeps its output is gone.
        Err(_) => Call::Now,
    }
}
