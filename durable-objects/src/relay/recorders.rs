//! The recorders of all sessions, and of those that are over and not stored to the end.
use std::collections::BTreeMap;

use protocol::ids::StreamId;

use super::outbox::Outbox;
use super::record::{Key, RecorderRecord};
use super::recorder::Recorder;

/// What all recorders of a machine hold in memory: a fifth of the 128 MB that the platform gives an object.
const HELD_IN_ALL: usize = 24 * 1024 * 1024;

/// All recorders, by output stream.
#[derive(Debug, Default)]
pub struct Recorders(BTreeMap<StreamId, Recorder>);

impl Recorders {
    /// Takes in a recorder from storage.
    pub fn restore(&mut self, record: RecorderRecord) {
        self.0.insert(record.stream, Recorder::new(record));
    }

    /// A session is to be recorded.
    pub fn start(&mut self, record: RecorderRecord, out: &mut Outbox) {
        let recorder = Recorder::new(record);
        recorder.save(out);
        self.0.insert(recorder.stream(), recorder);
    }

    pub fn get(&self, stream: StreamId) -> Option<&Recorder> {
        self.0.get(&stream)
    }

    pub fn get_mut(&mut self, stream: StreamId) -> Option<&mut Recorder> {
        self.0.get_mut(&stream)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Recorder> {
        self.0.values_mut()
    }

    /// The streams of all, for a walk on which they may end.
    pub fn streams(&self) -> Vec<StreamId> {
        self.0.keys().copied().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is room in memory for more.
    pub fn have_room(&self) -> bool {
        self.0.values().map(Recorder::held).sum::<usize>() < HELD_IN_ALL
    }

    /// When the first of them has to do something.
    pub fn due(&self) -> Option<u64> {
        self.0.values().filter_map(Recorder::due).min()
    }

    pub fn forget(&mut self, stream: StreamId, out: &mut Outbox) {
        if self.0.remove(&stream).is_some() {
            out.erase(Key::Recorder(stream));
        }
    }
}
