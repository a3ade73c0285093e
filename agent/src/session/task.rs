//! The task of a session: one terminal, one shell, one stream.
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use protocol::ids::StreamId;
use protocol::terminal::agent::{Described, FromAgent};
use protocol::terminal::limits::IDLE_TIMEOUT;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout};

use super::commands::Commands;
use super::idle::{Due, Idle};
use super::shell::{self, Login, Shell, ShellEvent, Started, Telling};
use super::stream::Stream;
use super::{Command, HANG_UP_GRACE, Outbox, Spec};
use crate::integration;
use crate::process::{self, Waiting};
use crate::pty::{self, Pty, Read};
use crate::ssh::Remote;

/// Read from a terminal at once. The kernel holds 4 KiB ready, and gives more if it brings more in the meantime.
const READ: usize = 32 * 1024;

/// What is read at most from a terminal after its shell has ended, or was told to. Kernels hold less than half of this,
/// so everything the shell wrote is within it; a process it left behind may write on for ever and is cut off.
const LAST_WORDS: u64 = 256 * 1024;

/// What a session waits for.
enum Event {
    Command(Option<Command>),
    Shell(ShellEvent),
    CatchUp,
    Kill,
    /// Nobody has typed for long.
    Idle,
    /// Bytes moved, or can move now.
    Progress,
}

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// There is nothing to read now.
    Empty,
    /// There may be more than may be read now.
    NoRoom,
}

/// What starts a shell once more, without hooks.
struct Again {
    login: Login,
    slave: OwnedFd,
}

struct Task {
    stream: Stream,
    commands: Commands,
    /// Until the shell has a prompt, or somebody types: one that ends before may do so because of its hooks.
    again: Option<Again>,
    outbox: Outbox,
    pty: Pty,
    /// What is read from it. Kept, as to clear one for each key costs more than all else that is done for it.
    buffer: Box<[u8; READ]>,
    shell: Shell,
    /// The shell's process, and its session's name, once it was started.
    pid: Option<Pid>,
    /// The terminal has no more to read.
    hung_up: bool,
    /// When the session is killed, if it was hung up.
    kill_at: Option<Instant>,
    /// How long nobody has typed.
    idle: Idle,
    /// Why it was hung up, if that was the agent's own doing.
    ended_by: Option<&'static str>,
    told: Vec<oneshot::Sender<()>>,
}

/// Runs a session until its handle is dropped or its shell cannot be started.
pub async fn run(spec: Spec, outbox: Outbox, mut commands: mpsc::Receiver<Command>) {
    let id = spec.stream;
    let mut stream = Stream::new(id, spec.session_id.clone(), spec.size, spec.limits.clone());
    stream.attach();
    let opened = Pty::open(spec.size).and_then(|(pty, slave)| Ok((told(&spec, &slave)?, pty, slave)));
    let ((again, telling), pty, slave) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            drop(commands);
            return refuse(&outbox, id, &error).await;
        }
    };
    let listening = Commands::new(&telling.secret, spec.session_id, id, spec.size, spec.journal);
    let (shell, again) = match spec.ssh {
        Some((ssh, target)) => (
            Shell::Remote(Box::new(Remote::open(ssh, target, spec.size, slave))),
            None,
        ),
        None => (Shell::start(spec.login, slave, Some(telling)), Some(again)),
    };
    let mut task = Task {
        stream,
        commands: listening,
        again,
        outbox,
        pty,
        buffer: Box::new([0; READ]),
        shell,
        pid: None,
        hung_up: false,
        kill_at: None,
        idle: Idle::new(spec.idle_after, Instant::now()),
        ended_by: None,
        told: Vec::new(),
    };
    let served = task.serve(&mut commands).await;
    // Nobody shall wait for a session that takes no more commands.
    drop(commands);
    match served {
        Ok(()) => task.bury().await,
        Err(error) => refuse(&task.outbox, id, &error).await,
    }
}

/// What a shell's hooks take, and what starts it without.
fn told(spec: &Spec, slave: &OwnedFd) -> io::Result<(Again, Telling)> {
    let again = Again {
        login: spec.login.clone(),
        slave: slave.try_clone()?,
    };
    let telling = Telling {
        secret: integration::new_secret()?,
        directory: spec.limits.directory.clone(),
    };
    Ok((again, telling))
}

