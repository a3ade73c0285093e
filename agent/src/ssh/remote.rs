//! A shell on another host as a session has it. The connection has the other end of the session's terminal, which does nothing to what
//! passes, and which holds little: what nobody reads is not read from the connection either.
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::terminal::ssh::{self, CONNECTION_LOST, SshConnected, SshTarget};
use protocol::terminal::{ExitStatus, Size};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::Ssh;
use super::connect::{self, Connection};
use super::failure::Failure;
use crate::pty::Through;

/// What is read of keys at once: more than a terminal holds.
const KEYS: usize = 4096;

/// How long the other end may take to hear that it is over.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// The signal of a shell whose terminal was closed here, as one of this machine would have it.
const HUNG_UP: &str = "SIGHUP";

/// A shell on another host, from the attempt to get there to its end. Dropping it hangs it up.
#[derive(Debug)]
pub struct Remote {
    events: mpsc::Receiver<Result<RemoteEvent, String>>,
    size: watch::Sender<Size>,
    /// Hangs up when it is dropped.
    alive: Option<oneshot::Sender<()>>,
    is_open: bool,
    is_over: bool,
}

/// What can happen to it.
#[derive(Debug)]
pub enum RemoteEvent {
    /// It is there.
    Connected(SshConnected),
    /// It ended.
    Exited(ExitStatus),
}

impl Remote {
    /// Opens a shell on a host that has the other end of a terminal. Must be called within a tokio runtime.
    pub fn open(ssh: Arc<Ssh>, target: SshTarget, size: Size, slave: OwnedFd) -> Self {
        // The connection, and its end.
        let (tell, events) = mpsc::channel(2);
        let (size, sizes) = watch::channel(size);
        let (alive, hung_up) = oneshot::channel();
        tokio::spawn(run(ssh, target, slave, sizes, hung_up, tell));
        Self {
            events,
            size,
            alive: Some(alive),
            is_open: false,
            is_over: false,
        }
    }

    /// Whether the shell is there.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Waits for what happens next; for ever once it has ended. The error is why there is none. Nothing is lost if this is dropped.
    pub async fn event(&mut self) -> io::Result<RemoteEvent> {
        if self.is_over {
            return pending().await;
        }
        let event = self.events.recv().await;
        self.is_over = !matches!(event, Some(Ok(RemoteEvent::Connected(_))));
        self.is_open |= !self.is_over;
        event
            .unwrap_or(Ok(RemoteEvent::Exited(lost())))
            .map_err(io::Error::other)
    }

    /// The terminal has a new size.
    pub fn resize(&self, size: Size) {
        self.size.send_replace(size);
    }

    /// Ends it, as closing a terminal window does.
    pub fn hang_up(&mut self) {
        self.alive = None;
    }
}

/// From the attempt to get there to the end.
async fn run(
    ssh: Arc<Ssh>,
    target: SshTarget,
    slave: OwnedFd,
    sizes: watch::Receiver<Size>,
    mut hung_up: oneshot::Receiver<()>,
    tell: mpsc::Sender<Result<RemoteEvent, String>>,
) {
    let size = *sizes.borrow();
    let opened = tokio::select! {
        opened = connect::open(&ssh, &target, size) => opened,
        _ = &mut hung_up => Err(Failure::Broken("it was closed before it was there".to_owned())),
    };
    let opened = opened.map_err(|failure| match failure {
        Failure::NoCredentials => ssh::no_credentials(&target.hostname),
        failure => ssh::failed(failure),
    });
    let terminal = opened.and_then(|opened| Ok((opened, Through::of(slave).map_err(ssh::failed)?)));
    let (connection, terminal) = match terminal {
        Ok(there) => there,
        // Who wanted it may be gone.
        Err(words) => return drop(tell.send(Err(words)).await),
    };
    let connected = connection.connected.clone();
    if tell.send(Ok(RemoteEvent::Connected(connected))).await.is_err() {
        return;
    }
    let status = serve(&target, connection, &terminal, sizes, hung_up).await;
    // What it holds is read before the session is told of the end.
    drop(terminal);
    let _ = tell.send(Ok(RemoteEvent::Exited(status))).await;
}

