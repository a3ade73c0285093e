//! The loop between the local terminal and the relay.
use std::io::ErrorKind;

use protocol::api::machines::Machine;
use protocol::ids::{AgentId, SessionId};
use protocol::limits::LIVE_WINDOW;
use protocol::terminal::{ExitStatus, Size};
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::backoff::Backoff;
use super::end_of_input::{END_OF_FILE, EndOfInput};
use super::escape::Escape;
use super::line::{Line, Step};
use super::link::{Failure, Link, PING_EVERY, SILENCE};
use super::screen::Screen;
use super::tty::{self, RawMode};
use super::viewer::{Event, Viewer};
use super::{exit, jitter, keyboard, new_viewer_id};
use crate::client::Client;
use crate::error::{Error, tell};

/// How long a script goes without a connection before it fails. A person waits for as long as they like.
const PATIENCE_OF_SCRIPTS: Duration = Duration::from_secs(300);

/// Opens a terminal, or returns to one, and answers the exit status of its shell.
pub async fn run(client: Client, machine: &Machine, session: SessionId) -> Result<i32, Error> {
    let sizes = tty::watch_size()?;
    let raw = RawMode::enter()?;
    let (screen, shown) = Screen::start();
    let mut terminal = Terminal {
        client,
        agent: machine.agent_id.clone(),
        session: session.clone(),
        viewer: Viewer::new(new_viewer_id()?, tty::size()),
        line: Line::Waiting(Instant::now()),
        backoff: Backoff::default(),
        escape: raw.is_some().then(Escape::default),
        keys: Some(keyboard::start()),
        mid_line: false,
        end_of_input: None,
        sizes,
        screen,
        shown,
        started: Instant::now(),
        up_until: Instant::now(),
        trouble: None,
    };
    let end = terminal.converse().await;
    // However it ended, we are not coming back: nobody keeps output for us.
    if let Line::Up(link) = terminal.line {
        link.leave().await;
    }
    terminal.screen.finish();
    drop(raw);
    match end {
        End::Shell(status) => Ok(exit::status(&status)),
        End::Failed(error) => Err(error),
        End::Left(status) => {
            tell(&format!(
                "\nLeft; the shell goes on. Return with: vsay connect {} --session {session}\n",
                machine.agent_id
            ));
            Ok(status)
        }
    }
}

/// How the conversation ended.
enum End {
    /// The shell did.
    Shell(ExitStatus),
    /// We left, with this exit status; the shell goes on.
    Left(i32),
    /// It cannot go on.
    Failed(Error),
}

struct Terminal {
    client: Client,
    agent: AgentId,
    session: SessionId,
    viewer: Viewer,
    line: Line,
    backoff: Backoff,
    /// Only a person leaves with keys.
    escape: Option<Escape>,
    /// Nothing once the input has ended.
    keys: Option<mpsc::Receiver<Vec<u8>>>,
    /// What was typed last has no line break yet.
    mid_line: bool,
    /// Once the input of a script has ended: when that was said.
    end_of_input: Option<EndOfInput>,
    sizes: watch::Receiver<Size>,
    screen: Screen,
    shown: mpsc::UnboundedReceiver<u64>,
    started: Instant,
    /// When there was a connection last.
    up_until: Instant,
    /// What stands in the way, as told last. Told once, not at each attempt.
    trouble: Option<String>,
}

