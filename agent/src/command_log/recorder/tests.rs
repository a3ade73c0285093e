use super::*;
use std::time::Duration;

/// A shell that writes marks and other output, and what is recorded of it.
struct Shell {
    recorder: Recorder,
    began: Instant,
    ms: u64,
    offset: u64,
    ids: u8,
    events: Vec<Event>,
}

impl Shell {
    fn new() -> Self {
        Self {
            recorder: Recorder::new("sess_1".parse().unwrap(), StreamId(1), Size::default()),
            began: Instant::now(),
            ms: 0,
            offset: 0,
            ids: 0,
            events: Vec::new(),
        }
    }

    fn at(&self) -> Moment {
        Moment {
            wall: 1000 + self.ms,
            steady: self.began + Duration::from_millis(self.ms),
        }
    }

    fn says(&mut self, body: &str) -> &mut Self {
        self.ms += 10;
        self.ids += 1;
        let id = format!("{:024x}", self.ids).parse().ok();
        let mark = Mark::parse(body.as_bytes()).unwrap();
        let events = self.recorder.mark(mark, self.offset, self.at(), || id);
        self.events.extend(events);
        self
    }

    fn writes(&mut self, text: &str) -> &mut Self {
        self.offset += text.len() as u64;
        self.recorder.output(text.as_bytes());
        self
    }

    /// Text and outcome of the commands that ended.
    fn ended(&self) -> Vec<(&str, Outcome)> {
        let ended = self.events.iter().filter_map(|event| match event {
            Event::Ended(record) => Some((record.command.as_str(), record.outcome)),
            Event::Began(_) => None,
        });
        ended.collect()
    }

    fn texts(&self) -> Vec<(Text, &str)> {
        let began = self.events.iter().filter_map(|event| match event {
            Event::Began(record) => Some((record.text, record.command.as_str())),
            Event::Ended(_) => None,
        });
        began.collect()
    }
}

fn exited(exit_code: i32) -> Outcome {
    Outcome::Exited { exit_code }
}

#[test]
fn a_record_has_text_directory_code_times_and_the_range_of_its_output() {
    let mut shell = Shell::new();
    shell
        .says("D;x=0")
        .says("A")
        .writes("$ ls\r\n")
        .says("C;x=0;d=/tmp;t=ls")
        .writes("a b\r\n")
        .says("D;x=2")
        .says("A");
    let Some(Event::Ended(record)) = shell.events.last() else {
        panic!("{:?}", shell.events)
    };
    assert_eq!(
        (record.command.as_str(), record.cwd.as_str(), record.outcome),
        ("ls", "/tmp", exited(2))
    );
    assert_eq!(
        (record.started_at, record.duration_ms, record.from, record.to),
        (1030, 10, 6, 11)
    );
    let Some(Event::Began(begun)) = shell.events.first() else {
        panic!()
    };
    assert_eq!((&begun.id, begun.outcome), (&record.id, Outcome::Unknown));
    assert_eq!(shell.events.len(), 2);
}

#[test]
fn a_prompt_within_a_command_and_an_end_without_one_mean_nothing() {
    let mut shell = Shell::new();
    shell
        .says("A")
        .says("D;x=130")
        .says("A")
        .says("C;t=read x")
        .says("A")
        .says("D;x=0")
        .says("D;x=1");
    assert_eq!(shell.ended(), [("read x", exited(0))]);
}

#[test]
fn a_command_that_begins_ends_the_one_before_with_the_number_it_brings() {
    let mut shell = Shell::new();
    shell
        .says("A")
        .says("C;x=0;t=(exit 3)")
        .says("C;x=3;t=(exit 4)")
        .says("D;x=4")
        .says("C;t=a")
        .says("C;t=b")
        .says("D");
    let expected = [
        ("(exit 3)", exited(3)),
        ("(exit 4)", exited(4)),
        ("a", Outcome::Unknown),
        ("b", Outcome::Unknown),
    ];
    assert_eq!(shell.ended(), expected);
}

