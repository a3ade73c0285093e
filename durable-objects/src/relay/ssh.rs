//! Sessions on other hosts, which the agent of a runner opens by SSH, and the published frames of their sockets.
use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::relay_contract::Dialect;
use protocol::terminal::close::Close;
use protocol::terminal::ssh::{self, CONNECTION_CLOSED, FromClient, SshConnected, ToClient, pieces};
use serde::{Deserialize, Serialize};

use super::RelayState;
use super::action::{Notice, Socket};
use super::published::Published;
use super::viewer::Viewer;

/// How long a session stays whose published client is gone, in milliseconds: its frames have no way to come back to it, and either
/// side's end is the other's (contract).
pub(super) const KEPT: u64 = 0;

/// What a published client is told whose runner is not there.
pub(super) const RUNNER_OFFLINE: &str = "Runner is not connected";

const CANNOT: &str = "the agent of this machine opens none: it is no runner any more, or older than the edge";

/// A host that nobody knew, whose key is trusted from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostTrusted {
    /// In which session it was seen.
    pub session_id: SessionId,
    /// By whom.
    pub user: ObjectId,
    /// Their name.
    pub username: String,
    /// The host, as inventories name it.
    pub hostname: String,
    /// Its address.
    pub ip: String,
    /// Its key's type and fingerprint.
    pub key: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// Why a published client is let go whose shell has ended.
pub(super) fn ended(lost: bool) -> String {
    match lost {
        true => ssh::disconnected("the connection was lost"),
        false => CONNECTION_CLOSED.to_owned(),
    }
}

impl RelayState {
    /// The agent says where it has led.
    pub(super) fn ssh_connected(&mut self, now: u64, stream: StreamId, connected: SshConnected) {
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let Some(hostname) = session.ssh().map(|target| target.hostname.clone()) else {
            return;
        };
        let (ip, trusted) = (connected.ip.clone(), connected.trusted.clone());
        if session.connect(connected, &mut self.out)
            && let Some(key) = trusted
        {
            let trusted = HostTrusted {
                session_id: session.id().clone(),
                user: session.owner().clone(),
                username: session.username().to_owned(),
                hostname,
                ip,
                key,
                at: now,
            };
            self.out.notify(Notice::HostTrusted(trusted));
        }
        for socket in self.viewers.attached_to(stream) {
            self.announce_ssh(socket);
        }
    }

    /// An agent would open a shell of its own machine instead: it is not asked.
    pub(super) fn cannot_open_ssh(&mut self, now: u64, stream: StreamId) {
        self.end_session(now, stream, Close::ShellRefused, &ssh::failed(CANNOT), "open_failed");
    }

    /// Tells a published client that the shell is there, once, when it is known where.
    pub(super) fn announce_ssh(&mut self, socket: Socket) {
        let Some(viewer) = self.viewers.get(socket).filter(|viewer| !viewer.is_waiting()) else {
            return;
        };
        let session = viewer.stream().and_then(|stream| self.sessions.get(stream));
        let Some((target, connected)) = session.and_then(|session| Some((session.ssh()?, session.connected()?))) else {
            return;
        };
        let connected = ToClient::Connected {
            hostname: target.hostname.clone(),
            ip: connected.ip.clone(),
            user: connected.user.clone(),
            default_user: connected.default_user.clone(),
        };
        let viewer = self
            .viewers
            .get_mut(socket)
            .filter(|viewer| viewer.dialect() == Dialect::Ssh);
        if viewer.and_then(Viewer::published_mut).is_some_and(Published::announce) {
            self.out.say(socket, &connected);
        }
    }

    /// A frame of a published client.
    pub(super) fn ssh_text(&mut self, now: u64, socket: Socket, text: &str) {
        match FromClient::decode(text) {
            FromClient::Input(data) => self.type_for(now, socket, data.as_bytes()),
            FromClient::Resize(size) => self.resize(now, socket, size),
            FromClient::Nothing => {}
        }
    }

    /// Output for a published client.
    pub(super) fn send_ssh(&mut self, socket: Socket, output: &str) {
        for piece in pieces(output) {
            let data = piece.to_owned();
            self.out.say(socket, &ToClient::Output { data });
        }
    }

    /// Lets a published client go. What has failed is the end of a session like any other for it, unless nobody has the key (contract).
    pub(super) fn dismiss_ssh(&mut self, now: u64, socket: Socket, close: Close, message: String) {
        let viewer = self.viewers.get(socket);
        let target = viewer.and_then(|viewer| viewer.context().ssh.as_ref());
        let nobody_has_it = target.is_some_and(|target| message == ssh::no_credentials(&target.hostname));
        let close = match close {
            Close::ShellRefused if !nobody_has_it => Close::SessionEnded,
            close => close,
        };
        self.out.say(socket, &ToClient::Error { message });
        self.drop_viewer(now, socket, close);
    }
}
