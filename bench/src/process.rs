//! The programs that are measured. Each ends with the value that stands for it.
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a runtime may take to answer. It needs a second or two; the rest is for a busy computer.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long a program may take to end before it is made to.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A running program. Dropping it asks it to end; [`Program::end`] waits until it has.
pub struct Program(Child);

/// What a runtime says when it answers.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

/// A running workerd.
pub struct Runtime {
    /// Its origin, such as `http://127.0.0.1:1234`.
    pub url: String,
    /// The process that runs the Worker.
    workerd_pid: u32,
    program: Program,
    /// What the script says.
    answers: Lines<BufReader<ChildStdout>>,
}

/// What a runtime says to a command.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Error(String),
    #[serde(untagged)]
    Answer(Answer),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Rows(Value),
    Bytes(u64),
}

impl Program {
    /// Starts a program. Its complaints go where ours go.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).spawn();
        Ok(Self(child.with_context(|| {
            format!("{:?} cannot be started", command.as_std().get_program())
        })?))
    }

    /// The processor time that it has taken so far, without its children.
    pub fn processor_time(&self) -> Result<Duration> {
        processor_time(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        self.0.id().context("the program has ended")
    }

    /// Asks the program to end, and waits for it.
    pub async fn end(mut self) {
        self.ask_to_end();
        if timeout(END_WITHIN, self.0.wait()).await.is_err() {
            // It may have ended by now.
            let _ = self.0.kill().await;
        }
    }

    fn ask_to_end(&mut self) {
        // Those with a lifeline on their input end now.
        drop(self.0.stdin.take());
        // One that was waited for has no id any more.
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}

impl Runtime {
    /// Starts a script that runs workerd, keeps its data in `state`, and says when it answers.
    pub async fn start(script: &str, arguments: &[&str], state: &Path) -> Result<Self> {
        Self::start_with(Path::new("."), script, arguments, state, &[]).await
    }

    /// The same, of a project in another folder, with variables of the environment besides.
    pub async fn start_with(
        folder: &Path,
        script: &str,
        arguments: &[&str],
        state: &Path,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        std::fs::create_dir_all(state)?;
        let mut command = Command::new("node");
        command
            .current_dir(folder)
            .arg(script)
            .args(arguments)
            .arg("--state")
            .arg(state)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped());
        let mut program = Program::start(&mut command)?;
        let stdout = program
            .0
            .stdout
            .take()
            .ok_or_else(|| anyhow!("{script} has no output"))?;
        let mut answers = BufReader::new(stdout).lines();
        let line = timeout(READY_WITHIN, answers.next_line()).await;
        let Ok(Ok(Some(line))) = line else {
            bail!("{script} did not start");
        };
        let ready: Ready = serde_json::from_str(&line).with_context(|| format!("{script} said: {line}"))?;
        let workerd_pid = workerd_of(program.id()?)?;
        Ok(Self {
            url: ready.url,
            workerd_pid,
            program,
            answers,
        })
    }

    /// Runs a statement of one line on the database of `scripts/edge.mjs`, past the Worker, and gives its rows.
    pub async fn sql(&mut self, statement: &str) -> Result<Value> {
        match self.ask(&format!("sql {statement}")).await? {
            Answer::Rows(rows) => Ok(rows),
            Answer::Bytes(_) => bail!("rows were asked for"),
        }
    }

    /// What the Worker of `scripts/edge.mjs` and its Durable Objects hold in JavaScript's memory, in bytes, with garbage. Wants
    /// `INSPECT=1` in its environment.
    pub async fn heap(&mut self) -> Result<u64> {
        self.bytes("heap").await
    }

    /// How large their WebAssembly's memory has become, in bytes. Collects garbage.
    pub async fn linear_memory(&mut self) -> Result<u64> {
        self.bytes("linear").await
    }

    async fn bytes(&mut self, command: &str) -> Result<u64> {
        match self.ask(command).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Rows(_) => bail!("{command}: rows were answered"),
        }
    }

    async fn ask(&mut self, command: &str) -> Result<Answer> {
        let stdin = self.program.0.stdin.as_mut().context("the runtime ends")?;
        stdin.write_all(format!("{command}\n").as_bytes()).await?;
        let line = self.answers.next_line().await?.context("the runtime ended")?;
        match serde_json::from_str(&line).with_context(|| format!("the runtime said: {line}"))? {
            Said::Error(error) => bail!("{command}: {error}"),
            Said::Answer(answer) => Ok(answer),
        }
    }

    /// Ends it.
    pub async fn end(self) {
        self.program.end().await;
    }

    /// The processor time that workerd has taken so far.
    pub fn processor_time(&self) -> Result<Duration> {
        processor_time(self.workerd_pid)
    }

    /// The memory that workerd has now, in bytes.
    pub fn resident_memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.workerd_pid);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| anyhow!("{path} has no VmRSS"))
    }
}

/// The workerd that a runner has started.
fn workerd_of(runner: u32) -> Result<u32> {
    let path = format!("/proc/{runner}/task/{runner}/children");
    let children = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let is_workerd = |pid: &&str| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim() == "workerd")
    };
    let pid = children.split_whitespace().find(is_workerd);
    Ok(pid.context("there is no workerd")?.parse()?)
}

fn processor_time(pid: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid)?));
    Ok(clock
        .and_then(|clock| clock.now())
        .context("no processor time is known")?
        .into())
}