#[test]
fn a_command_that_ends_the_shell_has_the_shells_number() {
    let mut shell = Shell::new();
    shell.says("A").says("C;t=exit 44");
    let at = shell.at();
    assert!(
        matches!(shell.recorder.ended(Some(44), 9, at), Some(Event::Ended(record)) if record.outcome == exited(44))
    );
    assert_eq!(shell.recorder.ended(Some(44), 9, at), None);
}

#[test]
fn a_line_that_the_history_has_once_only_is_known_when_the_terminal_shows_it_again() {
    let mut shell = Shell::new();
    shell
        .says("A")
        .writes("ada@web:~$ ls -l\r\n")
        .says("C;t=ls -l")
        .says("D;x=0")
        .says("A");
    // Recalled, with colours, and corrected.
    shell
        .writes("\x1b[1mada@web\x1b[m:~$ ls x\x08\x1b[K-l\r\n\x1b[?2004l\r")
        .says("C;s=not_kept;t=ls -l")
        .says("D;x=0");
    assert_eq!(shell.texts(), [(Text::Whole, "ls -l"), (Text::Whole, "ls -l")]);
}

#[test]
fn a_line_that_was_kept_from_the_history_is_never_the_one_before() {
    for typed in [" ls -l", "secret ls -l", "l", "ls", ""] {
        let mut shell = Shell::new();
        shell
            .says("A")
            .writes("$ ls -l\r\n")
            .says("C;t=ls -l")
            .says("D;x=0")
            .says("A");
        shell.writes(&format!("$ {typed}\r\n")).says("C;s=not_kept;t=ls -l");
        assert_eq!(shell.texts()[1], (Text::NotKept, ""), "{typed:?}");
    }
    let mut shell = Shell::new();
    shell
        .says("A")
        .writes("$ ls\r\n")
        .says("C;s=not_kept;t=ls")
        .says("D")
        .says("A")
        .says("C;s=hidden;t=ls");
    assert_eq!(shell.texts(), [(Text::NotKept, ""), (Text::Hidden, "")]);
}

#[test]
fn a_flood_at_a_prompt_is_not_kept_in_memory() {
    let mut shell = Shell::new();
    shell.says("A");
    for _ in 0..100 {
        shell.writes(&"x".repeat(1000));
    }
    assert_eq!(shell.recorder.shown, None);
    shell.says("C;t=ls");
    assert_eq!(shell.texts(), [(Text::Whole, "ls")]);
}

#[test]
fn what_nobody_announced_is_a_record_by_itself_and_ends_no_other() {
    let mut shell = Shell::new();
    shell
        .says("A")
        .says("U;d=/tmp;t=f")
        .says("U")
        .says("C;t=sleep 1")
        .says("U;t=g;cut")
        .says("D;x=0");
    let ended = shell.events.iter().filter_map(|event| match event {
        Event::Ended(record) => Some((record.seen, record.text, record.command.as_str(), record.outcome)),
        Event::Began(_) => None,
    });
    let unannounced = |text, command| (Seen::Unannounced, text, command, Outcome::Unknown);
    let expected = [
        unannounced(Text::Whole, "f"),
        unannounced(Text::NotKept, ""),
        unannounced(Text::Cut, "g"),
        (Seen::Announced, Text::Whole, "sleep 1", exited(0)),
    ];
    assert_eq!(ended.collect::<Vec<_>>(), expected);
}

#[test]
fn lines_that_a_backslash_continues_are_as_the_terminal_shows_them() {
    let mut shell = Shell::new();
    shell
        .says("A")
        .writes("$ for i in 1\r\n> do :\r\n> done\r\n")
        .says("C;t=for i in 1%0Ado :%0Adone")
        .says("D;x=0");
    shell
        .says("A")
        .writes("$ echo a \\\r\n> b\r\n")
        .says("C;t=echo a b")
        .says("D;x=0");
    shell
        .says("A")
        .writes("$ echo a b\r\n")
        .says("C;t=echo a b")
        .says("D;x=0");
    let texts: Vec<_> = shell.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts[1..], ["echo a \\\nb", "echo a b"]);
}
