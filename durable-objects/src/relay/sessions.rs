//! The sessions of the machine, and their readers. They have one owner because a reader is nothing without its session: it
//! is made for it, is numbered like it, holds back the agent for it, and goes when it goes.
use std::collections::BTreeMap;

use protocol::ids::{ObjectId, SessionId, StreamId, ViewerId};

use super::action::Socket;
use super::outbox::Outbox;
use super::reader::Reader;
use super::record::{Key, ReaderRecord, SessionRecord};
use super::session::Session;

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    /// By output stream.
    sessions: BTreeMap<StreamId, Session>,
    /// By input stream.
    readers: BTreeMap<StreamId, Reader>,
}

impl Sessions {
    /// Takes in a session from storage.
    pub fn restore(&mut self, record: SessionRecord) {
        self.sessions.insert(record.stream, Session::restored(record));
    }

    /// Takes in a reader from storage.
    pub fn restore_reader(&mut self, record: ReaderRecord) {
        self.readers.insert(record.input, Reader::restored(record));
    }

    // ---- sessions ----

    pub fn get(&self, stream: StreamId) -> Option<&Session> {
        self.sessions.get(&stream)
    }

    pub fn get_mut(&mut self, stream: StreamId) -> Option<&mut Session> {
        self.sessions.get_mut(&stream)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// The streams of all, for a walk on which they may end.
    pub fn streams(&self) -> Vec<StreamId> {
        self.sessions.keys().copied().collect()
    }

    pub fn count(&self) -> usize {
        self.sessions.len()
    }

    pub fn find(&self, session_id: &SessionId) -> Option<StreamId> {
        self.iter()
            .find(|session| session.id() == session_id)
            .map(Session::stream)
    }

    /// Starts one. It is saved when somebody has joined it.
    pub fn start(&mut self, record: SessionRecord) {
        self.sessions.insert(record.stream, Session::new(record));
    }

    pub fn forget(&mut self, stream: StreamId, out: &mut Outbox) {
        self.sessions.remove(&stream);
        out.erase(Key::Session(stream));
    }

    // ---- readers ----

    pub fn reader(&self, input: StreamId) -> Option<&Reader> {
        self.readers.get(&input)
    }

    pub fn reader_mut(&mut self, input: StreamId) -> Option<&mut Reader> {
        self.readers.get_mut(&input)
    }

    /// The readers of a session.
    pub fn readers(&self, stream: StreamId) -> impl Iterator<Item = &Reader> {
        self.readers.values().filter(move |reader| reader.stream() == stream)
    }

    /// The input streams of a session, for a walk on which they may end.
    pub fn inputs(&self, stream: StreamId) -> Vec<StreamId> {
        self.readers(stream).map(Reader::input).collect()
    }

    /// The input stream a viewer has in a session, if it was there before.
    pub fn find_input(&self, stream: StreamId, viewer: &ViewerId, guest: Option<&ObjectId>) -> Option<StreamId> {
        self.readers(stream)
            .find(|reader| reader.is_of(viewer, guest))
            .map(Reader::input)
    }

    /// A viewer is new in a session.
    pub fn add_reader(&mut self, reader: Reader, out: &mut Outbox) {
        reader.save(out);
        self.readers.insert(reader.input(), reader);
    }

    /// The socket of a reader outlived the object's memory. Answers the streams it reads and writes.
    pub fn resume_reader(&mut self, input: StreamId, socket: Socket) -> Option<(StreamId, StreamId)> {
        let reader = self.reader_mut(input)?;
        reader.resumed(socket);
        Some((reader.stream(), input))
    }

    /// A viewer is gone for good.
    pub fn forget_reader(&mut self, input: StreamId, out: &mut Outbox) {
        self.readers.remove(&input);
        out.erase(Key::Reader(input));
    }

    /// The agent's link is gone.
    pub fn link_lost(&mut self) {
        self.readers.values_mut().for_each(Reader::link_lost);
    }
}
