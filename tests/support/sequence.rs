//! A long output whose every byte is known: what `seq` writes.
use std::io::Write;
use std::sync::{Arc, Mutex};

use super::viewer::Viewer;

/// Printed before the numbers, so that nothing else is taken for them. The shell is asked for the sum, so that the echo
/// of the command does not contain it.
const BEGIN: &str = "begin-2\n";
const END: &str = "end-2\n";

/// Checks the output of one viewer, however it arrives.
#[derive(Clone)]
pub struct Sequence(Arc<Mutex<Check>>);

struct Check {
    last: u64,
    /// What came before the beginning.
    before: Vec<u8>,
    begun: bool,
    /// The next number to be expected.
    next: u64,
    /// What is expected next and was not seen yet, from `at`.
    expected: Vec<u8>,
    at: usize,
    seen: u64,
    done: bool,
}

impl Sequence {
    /// Has the shell of `viewer` write the numbers to `last`, and checks what arrives.
    pub fn start(viewer: &mut Viewer, last: u64) -> Self {
        let check = Check {
            last,
            before: Vec::new(),
            begun: false,
            next: 1,
            expected: Vec::new(),
            at: 0,
            seen: 0,
            done: false,
        };
        let sequence = Self(Arc::new(Mutex::new(check)));
        let look = sequence.clone();
        viewer.look_at_output(move |bytes| look.0.lock().unwrap().look(bytes));
        viewer.types(&format!(
            "stty -echo -opost; PS1=; echo begin-$((1+1)); seq 1 {last}; echo end-$((1+1))\r"
        ));
        sequence
    }

    /// Whether all of it arrived.
    pub fn done(&self) -> bool {
        self.0.lock().unwrap().done
    }

    /// Reads with `viewer` until all of it has arrived.
    pub async fn finish(&self, viewer: &mut Viewer) {
        viewer.wait("the end of the numbers", |_| self.done()).await;
    }

    /// Reads with `viewer` until so many more bytes have arrived, or all.
    pub async fn advance(&self, viewer: &mut Viewer, bytes: u64) {
        let target = viewer.received() + bytes;
        viewer
            .wait("more numbers", |viewer| viewer.received() >= target || self.done())
            .await;
    }
}

impl Check {
    fn look(&mut self, mut bytes: &[u8]) {
        if !self.begun {
            self.before.extend_from_slice(bytes);
            let Some(found) = self
                .before
                .windows(BEGIN.len())
                .position(|window| window == BEGIN.as_bytes())
            else {
                return;
            };
            self.begun = true;
            let rest = self.before.split_off(found + BEGIN.len());
            return self.look(&rest);
        }
        while !bytes.is_empty() && !self.done {
            if self.at == self.expected.len() {
                self.refill();
            }
            let len = bytes.len().min(self.expected.len() - self.at);
            let (new, rest) = bytes.split_at(len);
            let expected = &self.expected[self.at..self.at + len];
            assert!(
                new == expected,
                "after {} bytes: {}",
                self.seen,
                difference(expected, new)
            );
            self.at += len;
            self.seen += len as u64;
            bytes = rest;
            self.done = self.next > self.last + 1 && self.at == self.expected.len();
        }
    }

    fn refill(&mut self) {
        self.expected.clear();
        self.at = 0;
        while self.expected.len() < 64 * 1024 && self.next <= self.last {
            writeln!(self.expected, "{}", self.next).expect("memory takes it");
            self.next += 1;
        }
        if self.next == self.last + 1 {
            self.expected.extend_from_slice(END.as_bytes());
            self.next += 1;
        }
    }
}

fn difference(expected: &[u8], found: &[u8]) -> String {
    let at = expected.iter().zip(found).position(|(a, b)| a != b).unwrap_or_default();
    let around = |bytes: &[u8]| {
        let part = &bytes[at.saturating_sub(20)..(at + 40).min(bytes.len())];
        String::from_utf8_lossy(part).into_owned()
    };
    format!("expected {:?}, got {:?}", around(expected), around(found))
}
