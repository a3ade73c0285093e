//! A reader: a viewer's position in a session. It outlives the viewer's socket, unless that left on purpose.
use protocol::ids::{ObjectId, StreamId, ViewerId};

use super::action::Socket;
use super::credit::Hold;
use super::outbox::Outbox;
use super::record::{Position, ReaderRecord, Record};

/// One reader.
#[derive(Debug)]
pub struct Reader {
    record: ReaderRecord,
    /// Its socket, while it has one.
    socket: Option<Socket>,
    /// Input before this has reached the terminal. Nothing while the agent has not said since its link was made.
    applied: Option<u64>,
}

impl Reader {
    /// One that was never here before.
    pub fn new(
        input: StreamId,
        stream: StreamId,
        viewer: ViewerId,
        guest: Option<ObjectId>,
        can_type: bool,
        socket: Socket,
    ) -> Self {
        let record = ReaderRecord {
            input,
            stream,
            viewer,
            can_type,
            guest,
            position: Position::Connected,
        };
        Self {
            record,
            socket: Some(socket),
            applied: Some(0),
        }
    }

    /// One from storage, whose socket is not known.
    pub fn restored(record: ReaderRecord) -> Self {
        Self {
            record,
            socket: None,
            applied: None,
        }
    }

    pub fn input(&self) -> StreamId {
        self.record.input
    }

    /// The session's output stream.
    pub fn stream(&self) -> StreamId {
        self.record.stream
    }

    /// Whether it is this viewer's. A guest's is its account's own: nobody takes another's by naming its viewer.
    pub fn is_of(&self, viewer: &ViewerId, guest: Option<&ObjectId>) -> bool {
        self.record.viewer == *viewer && self.guest() == guest
    }

    /// Who it is, if the session is somebody else's.
    pub fn guest(&self) -> Option<&ObjectId> {
        self.record.guest.as_ref()
    }

    /// Whether the agent waits for it: for whose session it is, while it may type. Whoever is invited slows nobody.
    pub fn sets_pace(&self) -> bool {
        self.record.can_type && self.record.guest.is_none()
    }

    pub fn socket(&self) -> Option<Socket> {
        self.socket
    }

    pub fn applied(&self) -> Option<u64> {
        self.applied
    }

    /// Its socket outlived the object's memory.
    pub fn resumed(&mut self, socket: Socket) {
        self.socket = Some(socket);
    }

    /// Its viewer came back.
    pub fn connected(&mut self, socket: Socket, can_type: bool, out: &mut Outbox) {
        self.socket = Some(socket);
        self.record.can_type = can_type;
        self.record.position = Position::Connected;
        self.save(out);
    }

    /// Its viewer was cut.
    pub fn cut(&mut self, position: Position, out: &mut Outbox) {
        self.socket = None;
        self.record.position = position;
        self.save(out);
    }

    /// Its input has reached the terminal up to `offset`. Answers whether that is the first the agent says of it on this link.
    pub fn input_applied(&mut self, offset: u64) -> bool {
        self.applied.replace(offset).is_none()
    }

    /// The agent may have got more than it acknowledged; it will say when it is back.
    pub fn link_lost(&mut self) {
        self.applied = None;
    }

    /// How it holds the agent back while no viewer is there for it.
    pub fn hold(&self, log_start: u64) -> Option<Hold> {
        match self.record.position {
            Position::Cut { acked } => Some(Hold::away(acked)),
            // Cut unheard: nothing the log still has may go.
            Position::Connected => Some(Hold::away(log_start)),
            Position::Adrift => None,
        }
    }

    pub(super) fn save(&self, out: &mut Outbox) {
        out.save(Record::Reader(self.record.clone()));
    }
}
