//! Who is at a terminal: everybody there is told, whenever somebody comes or goes.
use std::collections::BTreeMap;

use protocol::ids::{ObjectId, SessionId, StreamId};
use protocol::terminal::presence::{Presence, Standing};
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::viewer::Viewer;

impl RelayState {
    /// Who is at a session; nobody if there is none of that name.
    pub fn presence_at(&self, session_id: &SessionId) -> Vec<Presence> {
        let stream = self.sessions.find(session_id);
        stream.map(|stream| self.presence(stream)).unwrap_or_default()
    }

    /// The owner first, then by what they may, then by name; each once.
    fn presence(&self, stream: StreamId) -> Vec<Presence> {
        let mut people = BTreeMap::<&ObjectId, Presence>::new();
        for viewer in self.viewers.of(stream) {
            let context = viewer.context();
            let (standing, user_id) = (standing(viewer), context.user.clone());
            let username = context.username.clone();
            let here = people.entry(&context.user).or_insert(Presence {
                standing,
                username,
                user_id,
            });
            here.standing = here.standing.min(standing);
        }
        let mut people: Vec<Presence> = people.into_values().collect();
        people.sort_unstable();
        people
    }

    /// Somebody came or went: tells those who are there, if that changed who is.
    pub(super) fn tell_presence(&mut self, stream: StreamId) {
        let people = self.presence(stream);
        let news = self
            .sessions
            .get_mut(stream)
            .is_some_and(|session| session.are_present(&people));
        if !news {
            return;
        }
        let told = |viewer: &Viewer| viewer.stream() == Some(stream) && viewer.hears_of_presence();
        for socket in self.viewers.sockets_where(told) {
            let people = people.clone();
            self.out.say(socket, &ToViewer::Presence { people });
        }
    }

    /// Tells one that was just attached.
    pub(super) fn tell_presence_to(&mut self, socket: Socket) {
        let viewer = self.viewers.get(socket).filter(|viewer| viewer.hears_of_presence());
        if let Some(stream) = viewer.and_then(Viewer::stream) {
            let people = self.presence(stream);
            self.out.say(socket, &ToViewer::Presence { people });
        }
    }
}

fn standing(viewer: &Viewer) -> Standing {
    match viewer.is_guest() {
        false => Standing::Owner,
        true if viewer.can_type() => Standing::Typist,
        true => Standing::Watcher,
    }
}
