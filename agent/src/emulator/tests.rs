use protocol::terminal::Size;

use super::Terminal;

const SIZE: Size = Size { cols: 10, rows: 3 };

fn after(output: &str) -> Terminal {
    let mut terminal = Terminal::new(SIZE);
    terminal.process(output.as_bytes());
    terminal
}

fn dump(terminal: &Terminal) -> String {
    String::from_utf8(terminal.dump()).unwrap()
}

/// Whether a dump puts a terminal that has seen other things into the same state, as far as a dump tells.
fn assert_survives(output: &str) {
    let terminal = after(output);
    let mut viewer = after("other \x1b[?1049h\x1b[31m\x1b(0\x1b[2;3r\x1b[?6h\x1b[3gthings\x1b]0;");
    viewer.process(&terminal.dump());
    assert_eq!(dump(&viewer), dump(&terminal), "{output:?}");
}

#[test]
fn a_dump_of_a_dump_is_the_same() {
    for output in [
        "",
        "plain\r\ntext",
        "0123456789",
        "0123456789abc",
        "a\tb\x1b[44m\x1b[K\x1b[m\r\n\x1b[1;3;4:3;9;53;58:5;1mstyled",
        "\x1b[38;5;200mone\x1b[48;2;1;2;3mtwo\x1b[91;102mthree",
        "\x1b(0lqk\x1b)0\x1b(B\x0exx",
        "\x1b[2;3r\x1b[?6h\x1b[2;2Hin\x1b7the region",
        "\x1b7saved\x1b[3g\x1b[1;4H\x1bH\x1b[1 q\x1b[?25l",
        "shell\x1b[?1049h\x1b[2J\x1b[Heditor\x1b[?1002;1006;2004;1004;1h\x1b=\x1b[4h",
        "\x1b]2;one\x07\x1b[22t\x1b]2;two\x07\x1b]4;1;rgb:12/34/56\x07\x1b]11;#abcdef\x07",
        "\x1b]8;id=a;https://example.com/?a;b\x07link\x1b]8;;\x07 e\u{301} 漢字漢字漢字",
        "cut \x1b[1;3",
    ] {
        assert_survives(output);
    }
}

#[test]
fn what_scrolled_away_is_in_the_dump_and_a_wrapped_line_is_one_line() {
    let text = dump(&after("first\r\n0123456789wrapped\r\nthree\r\nfour\r\nfive"));
    assert!(
        text.contains("first\r\n0123456789wrapped\r\nthree\r\nfour\r\nfive"),
        "{text:?}"
    );
}

#[test]
fn what_is_shown_is_told_without_what_scrolled_away_and_not_within_a_sequence() {
    let mut terminal = after("first\r\nsecond\r\nthird\r\n\x1b[31mfour");
    let shown = String::from_utf8(terminal.dump_screen().unwrap()).unwrap();
    assert!(
        !shown.contains("first") && shown.contains("second\r\nthird\r\n"),
        "{shown:?}"
    );
    let mut viewer = Terminal::new(SIZE);
    viewer.process(shown.as_bytes());
    assert_eq!(viewer.dump_screen(), terminal.dump_screen());
    for unfinished in ["\x1b[3", "1m\x1b]2;title"] {
        terminal.process(unfinished.as_bytes());
        assert_eq!(terminal.dump_screen(), None);
    }
    terminal.process(b"\x07\xe2\x82");
    assert_eq!(terminal.dump_screen(), None, "half a character");
    terminal.process(b"\xac");
    assert!(terminal.dump_screen().is_some());
}

#[test]
fn a_line_that_was_wider_than_a_narrow_window_is_whole_again() {
    let mut terminal = after("0123456789\r\nabcdefghij\r\n$ ");
    for cols in [4, 7, 1, 10] {
        terminal.resize(Size { cols, rows: 3 });
    }
    let text = dump(&terminal);
    assert!(text.contains("0123456789\r\nabcdefghij\r\n$"), "{text:?}");
    assert_eq!(
        terminal.answer(b"\x1b[6n"),
        b"\x1b[3;1R",
        "the cursor's own line is its program's"
    );
}

