//! Marks within a shell's output, told from everything else by the session's secret, and taken out of it: nobody who looks at
//! the terminal, and nothing that keeps its output, learns the secret.
use memchr::memchr;

use super::mark::Mark;

/// What every mark begins with: the sequence that shells tell terminals about their commands with.
const INTRODUCER: &[u8] = b"\x1b]133;k=";

/// Longest mark, in bytes: a text of as many characters as are kept of one, each of four bytes that are written as three, a
/// directory, and the rest.
const LONGEST: usize = 256 * 1024;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// A part of what a shell wrote.
#[derive(Debug, PartialEq, Eq)]
pub enum Marked<'a> {
    /// Output.
    Output(&'a [u8]),
    /// A mark.
    Mark(Mark),
}

/// Takes marks out of output, however it is cut.
#[derive(Debug)]
pub struct Marks {
    prefix: Vec<u8>,
    /// What may be the beginning of a mark.
    held: Vec<u8>,
}

/// What the bytes from an escape character on are.
enum Seen {
    /// No mark of ours.
    Other,
    /// A mark as far as it goes, which is not to its end.
    Part,
    /// A mark of this many bytes, and what it says, if that makes sense.
    Whole(usize, Option<Mark>),
}

impl Marks {
    /// Marks with this secret.
    pub fn new(secret: &str) -> Self {
        Self {
            prefix: [INTRODUCER, secret.as_bytes(), b";"].concat(),
            held: Vec::new(),
        }
    }

    /// Takes output apart. The pieces are all of it, in order, but for the marks, and for one that is not complete: it comes
    /// with its rest.
    pub fn split(&mut self, output: &[u8], mut take: impl FnMut(Marked<'_>)) {
        let joined;
        let mut rest = output;
        if !self.held.is_empty() {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(output);
            joined = held;
            rest = &joined;
        }
        let mut from = 0;
        while let Some(found) = memchr(ESC, rest.get(from..).unwrap_or_default()) {
            let Some((before, sequence)) = rest.split_at_checked(from + found) else {
                break;
            };
            match self.see(sequence) {
                Seen::Other => from += found + 1,
                Seen::Part => {
                    output_piece(before, &mut take);
                    self.held.extend_from_slice(sequence);
                    return;
                }
                Seen::Whole(length, mark) => {
                    output_piece(before, &mut take);
                    if let Some(mark) = mark {
                        take(Marked::Mark(mark));
                    }
                    rest = sequence.get(length..).unwrap_or_default();
                    from = 0;
                }
            }
        }
        output_piece(rest, &mut take);
    }

    /// What was held back, when nothing follows. The beginning of a mark with its secret is no output.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        if held.starts_with(&self.prefix) {
            held.clear();
        }
        held
    }

    fn see(&self, bytes: &[u8]) -> Seen {
        let Some(body) = bytes.strip_prefix(self.prefix.as_slice()) else {
            let is_part = self.prefix.starts_with(bytes);
            return if is_part { Seen::Part } else { Seen::Other };
        };
        let within = body.get(..LONGEST).unwrap_or(body);
        // Whatever else may not stand in a mark ends it, too, and then it says nothing.
        let Some(end) = within.iter().position(|byte| *byte < b' ') else {
            return match within.len() == LONGEST {
                true => Seen::Whole(self.prefix.len() + LONGEST, None),
                false => Seen::Part,
            };
        };
        let length = self.prefix.len() + end;
        let (said, ending) = body.split_at_checked(end).unwrap_or_default();
        match ending {
            [BEL, ..] => Seen::Whole(length + 1, Mark::parse(said)),
            [ESC, b'\\', ..] => Seen::Whole(length + 2, Mark::parse(said)),
            [ESC] => Seen::Part,
            _ => Seen::Whole(length, None),
        }
    }
}

fn output_piece(bytes: &[u8], take: &mut impl FnMut(Marked<'_>)) {
    if !bytes.is_empty() {
        take(Marked::Output(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    /// The output without the marks, and the marks with their places in it.
    fn split(pieces: &[&[u8]]) -> (Vec<u8>, Vec<(usize, Mark)>) {
        let mut marks = Marks::new(SECRET);
        let (mut output, mut found) = (Vec::new(), Vec::new());
        for piece in pieces {
            marks.split(piece, |piece| match piece {
                Marked::Output(bytes) => output.extend_from_slice(bytes),
                Marked::Mark(mark) => found.push((output.len(), mark)),
            });
        }
        output.extend(marks.finish());
        (output, found)
    }

    fn mark(body: &str, end: &str) -> Vec<u8> {
        format!("\x1b]133;k={SECRET};{body}{end}").into_bytes()
    }

    #[test]
    fn marks_are_taken_out_and_everything_else_stays_however_it_is_cut() {
        let all = [
            b"a\x1b[m".as_slice(),
            &mark("A", "\x07"),
            b"b\x1b",
            &mark("D;x=1", "\x1b\\"),
            b"c",
        ]
        .concat();
        let end = Mark::parse(b"D;x=1").unwrap();
        for step in [1, 2, 7, 50, 1000] {
            let (output, marks) = split(&all.chunks(step).collect::<Vec<_>>());
            assert_eq!(output, b"a\x1b[mb\x1bc", "{step}");
            assert_eq!(marks, [(4, Mark::Prompt), (6, end.clone())], "{step}");
        }
    }

    #[test]
    fn a_mark_without_the_secret_is_output() {
        for other in [
            "\x1b]133;A\x07",
            "\x1b]133;C;cmdline_url=ls\x1b\\",
            "\x1b]133;k=0123456789abcdef0123456789abcdee;D;x=0\x07",
            "\x1b]133;k=;D;x=0\x07",
        ] {
            assert_eq!(split(&[other.as_bytes()]), (other.into(), vec![]));
        }
    }

    #[test]
    fn a_mark_that_is_broken_says_nothing_and_shows_nothing() {
        for end in ["\x18", "\r\n", "\x1b[m", "\x1b]0;t\x07"] {
            let (output, marks) = split(&[&mark("D;x=0", end), b"!"]);
            assert_eq!((output, marks), ([end.as_bytes(), b"!"].concat(), vec![]), "{end:?}");
        }
        assert_eq!(split(&[&mark("D;x=0", "")]), (vec![], vec![]));
    }

    #[test]
    fn a_mark_without_an_end_swallows_no_more_than_the_longest_one_has() {
        let endless = [mark("C;t=", ""), vec![b'x'; 2 * LONGEST]].concat();
        let (output, marks) = split(&endless.chunks(4000).collect::<Vec<_>>());
        assert_eq!((output.len(), marks), (LONGEST + 4, vec![]));
    }

    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            Just(mark("A", "\x07")),
            Just(mark("C;x=1;d=/;t=a%0Ab", "\x1b\\")),
            Just(mark("D", "")),
            Just(b"\x1b]133;k=0123".to_vec()),
            proptest::collection::vec(proptest::sample::select(&b"\x1b]133;k=01\x07\\\x18 %a\n"[..]), 0..12),
        ];
        proptest::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn what_comes_out_does_not_depend_on_the_cuts(output in hostile(), cuts in proptest::collection::vec(0usize..400, 0..8)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(output.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([output.len()]) {
                pieces.push(&output[from..cut]);
                from = cut;
            }
            prop_assert_eq!(split(&pieces), split(&[&output]));
        }

        #[test]
        fn the_secret_never_comes_out(output in hostile()) {
            let (shown, _) = split(&[&output]);
            let with_secret = format!("k={SECRET};");
            prop_assert!(!shown.windows(with_secret.len()).any(|part| part == with_secret.as_bytes()));
        }
    }
}
