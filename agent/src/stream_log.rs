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

/// A bounded log of bytes. Appending never fails; when the file cannot be written, the log shrinks to what is in memory.
#[derive(Debug)]
pub struct StreamLog {
    limits: Limits,
    end: u64,
    /// The bytes up to `end`.
    memory: VecDeque<u8>,
    /// The bytes before those in memory.
    spill: Spill,
}

#[derive(Debug)]
enum Spill {
    /// Nothing left memory yet.
    Unused,
    /// A ring: the byte of offset `o` is at `o % capacity`.
    File { file: File, start: u64 },
    /// The file could not be made or written.
    Failed,
}

impl StreamLog {
    /// An empty log.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            end: 0,
            memory: VecDeque::new(),
            spill: Spill::Unused,
        }
    }

    /// The first offset that is still here.
    pub fn start(&self) -> u64 {
        let kept = match &self.spill {
            Spill::File { start, .. } => *start,
            Spill::Unused | Spill::Failed => self.memory_start(),
        };
        kept.max(self.end.saturating_sub(self.limits.capacity))
    }

    /// The offset after the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes this log can hold now.
    pub fn capacity(&self) -> u64 {
        match self.spill {
            Spill::Failed => (self.limits.memory - self.spilled_at_once()) as u64,
            Spill::Unused | Spill::File { .. } => self.limits.capacity,
        }
    }

    /// Adds bytes at the end, dropping the oldest beyond the capacity.
    pub fn append(&mut self, bytes: &[u8]) {
        // A chunk as large as the memory could not be kept there together with anything before it.
        for chunk in bytes.chunks(self.limits.memory / 2) {
            let over = (self.memory.len() + chunk.len()).saturating_sub(self.limits.memory);
            if over > 0 {
                // In few large writes rather than many small ones.
                self.spill(self.spilled_at_once().max(over).min(self.memory.len()));
            }
            self.memory.extend(chunk);
            self.end += chunk.len() as u64;
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

    /// Moves the oldest `count` bytes in memory to the file.
    fn spill(&mut self, count: usize) {
        let from = self.memory_start();
        if matches!(self.spill, Spill::Unused) {
            self.spill = match tempfile::tempfile_in(&self.limits.directory) {
                Ok(file) => Spill::File { file, start: from },
                Err(error) => {
                    warn_shrunk(&error);
                    Spill::Failed
                }
            };
        }
        if let Spill::File { file, start } = &mut self.spill {
            let (front, back) = self.memory.as_slices();
            let front = &front[..count.min(front.len())];
            let back = &back[..count - front.len()];
            let written = write_ring(file, self.limits.capacity, from, front)
                .and_then(|()| write_ring(file, self.limits.capacity, from + front.len() as u64, back));
            match written {
                Ok(()) => *start = (*start).max((from + count as u64).saturating_sub(self.limits.capacity)),
                Err(error) => self.lose_file(&error),
            }
        }
        self.memory.drain(..count);
    }

    fn lose_file(&mut self, error: &io::Error) {
        warn_shrunk(error);
        self.spill = Spill::Failed;
    }
}

fn warn_shrunk(error: &io::Error) {
    tracing::warn!(%error, "no file for a terminal's log: only its newest part is kept, in memory");
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

    #[test]
    fn without_a_file_the_log_is_what_is_in_memory_and_says_so() {
        let mut log = StreamLog::new(Limits {
            directory: "/no/such/directory".into(),
            ..small()
        });
        let bytes: Vec<u8> = (0..200).collect();
        log.append(&bytes);
        assert_eq!((log.end(), log.capacity()), (200, 48));
        let start = log.start();
        assert!((200 - 64..=200 - 48).contains(&start), "{start}");
        assert_eq!(read_all(&mut log, start), &bytes[start as usize..]);
    }

    #[test]
    fn a_full_disk_shrinks_the_log_to_memory() {
        let mut log = StreamLog::new(small());
        log.append(&[1; 100]);
        // Writing to this device always fails for want of space.
        log.spill = Spill::File {
            file: File::options().write(true).open("/dev/full").unwrap(),
            start: 0,
        };
        log.append(&[2; 100]);
        assert!(matches!(log.spill, Spill::Failed));
        let start = log.start();
        assert_eq!(read_all(&mut log, start), vec![2; (200 - start) as usize]);
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
    }
}