#[test]
fn lines_come_back_from_the_history_when_the_screen_grows() {
    let mut terminal = after("1\r\n\x1b[32m2\x1b[m\r\n3\r\n4\r\n5");
    terminal.resize(Size { cols: 10, rows: 5 });
    assert_eq!(terminal.answer(b"\x1b[6n"), b"\x1b[5;2R");
    terminal.process(b"\x1b[H");
    assert!(dump(&terminal).contains("1\r\n\x1b[0;32m2\x1b[m\r\n3\r\n4\r\n5"));
}

#[test]
fn the_history_is_bounded_in_lines_and_in_bytes() {
    let mut terminal = after("");
    for line in 0..12_000 {
        terminal.process(format!("\r\n{line}").as_bytes());
    }
    let text = dump(&terminal);
    assert!(text.contains("\r\n2000\r\n") && !text.contains("\r\n1900\r\n"));
    let mut terminal = Terminal::new(Size { cols: 1000, rows: 3 });
    for _ in 0..10_000 {
        terminal.process(&[b'x'; 1000]);
    }
    assert!(terminal.dump().len() < 4 * 1024 * 1024 + 10_000);
}

#[test]
fn colours_and_settings_are_those_of_the_console_until_a_program_changes_them() {
    let terminal = after("\x1b]12;rgb:01/02/03\x07\x1b[1;31m\x1b[4 q\x1b[2;3r");
    for (question, answer) in [
        ("\x1b]10;?\x07", "\x1b]10;rgb:e3e3/e8e8/e2e2\x1b\\"),
        (
            "\x1b]10;?;?\x07",
            "\x1b]10;rgb:e3e3/e8e8/e2e2\x1b\\\x1b]11;rgb:1212/1717/1515\x1b\\",
        ),
        ("\x1b]12;?\x1b\\", "\x1b]12;rgb:0101/0202/0303\x1b\\"),
        (
            "\x1b]4;1;?;255;?\x07",
            "\x1b]4;1;rgb:ffff/8a8a/7a7a\x1b\\\x1b]4;255;rgb:eeee/eeee/eeee\x1b\\",
        ),
        ("\x1bP$qm\x1b\\", "\x1bP1$r0;1;31m\x1b\\"),
        ("\x1bP$q q\x1b\\", "\x1bP1$r4 q\x1b\\"),
        ("\x1bP$qr\x1b\\", "\x1bP1$r2;3r\x1b\\"),
        ("\x1b[?7$p", "\x1b[?7;1$y"),
        ("\x1b[?9999$p", "\x1b[?9999;0$y"),
        ("\x1b[4$p", "\x1b[4;2$y"),
        ("\x1b[18t", "\x1b[8;3;10t"),
        ("\x1b[>q", "\x1bP>|xterm.js(6.0.0)\x1b\\"),
        ("\x1b[?u", ""),
        ("\x05", ""),
        ("\x1bZ", ""),
        ("\x1b]52;c;?\x07", ""),
    ] {
        let heard = String::from_utf8(terminal.answer(question.as_bytes())).unwrap();
        assert_eq!(heard, answer, "{question:?}");
    }
}

#[test]
fn hostile_numbers_and_sizes_do_no_harm() {
    for size in [SIZE, Size { cols: 1, rows: 1 }, Size { cols: 2, rows: 1 }] {
        let mut terminal = Terminal::new(size);
        for action in "@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu".chars() {
            for numbers in ["", "0", "65535", "3;65535", "65535;65535", "999999999999"] {
                terminal.process(format!("漢e\u{301}\x1b[{numbers}{action}\x1b[?{numbers}{action}\x1bM\n").as_bytes());
            }
        }
        terminal.resize(Size { cols: 3, rows: 2 });
        terminal.process("漢字\x1b[?1049h\x1b#8".as_bytes());
        terminal.resize(Size { cols: 1, rows: 1 });
        terminal.dump();
    }
}

#[test]
fn it_makes_no_difference_how_the_bytes_arrive() {
    let output = "ünïcödé 日本語 👍🏽 e\u{301}n\r\nf\x1b[31mï\x1b]0;tïtle\x07ñ日\u{9f}x".as_bytes();
    let whole = after(std::str::from_utf8(output).unwrap());
    for first in 0..output.len() {
        for second in first..output.len() {
            let mut terminal = Terminal::new(SIZE);
            for piece in [&output[..first], &output[first..second], &output[second..]] {
                terminal.process(piece);
            }
            assert_eq!(dump(&terminal), dump(&whole), "{first}, {second}");
        }
    }
}
