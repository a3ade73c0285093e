//! A session: one shell on one terminal, from `open` to `forget`. [`Stream`] has the rules; the task here moves the bytes.
mod coalesce;
mod commands;
mod credit;
mod idle;
mod input;
mod line;
mod notice;
mod requests;
mod screen;
mod shell;
mod stream;
mod task;

pub use commands::wall_ms;
pub use input::Terminal;
pub use line::LineMode;
pub use shell::{Login, exit_status};
pub use stream::Outgoing;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use protocol::ids::{SessionId, StreamId};
use protocol::terminal::Size;
use protocol::terminal::agent::{Described, Report};
use protocol::terminal::frame::Frame;
use protocol::terminal::ssh::SshTarget;
use tokio::sync::{mpsc, oneshot};

use crate::command_log::SharedJournal;
use crate::ssh::Ssh;
use crate::stream_log::Limits;

/// Where sessions put what goes to the relay. It holds few frames, so that the echo of a keystroke waits behind few
/// frames of somebody else's output: sessions that wait for room get it in turn.
pub type Outbox = mpsc::Sender<Outgoing>;

/// Frames in an [`Outbox`]; a quarter of a megabyte of bulk output.
pub const OUTBOX: usize = 4;

/// Commands that a session may have waiting. A session takes them whatever its shell does, so nobody waits long.
const COMMANDS: usize = 64;

/// How long a shell that was hung up may take to end before its session is killed.
pub const HANG_UP_GRACE: Duration = Duration::from_secs(5);

/// A shell to run.
#[derive(Debug)]
pub struct Spec {
    /// Its output stream.
    pub stream: StreamId,
    /// The session's name.
    pub session_id: SessionId,
    /// The terminal's first size.
    pub size: Size,
    /// Who logs in.
    pub login: Login,
    /// On which other host, and what leads there; nothing for a shell of this machine.
    pub ssh: Option<(Arc<Ssh>, SshTarget)>,
    /// The log's bounds.
    pub limits: Limits,
    /// After how long without a key it ends; no time is never.
    pub idle_after: Duration,
    /// Where records of its commands go.
    pub journal: Arc<SharedJournal>,
}

/// What a session is told.
#[derive(Debug)]
enum Command {
    Attach {
        outbox: Outbox,
        report: oneshot::Sender<Report>,
    },
    Detach,
    Report(oneshot::Sender<Report>),
    Describe(oneshot::Sender<Described>),
    Opened,
    OpenInput(StreamId),
    CloseInput(StreamId),
    Input(Frame),
    Credit {
        acked: u64,
        window: Option<u64>,
    },
    Resize(Size),
    Part(Range<u64>),
    Snapshot,
    Screen,
    Close {
        grace: Duration,
        told: Option<oneshot::Sender<()>>,
    },
}

/// A handle to a running session. Dropping it hangs up the shell and forgets the log.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
}

impl Session {
    /// Starts a shell; `opened` or `open_failed` follows on the outbox. Must be called within a tokio runtime.
    pub fn open(spec: Spec, outbox: Outbox) -> Self {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        tokio::spawn(task::run(spec, outbox, inbox));
        Self { commands }
    }

    /// Whether the shell could not be started, so that nothing is left of the session.
    pub fn is_gone(&self) -> bool {
        self.commands.is_closed()
    }

    /// Gives the session a new link. Output goes to `outbox` from the reported end on.
    pub async fn attach(&self, outbox: Outbox) -> Option<Report> {
        let (report, answer) = oneshot::channel();
        self.tell(Command::Attach { outbox, report }).await;
        answer.await.ok()
    }

    /// The link is gone.
    pub async fn detach(&self) {
        self.tell(Command::Detach).await;
    }

    /// The stream as it is now. Output after the reported end may have been sent before the report.
    pub async fn report(&self) -> Option<Report> {
        let (report, answer) = oneshot::channel();
        self.tell(Command::Report(report)).await;
        answer.await.ok()
    }

    /// What the shell does now.
    pub async fn describe(&self) -> Option<Described> {
        let (described, answer) = oneshot::channel();
        self.tell(Command::Describe(described)).await;
        answer.await.ok()
    }

    /// Says `opened` again, and how the shell ended if it did.
    pub async fn repeat_opened(&self) {
        self.tell(Command::Opened).await;
    }

    /// Expects a typist's input; an acknowledgement follows.
    pub async fn open_input(&self, input: StreamId) {
        self.tell(Command::OpenInput(input)).await;
    }

    /// A typist is gone for good.
    pub async fn close_input(&self, input: StreamId) {
        self.tell(Command::CloseInput(input)).await;
    }

    /// A typist's bytes.
    pub async fn input(&self, frame: Frame) {
        self.tell(Command::Input(frame)).await;
    }

    /// Leave to write up to `acked + window`, or without limit.
    pub async fn credit(&self, acked: u64, window: Option<u64>) {
        self.tell(Command::Credit { acked, window }).await;
    }

    /// Changes the terminal's size.
    pub async fn resize(&self, size: Size) {
        self.tell(Command::Resize(size)).await;
    }

    /// Asks for a part of the log.
    pub async fn read(&self, part: Range<u64>) {
        self.tell(Command::Part(part)).await;
    }

    /// Asks for a screen snapshot.
    pub async fn snapshot(&self) {
        self.tell(Command::Snapshot).await;
    }

    /// Asks what is shown.
    pub async fn screen(&self) {
        self.tell(Command::Screen).await;
    }

    /// Hangs the shell up, and kills its session if it has not ended after `grace`. The receiver hears when the relay has
    /// been told, or cannot be.
    pub async fn close(&self, grace: Duration) -> oneshot::Receiver<()> {
        let (told, answer) = oneshot::channel();
        self.tell(Command::Close {
            grace,
            told: Some(told),
        })
        .await;
        answer
    }

    async fn tell(&self, command: Command) {
        // A session whose shell could not be started is gone and needs to be told nothing.
        let _ = self.commands.send(command).await;
    }
}
