//! What programs ask their terminal within output. The agent answers it, once; whoever draws the output must not answer
//! again, and so is not asked.
use std::borrow::Cow;

use memchr::memchr2;

/// The longest sequence that is looked at; what is longer is passed on as it is. Questions have some ten bytes, but what
/// begins like one may turn out to be a picture.
const LONGEST: usize = 4096;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// "Who are you?", as a single character.
const ENQ: u8 = 0x05;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// A part of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// To be drawn.
    Output(&'a [u8]),
    /// A whole question.
    Question(&'a [u8]),
}

/// Tells questions from other output, however it is cut.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// A sequence that is not complete.
    held: Vec<u8>,
}

impl Questions {
    /// Takes output apart. The pieces are all of it, in order, but for a sequence that is not complete: it comes with its
    /// rest.
    pub fn split(&mut self, output: &[u8], mut take: impl FnMut(Piece<'_>)) {
        let mut rest = output;
        while !self.held.is_empty() && !rest.is_empty() {
            rest = self.go_on(rest, &mut take);
        }
        // Where what was neither passed on nor held begins, and what was not looked at.
        let (mut start, mut at) = (0, 0);
        while let Some(found) = memchr2(ESC, ENQ, rest.get(at..).unwrap_or_default()) {
            let begin = at + found;
            let Some(sequence) = rest.get(begin..) else { break };
            let Some(len) = complete_len(sequence).or((sequence.len() > LONGEST).then_some(LONGEST)) else {
                self.held.extend_from_slice(sequence);
                rest = rest.get(..begin).unwrap_or_default();
                break;
            };
            at = begin + len;
            let sequence = sequence.get(..len).unwrap_or_default();
            if is_question(sequence) {
                output_piece(rest.get(start..begin), &mut take);
                take(Piece::Question(sequence));
                start = at;
            }
        }
        output_piece(rest.get(start..), &mut take);
    }

    /// Adds to what is held until that is complete; answers what comes after it.
    fn go_on<'a>(&mut self, rest: &'a [u8], take: &mut impl FnMut(Piece<'_>)) -> &'a [u8] {
        let before = self.held.len();
        let more = rest.get(..LONGEST).unwrap_or(rest);
        self.held.extend_from_slice(more);
        let Some(len) = complete_len(&self.held).or((self.held.len() > LONGEST).then_some(LONGEST)) else {
            return rest.get(more.len()..).unwrap_or_default();
        };
        let held = std::mem::take(&mut self.held);
        let sequence = held.get(..len).unwrap_or_default();
        take(match is_question(sequence) {
            true => Piece::Question(sequence),
            false => Piece::Output(sequence),
        });
        // A sequence that another one ended is shorter than what was held of it, by the one byte that began the other.
        if len < before {
            self.held.extend_from_slice(held.get(len..before).unwrap_or_default());
            return rest;
        }
        rest.get(len - before..).unwrap_or_default()
    }

    /// What of `output` is to be drawn. A sequence that is not complete is held back.
    pub fn filter<'a>(&mut self, output: &'a [u8]) -> Cow<'a, [u8]> {
        if self.held.is_empty() && memchr2(ESC, ENQ, output).is_none() {
            return Cow::Borrowed(output);
        }
        let mut drawn = Vec::with_capacity(output.len());
        self.split(output, |piece| {
            if let Piece::Output(bytes) = piece {
                drawn.extend_from_slice(bytes);
            }
        });
        Cow::Owned(drawn)
    }

    /// What was held back, when nothing follows or what follows is not ours to judge.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn output_piece(bytes: Option<&[u8]>, take: &mut impl FnMut(Piece<'_>)) {
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        take(Piece::Output(bytes));
    }
}