async fn refuse(outbox: &Outbox, stream: StreamId, error: &io::Error) {
    tracing::warn!(%stream, %error, "cannot start a shell");
    let message = FromAgent::OpenFailed {
        stream,
        error: error.to_string(),
    };
    // Without a link there is nobody to tell: the stream is missing from the next report.
    let _ = outbox.send(message.into()).await;
}

impl Task {
    /// Until the handle is dropped. The error is why the shell could not be started.
    async fn serve(&mut self, commands: &mut mpsc::Receiver<Command>) -> io::Result<()> {
        loop {
            if self.commands.is_ready() {
                self.again = None;
            }
            self.write_input();
            self.read_last_words();
            self.hand_over();
            let now = Instant::now();
            let due = self.stream.next_due(now);
            let sending = due.is_some_and(|due| due <= now);
            let room = self.stream.room() > 0;
            let ended = matches!(self.shell, Shell::Ended { .. });
            let catch_up = self.stream.catch_up_due(now);
            let look = self.stream.inputs.look_due();
            let idle = self.idle.due().filter(|_| self.is_alive());
            let event = tokio::select! {
                command = commands.recv() => Event::Command(command),
                ready = self.pty.readable(), if room && !ended && !self.hung_up => {
                    let mut ready = ready?;
                    let stop = read(
                        &self.pty,
                        &mut self.buffer,
                        &mut self.stream,
                        &mut self.commands,
                        &mut self.hung_up,
                        u64::MAX,
                    );
                    if stop == Stop::Empty {
                        ready.clear_ready();
                    }
                    Event::Progress
                }
                () = yield_now(), if room && ended => Event::Progress,
                ready = self.pty.writable(), if self.stream.inputs.next().is_some() && look.is_none() && self.takes_keys() => {
                    // `write_input` has tried and found no room.
                    ready?.clear_ready();
                    Event::Progress
                }
                permit = self.outbox.reserve(), if sending => {
                    match permit {
                        Ok(permit) => {
                            if let Some(outgoing) = self.stream.next(Instant::now()) {
                                permit.send(outgoing);
                            }
                        }
                        Err(_) => self.stream.detach(),
                    }
                    Event::Progress
                }
                () = sleep_until(instant(due)), if due.is_some() && !sending => Event::Progress,
                () = sleep_until(instant(catch_up)), if catch_up.is_some() => Event::CatchUp,
                () = sleep_until(instant(look)), if look.is_some() && self.takes_keys() => Event::Progress,
                () = sleep_until(instant(self.kill_at)), if self.kill_at.is_some() => Event::Kill,
                () = sleep_until(instant(idle)), if idle.is_some() => Event::Idle,
                event = self.shell.event() => Event::Shell(event?),
            };
            match event {
                Event::Command(Some(command)) => self.obey(command),
                Event::Command(None) => return Ok(()),
                Event::CatchUp => self.stream.catch_up(Instant::now()),
                Event::Kill => self.kill(),
                Event::Idle => self.nobody_types(),
                Event::Shell(event) => self.shell_went_on(event),
                Event::Progress => {}
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Attach { outbox, report } => {
                self.outbox = outbox;
                // Nobody waits for the report when that link is gone, too.
                let _ = report.send(self.stream.attach());
            }
            Command::Detach => self.stream.detach(),
            Command::Report(report) => {
                let _ = report.send(self.stream.report());
            }
            Command::Describe(described) => {
                let _ = described.send(self.describe());
            }
            // What was asked first is still to be answered.
            Command::Opened if self.shell.is_starting() => {}
            Command::Opened => self.stream.repeat_opened(),
            Command::OpenInput(input) => self.stream.inputs.open(input, now),
            Command::CloseInput(input) => self.stream.inputs.close(input),
            Command::Input(frame) => {
                self.again = None;
                self.idle.typed(now);
                self.stream.inputs.receive(&frame, now);
            }
            Command::Credit { acked, window } => self.stream.set_credit(acked, window),
            Command::Resize(size) => match self.pty.resize(size) {
                Ok(()) => {
                    self.stream.resize(size);
                    self.commands.resize(size);
                    if let Shell::Remote(remote) = &self.shell {
                        remote.resize(size);
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot resize a terminal"),
            },
            Command::Part(part) => self.stream.request_part(part),
            Command::Snapshot => self.stream.request_snapshot(),
            Command::Screen => self.stream.request_screen(),
            Command::Close { grace, told } => {
                self.told.extend(told);
                self.hang_up(grace);
            }
        }
    }

    fn describe(&self) -> Described {
        let running = self.commands.running();
        let directory = self.pid.and_then(process::directory);
        let directory = directory.map(|path| path.display().to_string());
        Described {
            stream: self.stream.id(),
            title: self.stream.title(),
            command: running.map(|record| record.command.clone()),
            cwd: directory
                .or_else(|| running.map(|record| record.cwd.clone()))
                .unwrap_or_default(),
        }
        .within_bounds()
    }

    /// Whether it has a shell that nobody has told to end.
    fn is_alive(&self) -> bool {
        self.kill_at.is_none() && !matches!(self.shell, Shell::Ended { .. } | Shell::Over)
    }

    fn nobody_types(&mut self) {
        match self.idle.take(Instant::now()) {
            Some(Due::Warning(seconds)) => self.stream.warn_idle(self.idle.after(), seconds),
            Some(Due::End) => {
                tracing::info!(stream = %self.stream.id(), after = ?self.idle.after(), "nobody types: a shell is closed");
                self.ended_by = Some(IDLE_TIMEOUT);
                self.hang_up(HANG_UP_GRACE);
            }
            None => {}
        }
    }

    fn hang_up(&mut self, grace: Duration) {
        if matches!(self.shell, Shell::Over) {
            return;
        }
        let at = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(at, |earlier| earlier.min(at)));
        // Whoever is behind on reading does not keep a session from ending.
        self.stream.allow_to(self.stream.end() + LAST_WORDS);
        match (&mut self.shell, self.pid) {
            (Shell::Running(_), Some(pid)) => pty::hang_up(&self.pty, pid),
            (Shell::Remote(remote), _) => remote.hang_up(),
            _ => {}
        }
    }

    fn kill(&mut self) {
        self.kill_at = None;
        if let Some(pid) = self.pid {
            process::kill_session(pid);
        }
        // In case the system does not show its processes.
        if let Shell::Running(started) = &mut self.shell {
            shell::start_kill(&mut started.child);
        }
    }

    /// Hands what is due to the link, as far as it has room.
    fn hand_over(&mut self) {
        loop {
            let now = Instant::now();
            if self.stream.next_due(now).is_none_or(|due| due > now) {
                break;
            }
            let Ok(permit) = self.outbox.try_reserve() else { break };
            let Some(outgoing) = self.stream.next(now) else { break };
            permit.send(outgoing);
        }
        if self.stream.is_over() {
            for told in self.told.drain(..) {
                let _ = told.send(());
            }
        }
    }

    /// Whether keys are written now. Not before it is known which shell gets them, and whether it is to be read: it may have a prompt, and
    /// somebody may type at that, earlier than whoever started it says so.
    fn takes_keys(&self) -> bool {
        !self.hung_up && !self.shell.is_starting()
    }

    fn write_input(&mut self) {
        if !self.takes_keys() || self.stream.inputs.next().is_none() {
            return;
        }
        let waiting = || {
            if let Shell::Remote(_) = self.shell {
                // Whether it waits there, nobody says. What its terminal does not show is in no record anyway.
                return Some(Waiting::elsewhere());
            }
            let shows = !self.pty.hides_lines();
            process::waiting(self.pid?, self.pty.foreground_group()?).filter(|_| shows)
        };
        let before = self.commands.before_keys(&mut self.stream, waiting);
        match self.stream.write_input(&self.pty, Instant::now()) {
            Ok(typed) => self.commands.typed(&typed, before),
            Err(error) => {
                tracing::debug!(%error, "a terminal takes no more input");
                self.stream.inputs.discard();
            }
        }
    }

    /// Reads what a shell that has ended left in its terminal. The kernel hands over everything that was written before
    /// it says that there is nothing, so nothing is lost.
    fn read_last_words(&mut self) {
        let Shell::Ended { status, read_to } = &self.shell else {
            return;
        };
        let (mut status, read_to) = (status.clone(), *read_to);
        let stop = read(
            &self.pty,
            &mut self.buffer,
            &mut self.stream,
            &mut self.commands,
            &mut self.hung_up,
            read_to,
        );
        if stop == Stop::Empty || self.stream.end() >= read_to {
            self.commands.ended(status.code, &mut self.stream);
            status.reason = self.ended_by.map(str::to_owned).or(status.reason);
            self.stream.ended(status);
            self.shell = Shell::Over;
            self.hung_up = true;
        }
    }

    fn shell_went_on(&mut self, event: ShellEvent) {
        match event {
            ShellEvent::Started(started) => {
                if started.hooks.is_none() {
                    self.again = None;
                    if started.is_shell {
                        self.commands.read_screen();
                    }
                }
                // One that is started once more was there before, as far as anybody knows.
                if self.pid.replace(started.child.pid()).is_none() {
                    self.stream.opened();
                }
                self.shell = Shell::Running(started);
                if let (Some(_), Some(pid)) = (self.kill_at, self.pid) {
                    pty::hang_up(&self.pty, pid);
                }
            }
            ShellEvent::Connected(connected) => {
                self.commands.read_screen();
                self.stream.connected(connected);
                self.stream.opened();
            }
            ShellEvent::Exited(status)
                if status.code != Some(0)
                    && !self.commands.is_ready()
                    && self.kill_at.is_none()
                    && self.again.is_some() =>
            {
                if let Some(Again { login, slave }) = self.again.take() {
                    tracing::warn!(
                        ?status,
                        "a shell ended before its first prompt; it is started again without hooks"
                    );
                    self.stream.started_without_hooks();
                    self.shell = Shell::start(login, slave, None);
                }
            }
            ShellEvent::Exited(status) => {
                self.shell = Shell::Ended {
                    status,
                    read_to: self.stream.end() + LAST_WORDS,
                };
            }
        }
    }

    /// The handle is gone: ends the shell if it still runs, and waits for it, so that it leaves no zombie.
    async fn bury(mut self) {
        // Nobody sees how a command ends that runs now.
        self.commands.ended(None, &mut self.stream);
        let Started {
            mut child,
            hooks: _hooks,
            ..
        } = match self.shell {
            Shell::Running(started) => *started,
            Shell::Starting(starting) => match starting.await {
                Ok(Ok(started)) => started,
                Ok(Err(_)) | Err(_) => return,
            },
            // Dropping it hangs it up.
            Shell::Remote(_) | Shell::Ended { .. } | Shell::Over => return,
        };
        pty::hang_up(&self.pty, child.pid());
        drop(self.pty);
        if timeout(HANG_UP_GRACE, child.wait()).await.is_err() {
            process::kill_session(child.pid());
            shell::start_kill(&mut child);
        }
        if let Err(error) = child.wait().await {
            tracing::warn!(%error, "cannot wait for a shell");
        }
    }
}

/// Reads the terminal until it is empty, the stream has no room, or ends at `read_to`.
fn read(
    pty: &Pty,
    buffer: &mut [u8; READ],
    stream: &mut Stream,
    commands: &mut Commands,
    hung_up: &mut bool,
    read_to: u64,
) -> Stop {
    while !*hung_up {
        let most = stream.room().min(READ);
        if most == 0 || stream.end() >= read_to {
            return Stop::NoRoom;
        }
        match pty.read(&mut buffer[..most]) {
            Ok(Read::Bytes(count)) => {
                commands.output(&buffer[..count], stream, Instant::now());
                // Keystrokes and prompts are far from that.
                if count >= pty::FULL {
                    pty.refill();
                }
            }
            Ok(Read::Nothing) => return Stop::Empty,
            Ok(Read::HungUp) => *hung_up = true,
            Err(error) => {
                tracing::warn!(%error, "cannot read a terminal");
                *hung_up = true;
            }
        }
    }
    Stop::Empty
}

/// A point in time for a timer whose branch is off when there is none.
fn instant(at: Option<Instant>) -> tokio::time::Instant {
    at.unwrap_or_else(Instant::now).into()
}