/// Carries bytes until one side ends.
async fn serve(
    target: &SshTarget,
    connection: Connection,
    terminal: &Through,
    sizes: watch::Receiver<Size>,
    hung_up: oneshot::Receiver<()>,
) -> ExitStatus {
    let Connection {
        channel,
        early,
        handle,
        wire,
        connected,
    } = connection;
    let (mut from, to) = channel.split();
    let words = connected.trusted.map(|key| {
        format!(
            "The host key of {} ({}) was not known. It is trusted from now on: {key}\r\n",
            target.hostname, connected.ip
        )
    });
    let shows = async {
        for bytes in words.into_iter().map(Bytes::from).chain(early) {
            terminal.write(&bytes).await?;
        }
        show(&mut from, terminal).await
    };
    let ended = tokio::select! {
        ended = shows => Some(ended),
        () = types(terminal, &to) => None,
        () = follows(sizes, &to) => None,
        _ = hung_up => None,
    };
    let status = match ended {
        Some(Ok(Some(status))) => status,
        Some(Ok(None)) => {
            let words = format!("\r\n{}\r\n", ssh::disconnected("the connection was lost"));
            // Nobody has to see it: it is in the status as well.
            let _ = timeout(GOODBYE_WITHIN, terminal.write(words.as_bytes())).await;
            lost()
        }
        // The session has closed its end of the terminal, or wants it closed.
        Some(Err(_)) | None => ExitStatus {
            signal: Some(HUNG_UP.to_owned()),
            ..ExitStatus::default()
        },
    };
    let goodbye = async {
        to.close().await?;
        handle.disconnect(Disconnect::ByApplication, "", "").await?;
        drop((to, from));
        drop(handle.await);
        Ok::<(), russh::Error>(())
    };
    // One that does not hear it is gone, or has its socket closed now.
    let _ = timeout(GOODBYE_WITHIN, goodbye).await;
    drop(wire);
    status
}

/// A shell whose end nobody saw.
fn lost() -> ExitStatus {
    ExitStatus {
        reason: Some(CONNECTION_LOST.to_owned()),
        ..ExitStatus::default()
    }
}

/// Shows what the shell writes, until it has ended: nothing, if the connection has before it said so. That it writes no more says nothing.
async fn show(from: &mut ChannelReadHalf, terminal: &Through) -> io::Result<Option<ExitStatus>> {
    let mut status = ExitStatus::default();
    while let Some(message) = from.wait().await {
        match message {
            ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => terminal.write(&data).await?,
            ChannelMsg::ExitStatus { exit_status } => status.code = Some(exit_status.cast_signed()),
            ChannelMsg::ExitSignal { signal_name, .. } => status.signal = Some(signal(&signal_name)),
            ChannelMsg::Close => return Ok(Some(status)),
            _ => {}
        }
    }
    Ok(None)
}

/// Longest name of a signal that is taken of a host.
const MAX_SIGNAL: usize = 16;

/// A signal as this machine calls it.
fn signal(signal: &russh::Sig) -> String {
    use russh::Sig;
    let name = match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => name,
    };
    // Those of programs of their own are called as in `name@domain`.
    let name = name.split('@').next().unwrap_or_default();
    let plain = name.chars().filter(char::is_ascii_alphanumeric).take(MAX_SIGNAL);
    format!("SIG{}", plain.collect::<String>())
}

/// Tells the shell what is typed, as far as the connection takes it. Ends when there is nobody to tell.
async fn types(terminal: &Through, to: &ChannelWriteHalf<Msg>) {
    let mut keys = [0; KEYS];
    while let Ok(count) = terminal.read(&mut keys).await {
        let Some(typed) = keys.get(..count).filter(|typed| !typed.is_empty()) else {
            return;
        };
        if to.data_bytes(Bytes::copy_from_slice(typed)).await.is_err() {
            // The end is on its way.
            return pending().await;
        }
    }
}

/// Tells it the terminal's size whenever that changes.
async fn follows(mut sizes: watch::Receiver<Size>, to: &ChannelWriteHalf<Msg>) {
    // It may have changed while the shell was opened.
    sizes.mark_changed();
    while sizes.changed().await.is_ok() {
        let size = *sizes.borrow_and_update();
        if to
            .window_change(size.cols.into(), size.rows.into(), 0, 0)
            .await
            .is_err()
        {
            return pending().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_called_as_it_is_here() {
        assert_eq!(signal(&russh::Sig::KILL), "SIGKILL");
        assert_eq!(
            signal(&russh::Sig::Custom("USR2\u{1b}[2J@openssh.com, and more".into())),
            "SIGUSR22J"
        );
    }
}
