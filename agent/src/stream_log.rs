//! The log of one stream: what a terminal wrote, by offset, as far back as the capacity reaches. The newest part is in
//! memory, the rest in a file that has no name, so nobody else can open it and nothing is left behind.
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use protocol::limits::LOG_CAPACITY;

/// How much of a log stays in memory. A typist who is connected is never further behind, so live output reads no file;
/// and an ordinary session never writes more, so it makes none.
const MEMORY: usize = 1024 * 1024;

/// How much and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes kept in memory.
    pub memory: usize,
    /// Bytes kept in all; at least `memory`.
    pub capacity: u64,
    /// Where the file goes.
    pub directory: PathBuf,
}

impl Limits {
    /// The limits the protocol promises, with files in `directory`.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self {
            memory: MEMORY,
            capacity: LOG_CAPACITY,
            directory,
        }
    }
}

/// A bounded log of bytes. Where the file cannot be written, what is unread stays in memory, and there is no [`Self::room`] for
/// more until it was read or the file can be written again.
#[derive(Debug)]
pub struct StreamLog {
    limits: Limits,
    end: u64,
    /// The bytes up to `end`.
    memory: VecDeque<u8>,
    /// The bytes before those in memory.
    spill: Spill,
    /// From here on nothing is dropped for want of a file.
    unread: u64,
    /// Why the file could not be written when that was tried last.
    full: Option<String>,
    /// Whether that was said: a disk that is nearly full comes and goes.
    warned: bool,
}

#[derive(Debug)]
enum Spill {
    /// Nothing left memory yet, or what did is not needed any more.
    Unused,
    /// A ring: the byte of offset `o` is at `o % capacity`.
    File { file: File, start: u64 },
}

