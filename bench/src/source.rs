//! Bulk output whose every byte is known: one writes it, the other checks it.
use std::io::{self, Write};

use anyhow::{Result, ensure};

/// What the source says first, so that its output is told apart from the echo of the command that started it.
pub const BEGIN: &[u8] = b"\x02begin\x03";

/// Length of the text that is repeated. A prime, so that no loss of whole frames or pages goes unnoticed.
const PERIOD: usize = 65_521;

/// Width of its lines, newline included.
const LINE: usize = 80;

/// The text that is repeated: lines of letters and digits, no two alike.
fn pattern() -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state: u32 = 1;
    (1..=PERIOD)
        .map(|at| {
            // A linear congruential generator; its high bits are the random ones.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if at % LINE == 0 {
                b'\n'
            } else {
                ALPHABET[(state >> 26) as usize]
            }
        })
        .collect()
}

/// The first `len` bytes of the text, without end.
pub struct Source {
    pattern: Vec<u8>,
    at: u64,
    len: u64,
}

impl Source {
    /// A source of `len` bytes.
    pub fn new(len: u64) -> Self {
        Self {
            pattern: pattern(),
            at: 0,
            len,
        }
    }

    /// The next piece, of at most `max` bytes; empty at the end.
    pub fn next(&mut self, max: usize) -> &[u8] {
        let from = (self.at % PERIOD as u64) as usize;
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let len = max.min(left).min(PERIOD - from);
        self.at += len as u64;
        &self.pattern[from..from + len]
    }
}

/// Writes the source to standard output: what runs in the measured terminals.
pub fn print(len: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(BEGIN)?;
    let mut source = Source::new(len);
    loop {
        let piece = source.next(usize::MAX);
        if piece.is_empty() {
            return out.flush();
        }
        out.write_all(piece)?;
    }
}

/// Checks output against the source.
pub struct Verifier {
    pattern: Vec<u8>,
    at: u64,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            pattern: pattern(),
            at: 0,
        }
    }
}

impl Verifier {
    /// How many bytes were right.
    pub fn verified(&self) -> u64 {
        self.at
    }

    /// Takes the next piece of output.
    pub fn check(&mut self, mut output: &[u8]) -> Result<()> {
        while !output.is_empty() {
            let from = (self.at % PERIOD as u64) as usize;
            let (piece, rest) = output.split_at(output.len().min(PERIOD - from));
            ensure!(
                piece == &self.pattern[from..from + piece.len()],
                "output is wrong somewhere in the {} bytes from offset {}",
                piece.len(),
                self.at
            );
            self.at += piece.len() as u64;
            output = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_source_gives_is_right_however_it_is_cut() {
        let (mut source, mut verifier) = (Source::new(200_000), Verifier::default());
        for max in [1, 7, 4095, 65_536].into_iter().cycle() {
            let piece = source.next(max);
            if piece.is_empty() {
                break;
            }
            verifier.check(piece).unwrap();
        }
        assert_eq!(verifier.verified(), 200_000);
    }

    #[test]
    fn a_lost_a_repeated_and_a_changed_piece_are_noticed() {
        let all: Vec<u8> = std::iter::repeat_n(pattern(), 3).flatten().collect();
        let wrong = [
            [&all[..4096], &all[8192..100_000]].concat(),
            [&all[..8192], &all[4096..100_000]].concat(),
            [&all[..10], b"\0", &all[11..100]].concat(),
        ];
        for output in wrong {
            assert!(Verifier::default().check(&output).is_err());
        }
    }
}
