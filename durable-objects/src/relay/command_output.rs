//! What those are told who look at the machine's terminals while a command runs there: whoever reaches a machine may read the commands
//! that were sent to it. It is an extra. Nothing of it is stored, it holds nobody up, and whoever is behind does not get it; the result
//! is kept elsewhere, and is whole.
use protocol::api::commands::CommandResult;
use protocol::ids::StreamId;
use protocol::limits::MAX_COMMAND_PART;
use protocol::relay_contract::Dialect;
use protocol::terminal::command_record::within;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::commands::Command;
use super::published::Published;
use super::viewer::Viewer;

/// How much of the end of each output our own viewers are told with the end of a command, in bytes. They show a line or a few; the
/// rest is read with the result.
const TAIL: usize = 1024;

impl RelayState {
    /// A command that runs has written this.
    pub(super) fn command_wrote(&mut self, stream: StreamId, part: u32, stdout: String, stderr: String) {
        let Some(command) = self.commands.get(stream).filter(|command| command.is_sent()) else {
            return;
        };
        let bounded = |text: String| match text.len() > MAX_COMMAND_PART {
            true => within(&text, MAX_COMMAND_PART).to_owned(),
            false => text,
        };
        let (stdout, stderr) = (bounded(stdout), bounded(stderr));
        let (ours, clients) = self.onlookers();
        let label = command.label();
        if !ours.is_empty() {
            let running = ToViewer::CommandRunning {
                command_id: command.id().clone(),
                by: label.by.clone(),
                command: label.command.clone(),
                part,
                stdout: stdout.clone(),
                stderr: stderr.clone(),
            };
            self.out.spare(&ours, &running);
        }
        if !clients.is_empty() {
            let output = ToClient::CommandOutput {
                command_id: command.id().to_string(),
                stdout,
                stderr,
                exit_code: None,
                completed: false,
                part: Some(part),
                truncated: false,
                error: None,
            };
            self.out.spare(&clients, &output);
        }
    }

    /// A command has ended, with this. The clients of whoever sent it are not spared.
    pub(super) fn tell_ended(&mut self, stream: StreamId, result: CommandResult) {
        let Some(command) = self.commands.get(stream) else {
            return;
        };
        let label = command.label();
        let ended = ToViewer::CommandEnded {
            command_id: command.id().clone(),
            by: label.by.clone(),
            command: label.command.clone(),
            status: result.status,
            exit_code: result.exit_code,
            signal: result.signal.clone(),
            error: result.error.clone(),
            stdout: tail(&result.stdout).to_owned(),
            stderr: tail(&result.stderr).to_owned(),
        };
        for socket in self.viewers.sockets_where(Viewer::hears_of_commands) {
            self.out.say(socket, &ended);
        }
        let clients = self.viewers.sockets_where(hears_of_commands);
        if clients.is_empty() {
            return;
        }
        let output = output_frame(command.id().to_string(), result);
        let (senders, others): (Vec<_>, Vec<_>) = clients.into_iter().partition(|socket| self.sent(command, *socket));
        for socket in senders {
            self.out.say(socket, &output);
        }
        self.out.spare(&others, &output);
    }

    /// Whether a client is one of whoever sent a command.
    fn sent(&self, command: &Command, socket: Socket) -> bool {
        let viewer = self.viewers.get(socket);
        viewer.is_some_and(|viewer| match command.session() {
            Some(session) => viewer.stream() == Some(session),
            None => Some(&viewer.context().user) == command.user(),
        })
    }

    /// Who looks on and is not behind: our own viewers, and published clients.
    fn onlookers(&self) -> (Vec<Socket>, Vec<Socket>) {
        let ours = |viewer: &Viewer| viewer.hears_of_commands() && !viewer.is_behind();
        let clients = |viewer: &Viewer| hears_of_commands(viewer) && !viewer.is_behind();
        (self.viewers.sockets_where(ours), self.viewers.sockets_where(clients))
    }
}

/// Whether a viewer is a published client that was told that its session is there, and that may know of commands.
pub(super) fn hears_of_commands(viewer: &Viewer) -> bool {
    let ready = viewer.published().is_some_and(Published::is_ready);
    viewer.dialect() == Dialect::Published && ready && !viewer.is_guest()
}

/// What a published client is told of a result.
pub fn output_frame(command_id: String, result: CommandResult) -> ToClient {
    ToClient::CommandOutput {
        command_id,
        stdout: result.stdout,
        stderr: result.stderr,
        exit_code: result.exit_code,
        completed: true,
        part: None,
        truncated: result.truncated,
        error: result.error,
    }
}

/// How a text ends.
fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}
