//! What can happen to the relay and to the links, and the way of a message.
use protocol::limits::LOG_CAPACITY;

use super::{RelaySim, Wire};
use crate::relay::{RelayState, Settings, Socket};

impl RelaySim {
    /// The object loses its memory; sockets live on. Not while it waits for an answer.
    pub fn hibernate(&mut self) {
        self.answer_all();
        self.puts_of_the_dead();
        let open = self
            .memories
            .iter()
            .filter(|(socket, _)| self.links.contains_key(socket));
        let sockets: Vec<_> = open.map(|(socket, memory)| (*socket, memory.clone())).collect();
        self.relay = RelayState::restore(Settings::default(), self.storage.values().cloned(), sockets, self.now);
        self.perform();
    }

    /// The object dies; so do its sockets, and nobody tells it.
    pub fn crash(&mut self) {
        for socket in self.links.keys().copied().collect::<Vec<_>>() {
            self.drop_link(socket);
        }
        self.memories.clear();
        self.questions.clear();
        self.puts_of_the_dead();
        self.relay = RelayState::restore(Settings::default(), self.storage.values().cloned(), [], self.now);
        self.perform();
    }

    /// What was on its way to the bucket gets there or does not, and nobody hears which.
    pub(super) fn puts_of_the_dead(&mut self) {
        for chunk in self.puts.drain(..).filter(|chunk| chunk.span.start % 3 != 1) {
            self.bucket.insert(chunk.key.clone(), chunk);
        }
    }

    /// A socket vanishes; the relay hears of it.
    pub fn cut(&mut self, socket: Socket) {
        self.drop_link(socket);
        self.relay.closed(self.now, socket, 1006);
        self.perform();
    }

    pub(super) fn drop_link(&mut self, socket: Socket) {
        self.links.remove(&socket);
        self.memories.remove(&socket);
        if self.agent.socket == Some(socket) {
            self.agent.socket = None;
            for shell in self.agent.shells.values_mut() {
                shell.window = shell.window.map(|_| LOG_CAPACITY);
            }
        }
        for viewer in &mut self.viewers {
            if viewer.socket == Some(socket) {
                viewer.socket = None;
                viewer.attached = None;
            }
        }
    }

    /// Delivers one message on a link, to the relay or from it. Answers whether there was one.
    pub fn deliver_up(&mut self, socket: Socket) -> bool {
        let Some(wire) = self.links.get_mut(&socket).and_then(|link| link.up.pop_front()) else {
            return false;
        };
        match wire {
            Wire::Text(text) => self.relay.text(self.now, socket, &text),
            Wire::Binary(bytes) => self.relay.binary(self.now, socket, bytes),
            Wire::Close(code) => {
                self.drop_link(socket);
                self.relay.closed(self.now, socket, code);
            }
        }
        self.perform();
        true
    }

    pub fn deliver_down(&mut self, socket: Socket) -> bool {
        let modelled = self.agent.socket == Some(socket) || self.viewers.iter().any(|v| v.socket == Some(socket));
        if !modelled {
            return false;
        }
        let Some(wire) = self.links.get_mut(&socket).and_then(|link| link.down.pop_front()) else {
            return false;
        };
        if let Wire::Close(_) = wire {
            self.drop_link(socket);
        } else if self.agent.socket == Some(socket) {
            self.agent_hears(socket, wire);
        } else if let Some(i) = self.viewers.iter().position(|viewer| viewer.socket == Some(socket)) {
            self.viewer_hears(i, socket, wire);
        }
        true
    }

    /// Gives some watchers their turn. Answers whether any waited for it.
    pub fn take_turn(&mut self) -> bool {
        let waited = self.relay.wants_turn();
        self.relay.turn(self.now);
        self.perform();
        waited
    }

    /// Delivers everything until nothing moves, viewers consuming all they get.
    pub fn settle(&mut self) {
        loop {
            let mut moved = self.answer();
            for socket in self.links.keys().copied().collect::<Vec<_>>() {
                while self.deliver_up(socket) {
                    moved = true;
                }
                while self.deliver_down(socket) {
                    moved = true;
                }
            }
            for i in 0..self.viewers.len() {
                moved |= self.viewer_acks(i);
            }
            self.agent_sends();
            moved |= self.take_turn();
            moved |= self.links.values().any(|link| !link.up.is_empty());
            if !moved {
                return;
            }
        }
    }
}
