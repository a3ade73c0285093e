//! Writing input to the terminal, and holding back what it would lose.
use std::io;
use std::time::{Duration, Instant};

use protocol::ids::StreamId;

use super::Inputs;
use crate::session::line::{LineMode, MAX_HELD};

/// How often the mode of a terminal is looked at while input waits for it to change. Nothing announces that, but mostly the
/// program writes something, too.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What input is written to.
pub trait Terminal {
    /// What it does with input now.
    fn mode(&self) -> LineMode;
    /// Writes as much as there is room for, which may be nothing.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// What came of writing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wrote {
    /// The terminal took something.
    pub any: bool,
    /// What it took of what people typed: nobody typed what answers a program.
    pub typed: Vec<u8>,
    /// What typists are to be told.
    pub told: Vec<Told>,
}

/// What became of a typist's line that is too long.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// It waits.
    Held(StreamId),
    /// It is gone.
    Dropped(StreamId),
}

/// Input that waits behind a line that is too long.
#[derive(Debug, Default)]
pub struct Hold {
    /// When the terminal is looked at again; nothing if nothing waits.
    look_at: Option<Instant>,
    /// So much of the queue was searched for a key that drops the line.
    searched: usize,
    /// Everything up to the end of the line is dropped.
    dropping: bool,
}

impl Inputs {
    /// When [`Self::write_to`] is to be tried again although the terminal has room, if input waits for its mode to change.
    pub fn look_due(&self) -> Option<Instant> {
        self.hold.look_at
    }

    /// Writes to the terminal what it has room for and keeps. The rest of a line that is too long waits, unacknowledged, until
    /// the terminal gives programs more than lines; keys that drop the line drop what waits, as the terminal drops what it has.
    pub fn write_to(&mut self, terminal: &impl Terminal, now: Instant) -> io::Result<Wrote> {
        let mut wrote = Wrote::default();
        while let Some((input, bytes)) = self.queue.front() {
            if self.hold.dropping {
                self.drop_line(&terminal.mode(), now);
                continue;
            }
            let most = self.line.room_for(bytes, || terminal.mode());
            if most == 0 {
                let input = *input;
                if !self.hold(input, terminal, &mut wrote, now)? {
                    break;
                }
                continue;
            }
            let count = terminal.write(&bytes[..most])?;
            if count == 0 {
                break;
            }
            self.line.wrote(&bytes[..count]);
            if input.is_some() {
                wrote.typed.extend_from_slice(&bytes[..count]);
            }
            self.hold = Hold::default();
            self.written(count, now);
            wrote.any = true;
        }
        Ok(wrote)
    }

    /// There is no room for the first byte. Answers whether it is worth trying again.
    fn hold(
        &mut self,
        input: Option<StreamId>,
        terminal: &impl Terminal,
        wrote: &mut Wrote,
        now: Instant,
    ) -> io::Result<bool> {
        if self.hold.look_at.is_none() {
            // Nobody typed what answers a program.
            wrote.told.extend(input.map(Told::Held));
        }
        self.hold.look_at = Some(now + LOOK_EVERY);
        let queued = self.queued();
        if self.hold.searched == queued {
            return Ok(false);
        }
        let mode = terminal.mode();
        if let Some((at, key)) = self.find(|byte| mode.frees(byte)) {
            // A signal may leave what the terminal has, which would then be the beginning of another line.
            let before = mode.kill.filter(|_| mode.signals_keep_line).into_iter();
            self.skip(at, now);
            for byte in before.chain([key]) {
                if terminal.write(&[byte])? == 0 {
                    return Ok(false);
                }
                self.line.wrote(&[byte]);
            }
            self.hold = Hold::default();
            self.written(1, now);
            wrote.any = true;
            wrote.typed.push(key);
            return Ok(true);
        }
        self.hold.searched = queued;
        if queued >= MAX_HELD
            && let Some(kill) = mode.kill
            && terminal.write(&[kill])? == 1
        {
            self.line.wrote(&[kill]);
            self.hold = Hold {
                dropping: true,
                ..Hold::default()
            };
            wrote.told.extend(input.map(Told::Dropped));
            return Ok(true);
        }
        Ok(false)
    }

    /// Drops the rest of a line whose beginning the terminal has dropped.
    fn drop_line(&mut self, mode: &LineMode, now: Instant) {
        let end = |byte: u8| matches!(byte, b'\r' | b'\n') || mode.frees(byte);
        match self.find(end) {
            Some((at, key)) => {
                self.skip(at + usize::from(!mode.frees(key)), now);
                self.hold = Hold::default();
            }
            None => self.skip(self.queued(), now),
        }
    }

    fn queued(&self) -> usize {
        self.queue.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// The first byte of its kind that waits, and where.
    fn find(&self, fits: impl Fn(u8) -> bool) -> Option<(usize, u8)> {
        let mut bytes = self
            .queue
            .iter()
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .enumerate();
        bytes.find(|(_, byte)| fits(*byte))
    }

    /// Takes so many bytes for written.
    fn skip(&mut self, mut count: usize, now: Instant) {
        while let Some((_, bytes)) = self.queue.front().filter(|_| count > 0) {
            let part = bytes.len().min(count);
            self.written(part, now);
            count -= part;
        }
    }
}

#[cfg(test)]
mod tests;