/// How long the sequence is that `bytes` begin with, if all of it is there.
fn complete_len(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if *first != ESC {
        return Some(1);
    }
    let kind = *rest.first()?;
    let is_string = matches!(kind, b']' | b'P' | b'X' | b'^' | b'_');
    let body_at = if is_string || kind == b'[' { 2 } else { 1 };
    let body = bytes.get(body_at..)?;
    let ends = |byte: &u8| match *byte {
        ESC | CAN | SUB => true,
        byte if is_string => byte == BEL,
        byte if kind == b'[' => (0x40..=0x7e).contains(&byte),
        // Intermediates, then one final byte.
        byte => !(0x20..=0x2f).contains(&byte),
    };
    let end = body_at + body.iter().position(ends)?;
    match (bytes.get(end), bytes.get(end + 1)) {
        // The end of a string, or another sequence, which ends this one.
        (Some(&ESC), Some(b'\\')) if is_string => Some(end + 2),
        (Some(&ESC), None) if is_string => None,
        (Some(&ESC), _) => Some(end),
        _ => Some(end + 1),
    }
}

fn is_question(sequence: &[u8]) -> bool {
    match sequence {
        [ENQ] | [ESC, b'Z'] => true,
        [ESC, b'[', body @ .., last] => is_csi_question(body, *last),
        // One that was cancelled asks nothing.
        [.., CAN | SUB] => false,
        [ESC, b']', body @ ..] => {
            let text = body
                .strip_suffix(b"\x1b\\")
                .or(body.strip_suffix(&[BEL]))
                .unwrap_or(body);
            let mut fields = text.split(|byte| *byte == b';');
            // Colours, and the clipboard. In a title or the target of a link a lone question mark is text.
            let asks = matches!(
                fields.next(),
                Some(b"4" | b"5" | b"10" | b"11" | b"12" | b"13" | b"14" | b"17" | b"19" | b"52")
            );
            asks && fields.any(|field| field == b"?")
        }
        [ESC, b'P', body @ ..] => body.starts_with(b"$q") || body.starts_with(b"+q"),
        _ => false,
    }
}

