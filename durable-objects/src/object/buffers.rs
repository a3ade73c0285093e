//! What is sent, as JavaScript has it.
//!
//! A message of Rust's has to be copied into a buffer of JavaScript's, which is garbage until it is collected: with a hundred watchers
//! tens of megabytes of it. So a message that goes on as it came leaves from the buffer it came in, and what goes to many leaves from
//! one. The crate `worker` says that the platform sends from such a buffer later (workerd 1.20261117.1 copies it at once): so nobody writes
//! into them.
use std::collections::VecDeque;

use bytes::Bytes;
use worker::js_sys::{ArrayBuffer, Uint8Array};

use crate::relay::TAIL_BYTES;

/// How many bytes are kept: what the end of a stream that is sent to watchers has ([`TAIL_BYTES`]), and as much for what is new
/// meanwhile. And how many messages, as each is looked at.
const KEPT_BYTES: usize = 2 * TAIL_BYTES as usize;
const KEPT: usize = 64;

/// The last messages and their buffers, the newest first.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    kept: VecDeque<(Bytes, ArrayBuffer)>,
    bytes: usize,
}

impl Buffers {
    /// Takes a message in.
    pub(super) fn receive(&mut self, buffer: ArrayBuffer) -> Bytes {
        let bytes = Bytes::from(Uint8Array::new(&buffer).to_vec());
        self.keep(bytes.clone(), buffer);
        bytes
    }

    /// The buffer that holds these bytes.
    pub(super) fn of(&mut self, bytes: &Bytes) -> ArrayBuffer {
        // What is kept stays where it is, so that nothing else is there.
        let same = |kept: &Bytes| kept.as_ptr() == bytes.as_ptr() && kept.len() == bytes.len();
        if let Some((_, buffer)) = self.kept.iter().find(|(kept, _)| same(kept)) {
            return buffer.clone();
        }
        let buffer = Uint8Array::from(bytes.as_ref()).buffer();
        self.keep(bytes.clone(), buffer.clone());
        buffer
    }

    fn keep(&mut self, bytes: Bytes, buffer: ArrayBuffer) {
        self.bytes += bytes.len();
        self.kept.push_front((bytes, buffer));
        while self.kept.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some((last, _)) = self.kept.pop_back() else { return };
            self.bytes -= last.len();
        }
    }
}