impl StreamLog {
    /// An empty log.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            end: 0,
            memory: VecDeque::new(),
            spill: Spill::Unused,
            unread: 0,
            full: None,
            warned: false,
        }
    }

    /// The first offset that is still here.
    pub fn start(&self) -> u64 {
        let kept = match &self.spill {
            Spill::File { start, .. } => *start,
            Spill::Unused => self.memory_start(),
        };
        kept.max(self.end.saturating_sub(self.limits.capacity))
    }

    /// The offset after the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes this log can hold.
    pub fn capacity(&self) -> u64 {
        self.limits.capacity
    }

    /// Why the file cannot be written, if it cannot.
    pub fn full(&self) -> Option<&str> {
        self.full.as_deref()
    }

    /// How many bytes can be added without a file, if it cannot be written and everything from `unread` on is to stay.
    pub fn room(&self, unread: u64) -> u64 {
        if self.full.is_none() {
            return u64::MAX;
        }
        let read = unread.saturating_sub(self.memory_start()).min(self.memory.len() as u64);
        (self.limits.memory as u64 + read).saturating_sub(self.memory.len() as u64)
    }

    /// Everybody who matters has read what lies before `unread`.
    pub fn keep_from(&mut self, unread: u64) {
        self.unread = unread;
    }

    /// Adds bytes at the end, dropping the oldest beyond the capacity. Without a file those that were read go, and the others
    /// stay in memory even beyond its bound: whoever adds more than there is [`Self::room`] for knows why.
    pub fn append(&mut self, bytes: &[u8]) {
        // A chunk as large as the memory could not be kept there together with anything before it.
        for chunk in bytes.chunks(self.limits.memory / 2) {
            let over = (self.memory.len() + chunk.len()).saturating_sub(self.limits.memory);
            // In few large writes rather than many small ones.
            if over > 0 && (self.full.is_some() || !self.spill(self.spilled_at_once().max(over))) {
                self.drop_read(over);
            }
            self.memory.extend(chunk);
            self.end += chunk.len() as u64;
        }
    }

    /// Tries again to write the file, after that failed.
    pub fn retry(&mut self) {
        if self.full.take().is_some() && self.spill(self.spilled_at_once()) {
            tracing::info!("a terminal's log can be written again");
        }
    }

    /// Fills `buffer` from offset `from` on, as far as there are bytes, and says how many those were. None are there when
    /// `from` is before the start or after the end.
    pub fn read(&mut self, from: u64, buffer: &mut [u8]) -> usize {
        if from < self.start() || from >= self.end {
            return 0;
        }
        let from_file = self.memory_start().saturating_sub(from);
        if from_file > 0
            && let Spill::File { file, .. } = &self.spill
        {
            let len = buffer.len().min(usize::try_from(from_file).unwrap_or(usize::MAX));
            let (buffer, rest) = buffer.split_at_mut(len);
            if let Err(error) = read_ring(file, self.limits.capacity, from, buffer) {
                self.lose_file(&error);
                return 0;
            }
            return len + self.read_memory(from + len as u64, rest);
        }
        self.read_memory(from, buffer)
    }

    fn read_memory(&self, from: u64, buffer: &mut [u8]) -> usize {
        let Some(skip) = from
            .checked_sub(self.memory_start())
            .and_then(|skip| usize::try_from(skip).ok())
        else {
            return 0;
        };
        let len = buffer.len().min(self.memory.len().saturating_sub(skip));
        let (front, back) = self.memory.as_slices();
        let from_front = front.get(skip..).unwrap_or_default();
        let from_back = back.get(skip.saturating_sub(front.len())..).unwrap_or_default();
        let first = len.min(from_front.len());
        buffer[..first].copy_from_slice(&from_front[..first]);
        buffer[first..len].copy_from_slice(&from_back[..len - first]);
        len
    }

    fn spilled_at_once(&self) -> usize {
        self.limits.memory / 4
    }

    fn memory_start(&self) -> u64 {
        self.end - self.memory.len() as u64
    }

    /// Moves the oldest `count` bytes in memory to the file, or as many as there are. Answers whether that went well.
    fn spill(&mut self, count: usize) -> bool {
        let count = count.min(self.memory.len());
        match self.write_out(count) {
            Ok(()) => {
                self.memory.drain(..count);
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.warned, true) {
                    tracing::warn!(%error, "a terminal's log cannot be written: its program waits when memory is full, too");
                }
                self.full = Some(error.to_string());
                false
            }
        }
    }

    fn write_out(&mut self, count: usize) -> io::Result<()> {
        let from = self.memory_start();
        let capacity = self.limits.capacity;
        if matches!(self.spill, Spill::Unused) {
            let file = tempfile::tempfile_in(&self.limits.directory)?;
            self.spill = Spill::File { file, start: from };
        }
        let Spill::File { file, start } = &mut self.spill else {
            return Ok(());
        };
        // Whatever comes of it, the ring's oldest bytes may be overwritten.
        *start = (*start).max((from + count as u64).saturating_sub(capacity));
        let (front, back) = self.memory.as_slices();
        let front = &front[..count.min(front.len())];
        let back = &back[..count - front.len()];
        write_ring(file, capacity, from, front)?;
        write_ring(file, capacity, from + front.len() as u64, back)
    }

    /// Drops the oldest `count` bytes in memory, as far as they were read. What the file has lies before them and was read,
    /// too: it goes, and leaves its room to others.
    fn drop_read(&mut self, count: usize) {
        let read = self.unread.saturating_sub(self.memory_start());
        let count = count
            .min(usize::try_from(read).unwrap_or(usize::MAX))
            .min(self.memory.len());
        if count > 0 {
            self.memory.drain(..count);
            self.spill = Spill::Unused;
        }
    }

    fn lose_file(&mut self, error: &io::Error) {
        tracing::warn!(%error, "a terminal's log cannot be read: what is not in memory is lost");
        self.spill = Spill::Unused;
    }
}

/// The pieces of a ring that `len` bytes from `offset` on lie in: position and length.
fn pieces(capacity: u64, offset: u64, len: usize) -> [(u64, usize); 2] {
    let position = offset % capacity;
    let first = len.min(usize::try_from(capacity - position).unwrap_or(usize::MAX));
    [(position, first), (0, len - first)]
}

// The page cache takes and gives these bytes: the calls are copies in memory, short enough for the runtime's thread.

fn write_ring(file: &File, capacity: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let [(position, len), (zero, _)] = pieces(capacity, offset, bytes.len());
    let (first, second) = bytes.split_at(len);
    file.write_all_at(first, position)?;
    file.write_all_at(second, zero)
}