fn is_csi_question(body: &[u8], last: u8) -> bool {
    let prefix = body.first().filter(|byte| (b'<'..=b'?').contains(byte)).copied();
    let intermediate = body.last().filter(|byte| (0x20..=0x2f).contains(*byte)).copied();
    match (prefix, intermediate, last) {
        // Attributes, status and cursor, parameters, modes, version, keyboard, graphics, checksum.
        (_, None, b'c') => true,
        (None | Some(b'?'), None, b'n') => true,
        (None, None, b'x') => true,
        (_, Some(b'$'), b'p') => true,
        (Some(b'>'), None, b'q') => true,
        (Some(b'?'), None, b'u' | b'S') => true,
        (None, Some(b'*'), b'y') => true,
        // Of the window operations, those from 11 on are reports, but 12, 17 and 22 on are none or not answered.
        (None, None, b't') => {
            let first = body
                .split(|byte| *byte == b';')
                .next()
                .and_then(|text| std::str::from_utf8(text).ok());
            matches!(first.and_then(|text| text.parse().ok()), Some(11 | 13..=16 | 18..=21))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUESTIONS: [&[u8]; 16] = [
        b"\x05",
        b"\x1bZ",
        b"\x1b[c",
        b"\x1b[>0c",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1b[18t",
        b"\x1b[?2026$p",
        b"\x1b[>0q",
        b"\x1b[?u",
        b"\x1b]11;?\x07",
        b"\x1b]4;1;?\x1b\\",
        b"\x1b]52;c;?\x07",
        b"\x1bP$qm\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1b[1;1;1;1;1;1*y",
    ];

    const STATEMENTS: [&[u8]; 15] = [
        b"plain text \xc3\xa9\r\n",
        b"\x1b[31;1mred\x1b[0m",
        b"\x1b[?1049h\x1b[2J\x1b[H",
        b"\x1b[8;24;80t\x1b[22;0t",
        b"\x1b]0;who?\x07",
        b"\x1b]8;;https://example.com/?q\x1b\\link\x1b]8;;\x1b\\",
        b"\x1b(B\x1b=\x1b7\x1b8\x1bM",
        b"\x1b[2 q\x1b[!p",
        b"\x1b[>4;2m\x1b[>4n",
        b"\x1b[1;2$x",
        b"\x1b[u\x1b[2S",
        b"\x1b[12\x18c",
        b"\x1b]2;a;?;title\x07",
        b"\x1b]11;?\x18",
        b"\x1b]52;c;YQ==\x07",
    ];

    fn filtered(output: &[u8], step: usize) -> Vec<u8> {
        let mut questions = Questions::default();
        let pieces = output.chunks(step);
        let mut drawn: Vec<u8> = pieces.flat_map(|chunk| questions.filter(chunk).into_owned()).collect();
        drawn.extend(questions.finish());
        drawn
    }

    #[test]
    fn questions_are_taken_out_and_everything_else_is_drawn_however_it_is_cut() {
        for step in [1, 2, 3, 7, 1000] {
            for question in QUESTIONS {
                let around = [b"a", question, b"b"].concat();
                assert_eq!(
                    filtered(&around, step),
                    b"ab",
                    "{:?}",
                    String::from_utf8_lossy(question)
                );
            }
            for statement in STATEMENTS {
                assert_eq!(
                    filtered(statement, step),
                    statement,
                    "{:?}",
                    String::from_utf8_lossy(statement)
                );
            }
        }
    }

    #[test]
    fn a_sequence_that_never_ends_is_passed_on() {
        let endless = [b"\x1b]0;".as_slice(), &[b'x'; 2 * LONGEST]].concat();
        assert_eq!(filtered(&endless, 100), endless);
        assert_eq!(filtered(b"\x1b[", 1), b"\x1b[");
        assert_eq!(filtered(b"\x1b[3\x1b[c!", 1), b"\x1b[3!");
    }

    #[test]
    fn a_sequence_that_another_one_ends_hides_no_question() {
        for step in [1, 2, 3, 1000] {
            assert_eq!(filtered(b"\x1b]0;title\x1b[c!", step), b"\x1b]0;title!");
            assert_eq!(filtered(b"\x1b\x1b[6n!", step), b"\x1b!");
            assert_eq!(filtered(b"\x1b]11;?\x1b[31m!", step), b"\x1b[31m!");
        }
    }

    fn tokens() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            proptest::sample::select(&QUESTIONS[..]).prop_map(<[u8]>::to_vec),
            proptest::sample::select(&STATEMENTS[..]).prop_map(<[u8]>::to_vec),
            proptest::collection::vec(proptest::sample::select(&b"\x1b[]P\\\x07\x18?;c6n"[..]), 0..6),
        ];
        proptest::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn the_pieces_are_all_of_the_output_and_do_not_depend_on_its_cuts(
            output in tokens(), cuts in proptest::collection::vec(0usize..80, 0..6),
        ) {
            let pieces = |cuts: &[usize]| {
                let (mut questions, mut all, mut asked, mut drawn) = (Questions::default(), Vec::new(), Vec::new(), Vec::new());
                let mut start = 0;
                for end in cuts.iter().copied().chain([output.len()]) {
                    let end = end.clamp(start, output.len());
                    questions.split(&output[start..end], |piece| match piece {
                        Piece::Output(bytes) => { all.extend_from_slice(bytes); drawn.extend_from_slice(bytes); }
                        Piece::Question(bytes) => { all.extend_from_slice(bytes); asked.push(bytes.to_vec()); }
                    });
                    start = end;
                }
                all.extend(questions.finish());
                (all, asked, drawn)
            };
            let whole = pieces(&[]);
            prop_assert_eq!(&whole.0, &output);
            let mut cuts = cuts;
            cuts.sort_unstable();
            prop_assert_eq!(pieces(&cuts), whole);
        }
    }
}
