use protocol::terminal::Size;

use super::*;
use crate::emulator::Terminal;

/// A shell on a terminal, and somebody who types.
struct Typing {
    reader: Reader,
    terminal: Terminal,
    /// The program that takes the keys, if that is the first of the terminal.
    program: Option<&'static str>,
    lines: Vec<(Text, String)>,
}

impl Typing {
    fn new() -> Self {
        Self {
            reader: Reader::default(),
            terminal: Terminal::new(Size { cols: 20, rows: 4 }),
            program: Some("dash"),
            lines: Vec::new(),
        }
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        let waiting = self.program.map(|program| Waiting {
            program: program.into(),
            directory: "/tmp".into(),
        });
        let before = waiting.and_then(|waiting| self.reader.before(waiting, || self.terminal.cursor_line()));
        self.reader.typed(keys.as_bytes(), before);
        self
    }

    fn shows(&mut self, output: &str) -> &mut Self {
        let mut output = output.as_bytes();
        if let Some(end) = self.reader.ends_in(output) {
            let (line, behind) = output.split_at(end);
            self.terminal.process(line);
            let line = self.reader.line(self.terminal.cursor_line());
            self.lines.extend(line.map(|(text, directory)| {
                assert_eq!(directory, "/tmp");
                text
            }));
            output = behind;
        }
        self.terminal.process(output);
        self
    }

    /// Another program takes the keys.
    fn runs(&mut self, program: Option<&'static str>) -> &mut Self {
        self.program = program;
        self
    }

    #[track_caller]
    fn read(&mut self, expected: &[&str]) {
        let lines: Vec<_> = self.lines.drain(..).collect();
        let expected: Vec<_> = expected.iter().map(|text| (Text::Whole, (*text).to_owned())).collect();
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_line_is_what_stands_behind_the_prompt_when_it_ends() {
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .keys("l")
        .shows("l")
        .keys("x\x7fs\r")
        .shows("x\x08 \x08s\r\nfile\r\n$ ");
    typing.read(&["ls"]);
    typing
        .keys("cd /\r")
        .shows("cd /\r")
        .shows("\n/ $ ")
        .keys("echo two words\r");
    typing.shows("echo two words that wrap\r\n");
    typing.read(&["cd /", "echo two words that wrap"]);
}

#[test]
fn what_is_not_shown_is_not_there() {
    let mut typing = Typing::new();
    typing
        .shows("Password: ")
        .keys("geheim\r")
        .shows("\r\n$ ")
        .keys("\r")
        .shows("\r\n$ ");
    typing.keys("geheim\r").shows("******\r\n");
    typing.read(&["******"]);
}

#[test]
fn what_others_are_told_is_not_taken() {
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .runs(None)
        .keys("yes\r")
        .shows("yes\r\n")
        .runs(Some("dash"))
        .shows("$ ");
    typing
        .keys("exec python\r")
        .shows("exec python\r\n>>> ")
        .read(&["exec python"]);
    typing
        .runs(Some("python"))
        .keys("secret = 1\r")
        .shows("secret = 1\r\n>>> ")
        .read(&[]);
    // One that starts between the first key and the last.
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .keys("x")
        .shows("x")
        .runs(None)
        .keys("y\r")
        .shows("y\r\n")
        .read(&[]);
    // One that has the whole screen.
    typing
        .runs(Some("dash"))
        .shows("$ \x1b[?1049h~ ")
        .keys(":q\r")
        .shows(":q\r\n")
        .read(&[]);
}

#[test]
fn what_is_typed_before_there_is_a_prompt_is_not_taken() {
    let mut typing = Typing::new();
    typing.keys("early\r").shows("early\r\n$ early\r\n").read(&[]);
    typing
        .shows("$ ")
        .keys("one\rtwo\r")
        .shows("one\r\ntwo\r\n$ $ ")
        .read(&["one"]);
    typing
        .keys("three\rfo")
        .shows("three\r\nfo$ ")
        .keys("ur\r")
        .shows("ur\r\n$ ")
        .read(&["three"]);
    typing.keys("five\r").shows("five\r\n").read(&["five"]);
}

#[test]
fn behind_a_program_that_takes_keys_without_return_lines_are_taken_again() {
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .keys("less x\r")
        .shows("less x\r\n\x1b[?1049hx")
        .read(&["less x"]);
    typing
        .runs(None)
        .keys("jj")
        .keys("q")
        .shows("\x1b[?1049l")
        .runs(Some("dash"));
    typing
        .shows("$ ")
        .keys("l")
        .shows("l")
        .keys("s\r")
        .shows("s\r\n")
        .read(&["ls"]);
    // What was typed ahead stands behind the prompt.
    typing
        .runs(None)
        .keys("ec")
        .shows("ec")
        .runs(Some("dash"))
        .shows("\r\n$ ec");
    typing.keys("ho\r").shows("ho\r\n$ ").read(&[]);
    typing.keys("id\r").shows("id\r\n$ ").read(&["id"]);
}

#[test]
fn a_line_that_is_given_up_or_pasted_is_not_taken() {
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .keys("rm -r /\x03")
        .shows("rm -r /^C\r\n$ ")
        .keys("ls\r")
        .shows("ls\r\n")
        .read(&["ls"]);
    typing
        .shows("$ ")
        .keys("\x1b[200~one\ntwo\x1b[201~")
        .shows("one\r\ntwo")
        .keys("\x03")
        .read(&[]);
}

#[test]
fn one_that_goes_to_the_edge_may_be_longer_than_it_looks() {
    let mut typing = Typing::new();
    typing
        .shows("$ ")
        .keys("a long line\r")
        .shows("\r$ and a long line >\r\n");
    assert_eq!(typing.lines, [(Text::Cut, "and a long line >".to_owned())]);
}

#[test]
fn an_end_that_does_not_come_is_not_waited_for() {
    let mut typing = Typing::new();
    typing.shows("$ ").keys("\x12\r");
    typing.shows(&"x".repeat(ECHO)).shows("x").shows("late\r\n").read(&[]);
}
