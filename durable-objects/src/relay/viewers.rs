//! The sockets of viewers.
use std::collections::BTreeMap;

use protocol::ids::StreamId;

use super::action::Socket;
use super::viewer::Viewer;

/// All viewers.
#[derive(Debug, Default)]
pub struct Viewers(BTreeMap<Socket, Viewer>);

impl Viewers {
    pub fn add(&mut self, socket: Socket, viewer: Viewer) {
        self.0.insert(socket, viewer);
    }

    pub fn get(&self, socket: Socket) -> Option<&Viewer> {
        self.0.get(&socket)
    }

    pub fn get_mut(&mut self, socket: Socket) -> Option<&mut Viewer> {
        self.0.get_mut(&socket)
    }

    pub fn remove(&mut self, socket: Socket) -> Option<Viewer> {
        self.0.remove(&socket)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Socket, &Viewer)> {
        self.0.iter().map(|(socket, viewer)| (*socket, viewer))
    }

    /// The first socket that fits.
    pub fn find(&self, fits: impl Fn(&Viewer) -> bool) -> Option<Socket> {
        self.iter().find(|(_, viewer)| fits(viewer)).map(|(socket, _)| socket)
    }

    /// All sockets, for a walk on which they may close.
    pub fn sockets(&self) -> Vec<Socket> {
        self.0.keys().copied().collect()
    }

    /// The sockets that fit, for a walk on which they may close.
    pub fn sockets_where(&self, fits: impl Fn(&Viewer) -> bool) -> Vec<Socket> {
        self.iter()
            .filter(|(_, viewer)| fits(viewer))
            .map(|(socket, _)| socket)
            .collect()
    }

    /// The sockets attached to a session, for a walk on which they may close.
    pub fn attached_to(&self, stream: StreamId) -> Vec<Socket> {
        self.sockets_where(|viewer| viewer.stream() == Some(stream))
    }

    /// The viewers of a session.
    pub fn of(&self, stream: StreamId) -> impl Iterator<Item = &Viewer> {
        self.0.values().filter(move |viewer| viewer.stream() == Some(stream))
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, stream: StreamId) -> impl Iterator<Item = &mut Viewer> {
        self.0
            .values_mut()
            .filter(move |viewer| viewer.stream() == Some(stream))
    }

    /// The agent's link is gone.
    pub fn link_lost(&mut self) {
        self.0.values_mut().for_each(Viewer::link_lost);
    }
}