impl Terminal {
    async fn converse(&mut self) -> End {
        let asked_to_end = tty::asked_to_end();
        tokio::pin!(asked_to_end);
        loop {
            self.flush();
            let reads = self.viewer.unshown() < LIVE_WINDOW;
            let wakes_at = self.wakes_at();
            let end_due = self.end_of_input.map(|end| end.due());
            let end = tokio::select! {
                status = &mut asked_to_end => match status {
                    Ok(status) => Some(End::Left(status)),
                    Err(error) => Some(End::Failed(error.into())),
                },
                typed = next_keys(&mut self.keys), if self.viewer.takes_input() => self.typed(typed),
                shown = self.shown.recv() => self.shown(shown),
                Ok(()) = self.sizes.changed() => self.resized(),
                step = self.line.step(), if reads => self.step(step),
                () = reach(end_due), if self.viewer.input_is_applied() => self.say_end_again(),
                () = sleep_until(wakes_at) => self.tick(reads),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Sends what there is to send.
    fn flush(&mut self) {
        let now = self.now_ms();
        if let Line::Up(link) = &self.line {
            while let Some(frame) = self.viewer.next_frame(now) {
                link.send(&frame);
            }
        }
    }

    fn typed(&mut self, typed: Option<Vec<u8>>) -> Option<End> {
        let Some(typed) = typed else {
            self.keys = None;
            // A terminal that goes away takes its person along.
            if self.escape.is_some() {
                return Some(End::Left(128 + 1));
            }
            // The last line of a file counts without a line break, too; a shell that edits lines wants one.
            if std::mem::take(&mut self.mid_line) {
                self.viewer.typed(b"\n");
            }
            self.viewer.typed(&[END_OF_FILE]);
            self.end_of_input = Some(EndOfInput::said_at(Instant::now()));
            return None;
        };
        let (bytes, leave) = match &mut self.escape {
            Some(escape) => escape.filter(&typed),
            None => (typed, false),
        };
        self.viewer.typed(&bytes);
        self.mid_line = bytes
            .last()
            .map_or(self.mid_line, |last| !matches!(last, b'\n' | b'\r'));
        if leave {
            // What was typed before goes out first.
            self.flush();
            return Some(End::Left(0));
        }
        None
    }

    fn say_end_again(&mut self) -> Option<End> {
        if let Some(end) = &mut self.end_of_input {
            end.said_again(Instant::now());
            self.viewer.typed(&[END_OF_FILE]);
        }
        None
    }

    fn shown(&mut self, offset: Option<u64>) -> Option<End> {
        match offset {
            Some(offset) => self.viewer.shown(offset, self.now_ms()),
            None => {
                // Nobody reads the output any more.
                return Some(End::Failed(ErrorKind::BrokenPipe.into()));
            }
        }
        None
    }

    fn resized(&mut self) -> Option<End> {
        let size = *self.sizes.borrow_and_update();
        if let (Line::Up(link), Some(message)) = (&self.line, self.viewer.resize(size)) {
            link.say(&message);
        }
        None
    }

    fn step(&mut self, step: Step) -> Option<End> {
        match step {
            Step::Due => {
                let (client, agent, session) = (self.client.clone(), self.agent.clone(), self.session.clone());
                let size = *self.sizes.borrow();
                self.line = Line::Opening(Box::pin(Link::open(client, agent, session, size)));
            }
            Step::Opened(Ok(link)) => {
                link.say(&self.viewer.hello());
                self.line = Line::Up(Box::new(link));
            }
            Step::Opened(Err(Failure::Lasting(error))) => return Some(End::Failed(error)),
            Step::Opened(Err(Failure::Passing(reason))) => return self.try_again(&reason),
            Step::Received(Ok(message)) => return self.received(message),
            Step::Received(Err(reason)) => return self.try_again(&reason),
        }
        None
    }

    fn received(&mut self, message: Message) -> Option<End> {
        let event = match message {
            Message::Text(text) => self.viewer.control(&text),
            Message::Binary(bytes) => self.viewer.binary(bytes),
            _ => Ok(None),
        };
        match event {
            Ok(event) => event.and_then(|event| self.happened(event)),
            Err(error) => Some(End::Failed(Error::Terminal(error.to_string()))),
        }
    }

    fn happened(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Output(bytes, end) => {
                if let Some(end) = &mut self.end_of_input {
                    end.output(Instant::now());
                }
                self.screen.show(bytes, end);
            }
            Event::Redraw => self.screen.clear(),
            Event::Snapshot(bytes) => self.screen.draw(bytes),
            Event::Attached { can_type } => {
                if self.trouble.take().is_some() {
                    self.tell("connected again");
                }
                if !can_type {
                    self.tell("you are watching; what you type goes nowhere");
                }
            }
            Event::Agent { online: false } => self.trouble("the machine is not connected; waiting for it"),
            Event::Agent { online: true } => {
                if self.trouble.take().is_some() {
                    self.tell("the machine is back");
                }
            }
            Event::Gap(count) => self.tell(&format!(
                "{count} bytes of output are no longer kept; this is the screen now"
            )),
            Event::Refused(reason) => self.tell(&reason),
            // A shell whose end nobody saw: the reason follows.
            Event::Exit(ExitStatus {
                code: None,
                signal: None,
                ..
            }) => {}
            Event::Exit(status) if status.is_idle() => {
                self.tell(
                    "the session has ended: nobody typed for longer than the organization lets a terminal be idle",
                );
                return Some(End::Shell(status));
            }
            Event::Exit(status) => return Some(End::Shell(status)),
            Event::Disconnect { reason, lasting: true } => return Some(End::Failed(Error::Terminal(reason))),
            Event::Disconnect { reason, lasting: false } => return self.try_again(&reason),
        }
        None
    }

    /// The connection is lost, or could not be made.
    fn try_again(&mut self, reason: &str) -> Option<End> {
        let now = Instant::now();
        if let Line::Up(link) = &self.line {
            self.backoff.stood(link.opened.elapsed());
            self.up_until = now;
        }
        let alone = self.escape.is_none();
        if alone && now.duration_since(self.up_until) >= PATIENCE_OF_SCRIPTS {
            return Some(End::Failed(Error::Terminal(format!("gave up connecting: {reason}"))));
        }
        let wait = self.backoff.next(jitter());
        self.line = Line::Waiting(now + wait);
        // A short cut is mended before anybody could read about it.
        if !wait.is_zero() {
            let reason = if reason.is_empty() {
                "the connection was cut"
            } else {
                reason
            };
            self.trouble(&format!("{reason}; trying to connect again"));
        }
        None
    }

    fn tick(&mut self, reads: bool) -> Option<End> {
        let Line::Up(link) = &mut self.line else { return None };
        if !reads {
            // It is not read, so its silence says nothing.
            link.heard = Instant::now();
        }
        if link.heard.elapsed() >= SILENCE {
            return self.try_again("the server went silent");
        }
        if link.pinged.elapsed() >= PING_EVERY {
            link.ping();
        }
        None
    }

    fn wakes_at(&self) -> Instant {
        let Line::Up(link) = &self.line else {
            return Instant::now() + SILENCE;
        };
        let ack = self
            .viewer
            .wakes_at_ms()
            .map(|ms| self.started + Duration::from_millis(ms));
        let ping = (link.pinged + PING_EVERY).min(link.heard + SILENCE);
        ack.map_or(ping, |ack| ack.min(ping))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn trouble(&mut self, text: &str) {
        if self.trouble.as_deref() != Some(text) {
            self.trouble = Some(text.to_owned());
            self.tell(text);
        }
    }

    fn tell(&self, text: &str) {
        if self.escape.is_some() {
            // In raw mode a line feed does not return to the margin.
            tell(&format!("\r\n[vsay] {text}\r\n"));
        } else {
            tell(&format!("vsay: {text}\n"));
        }
    }
}

/// What is typed next, `None` at the end of the input; never resolves after it.
async fn next_keys(keys: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match keys {
        Some(keys) => keys.recv().await,
        None => std::future::pending().await,
    }
}

async fn reach(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