fn read_ring(file: &File, capacity: u64, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    let [(position, len), (zero, _)] = pieces(capacity, offset, buffer.len());
    let (first, second) = buffer.split_at_mut(len);
    file.read_exact_at(first, position)?;
    file.read_exact_at(second, zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> Limits {
        Limits {
            memory: 64,
            capacity: 256,
            directory: std::env::temp_dir(),
        }
    }

    fn read_all(log: &mut StreamLog, from: u64) -> Vec<u8> {
        let mut buffer = vec![0; 1024];
        let len = log.read(from, &mut buffer);
        buffer.truncate(len);
        buffer
    }

    #[test]
    fn a_stream_that_fits_into_memory_makes_no_file() {
        let mut log = StreamLog::new(Limits {
            directory: "/no/such/directory".into(),
            ..small()
        });
        log.append(&[7; 64]);
        assert_eq!((log.start(), log.end(), log.capacity()), (0, 64, 256));
        assert!(matches!(log.spill, Spill::Unused));
    }

    /// A log whose file cannot be written, with 100 bytes in it that were written before.
    fn on_a_full_disk() -> StreamLog {
        let mut log = StreamLog::new(small());
        log.append(&[1; 100]);
        // Writing to this device always fails for want of space.
        let file = File::options().read(true).write(true).open("/dev/full").unwrap();
        log.spill = match std::mem::replace(&mut log.spill, Spill::Unused) {
            Spill::File { start, .. } => Spill::File { file, start },
            Spill::Unused => panic!("nothing left memory"),
        };
        log
    }

    #[test]
    fn a_full_disk_loses_nothing_that_was_not_read_and_has_no_room_for_more() {
        let mut log = on_a_full_disk();
        assert_eq!(log.room(0), u64::MAX);
        log.append(&[2; 40]);
        assert!(log.full().unwrap().contains("No space left"), "{:?}", log.full());
        assert_eq!((log.start(), log.end(), log.room(0)), (0, 140, 0));
        // What was being read when it failed, and last words, stay although they are too many.
        log.append(&[3; 60]);
        let memory = log.memory_start();
        assert!(memory <= 100);
        assert_eq!(
            read_all(&mut log, memory)[(100 - memory) as usize..],
            [[2; 40].as_slice(), &[3; 60]].concat()
        );
        // Reading makes room, and what goes for it was read.
        assert_eq!(log.room(170), (170 - memory) + 64 - (200 - memory));
        log.keep_from(170);
        log.append(&[4; 30]);
        assert_eq!(log.start(), 170.min(memory + 130 - memory).max(log.memory_start()));
        let start = log.start();
        assert!(start <= 170, "{start}");
        assert_eq!(read_all(&mut log, 170), [[3; 30].as_slice(), &[4; 30]].concat());
    }

    #[test]
    fn room_on_the_disk_lets_the_log_go_on_where_it_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let mut log = StreamLog::new(Limits {
            directory: gone.clone(),
            ..small()
        });
        let bytes: Vec<u8> = (0..200).collect();
        log.append(&bytes[..70]);
        log.retry();
        assert!(log.full().is_some() && log.room(0) == 0);
        std::fs::create_dir(&gone).unwrap();
        log.retry();
        assert_eq!((log.full(), log.room(0)), (None, u64::MAX));
        log.append(&bytes[70..]);
        assert_eq!((log.start(), read_all(&mut log, 0)), (0, bytes));
    }

    proptest! {
        #[test]
        fn what_is_in_the_log_reads_back_from_any_offset(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
            from in 0u64..2000,
            len in 0usize..300,
        ) {
            let mut log = StreamLog::new(small());
            let mut all = Vec::new();
            for chunk in chunks {
                log.append(&chunk);
                all.extend_from_slice(&chunk);
                prop_assert_eq!(log.end(), all.len() as u64);
                prop_assert!(log.memory.len() <= 64);
                prop_assert_eq!(log.start(), (all.len() as u64).saturating_sub(256));
            }
            let mut buffer = vec![0; len];
            let count = log.read(from, &mut buffer);
            let expected = if from < log.start() { &[][..] } else { all.get(from as usize..).unwrap_or_default() };
            prop_assert_eq!(count, expected.len().min(len));
            prop_assert_eq!(&buffer[..count], &expected[..count]);
        }

        #[test]
        fn whenever_the_disk_is_full_what_is_unread_stays(
            steps in proptest::collection::vec((0usize..60, 0u64..40, any::<bool>()), 0..60),
        ) {
            let parent = tempfile::tempdir().unwrap();
            let directory = parent.path().join("disk");
            let mut log = StreamLog::new(Limits { directory: directory.clone(), ..small() });
            let mut all: Vec<u8> = Vec::new();
            let mut read = 0;
            for (most, more, room) in steps {
                // A disk that comes and goes is one that is full and empty; the file that is open stays.
                let _ = if room { std::fs::create_dir(&directory) } else { std::fs::remove_dir(&directory) };
                log.retry();
                let free = log.room(read).min(256 - (all.len() as u64 - read));
                let chunk: Vec<u8> = (0..most.min(free as usize)).map(|n| (all.len() + n) as u8).collect();
                log.keep_from(read);
                log.append(&chunk);
                all.extend_from_slice(&chunk);
                prop_assert!(log.start() <= read, "{} of {}", log.start(), read);
                prop_assert_eq!(read_all(&mut log, read), &all[read as usize..]);
                prop_assert!(log.memory.len() <= 64 + 60);
                read = (read + more).min(all.len() as u64);
            }
        }
    }
}
