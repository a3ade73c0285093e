//! What a terminal would answer. Output that was written before we came is drawn, but its questions were asked of
//! somebody else: an answer now would be typed into whatever runs there today.

/// The longest sequence that is looked at; what is longer is passed on as it is.
const LONGEST: usize = 4096;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// "Who are you?", as a single character.
const ENQ: u8 = 0x05;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// Takes questions out of output, however it is cut.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// A sequence that is not complete.
    held: Vec<u8>,
}

impl Questions {
    /// What of `output` is to be drawn. A sequence that is not complete is held back.
    pub fn filter(&mut self, output: &[u8]) -> Vec<u8> {
        let mut drawn = Vec::with_capacity(output.len());
        for &byte in output {
            if self.held.is_empty() {
                match byte {
                    ESC => self.held.push(byte),
                    ENQ => {}
                    _ => drawn.push(byte),
                }
                continue;
            }
            if self.held.len() > 1 && byte == ESC && !is_string(&self.held) {
                // A new sequence ends one that was not complete.
                drawn.append(&mut self.held);
            }
            self.held.push(byte);
            if is_complete(&self.held) || self.held.len() > LONGEST {
                let sequence = std::mem::take(&mut self.held);
                if !is_question(&sequence) {
                    drawn.extend(sequence);
                }
            }
        }
        drawn
    }

    /// What was held back: the rest of it is not ours to judge.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// Whether a sequence carries text up to a terminator: OSC, DCS, and the like.
fn is_string(sequence: &[u8]) -> bool {
    matches!(sequence.get(1), Some(b']' | b'P' | b'X' | b'^' | b'_'))
}

fn is_complete(sequence: &[u8]) -> bool {
    let (&last, so_far) = sequence.split_last().expect("not empty");
    if matches!(last, CAN | SUB) {
        return true;
    }
    match sequence.get(1) {
        None => false,
        Some(b'[') => so_far.len() > 1 && (0x40..=0x7e).contains(&last),
        Some(_) if is_string(sequence) => last == BEL || so_far.last() == Some(&ESC) && last == b'\\',
        // Intermediates, then one final byte.
        Some(_) => !(0x20..=0x2f).contains(&last),
    }
}

fn is_question(sequence: &[u8]) -> bool {
    match sequence {
        [ESC, b'Z'] => true,
        [ESC, b'[', body @ .., last] => is_csi_question(body, *last),
        [ESC, b']', body @ ..] => {
            let text = body
                .strip_suffix(b"\x1b\\")
                .or(body.strip_suffix(&[BEL]))
                .unwrap_or(body);
            text.split(|byte| *byte == b';').any(|field| field == b"?")
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

    const STATEMENTS: [&[u8]; 12] = [
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
    ];

    fn filtered(output: &[u8], step: usize) -> Vec<u8> {
        let mut questions = Questions::default();
        let mut drawn: Vec<u8> = output.chunks(step).flat_map(|chunk| questions.filter(chunk)).collect();
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
}
