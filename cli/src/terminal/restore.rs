//! Giving the local terminal back as it was. Whatever ran on the machine has perhaps switched on what the next program here
//! neither knows of nor switches off: another screen, reports of the mouse, a hidden cursor.

/// Before anything is shown: the window's title is put on the terminal's stack (xterm's `XTWINOPS`).
pub const ENTER: &[u8] = b"\x1b[22;0t";

/// After everything was shown. It says what it says whether or not it was needed, so that nobody has to keep book of what
/// came through; a terminal that does not know one of these ignores it.
pub const LEAVE: &[u8] = concat!(
    // The end of a string that was cut off in the middle, such as a title.
    "\x1b\\",
    // The main screen. Its switch brings a saved cursor back, so the cursor is saved first: on the main screen nothing moves.
    "\x1b7\x1b[?1049l",
    // The whole screen scrolls. Setting that sends the cursor home, so it is saved as well.
    "\x1b7\x1b[r\x1b8",
    // Soft reset: cursor keys, keypad, character sets, insert and origin mode, colours.
    "\x1b[!p",
    // The same for terminals without it: cursor keys, keypad, insert mode, character sets, colours.
    "\x1b[?1l\x1b>\x1b[4l\x1b(B\x1b)B\x0f\x1b[0m",
    // Lines wrap, the cursor is shown and has its own shape, nothing is reversed.
    "\x1b[?7h\x1b[?25h\x1b[0 q\x1b[?5l",
    // The mouse: its reports, and the forms they come in.
    "\x1b[?9l\x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l",
    // Reports of the focus, brackets around pastes, held back drawing, reports of the colour scheme and of sizes.
    "\x1b[?1004l\x1b[?2004l\x1b[?2026l\x1b[?2031l\x1b[?2048l",
    // Keys as they always were: xterm's and kitty's richer forms.
    "\x1b[>4;0m\x1b[=0u",
    // No link goes on, and the title comes back.
    "\x1b]8;;\x1b\\\x1b[23;0t",
)
.as_bytes();

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZero;

    fn terminal() -> vt100::Parser {
        let [rows, cols] = [24, 80].map(|size| NonZero::new(size).unwrap());
        vt100::Parser::new(rows, cols, 0)
    }

    #[test]
    fn whatever_was_switched_on_is_off_afterwards() {
        for on in [
            "\x1b[?1049h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?25l\x1b[?1h\x1b=\x1b[5;9r\x1b[1;4;31m",
            // As programs did before there was one switch for cursor and screen.
            "\x1b7\x1b[?47h\x1b[?1000h",
            // Cut off in the middle of a title.
            "\x1b[?1049h\x1b[?1002h\x1b[?25l\x1b]0;half a tit",
        ] {
            let mut screen = terminal();
            screen.process(b"$ vsay connect web\r\n");
            screen.process(ENTER);
            screen.process(on.as_bytes());
            screen.process(LEAVE);
            screen.process(b"$ ");
            let screen = screen.screen();
            assert!(!screen.alternate_screen(), "{on:?}");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "{on:?}");
            assert!(!screen.bracketed_paste() && !screen.hide_cursor(), "{on:?}");
            assert!(!screen.application_cursor() && !screen.application_keypad(), "{on:?}");
            assert_eq!((screen.bold(), screen.underline()), (false, false), "{on:?}");
            assert_eq!(screen.contents(), "$ vsay connect web\n$ ", "{on:?}");
        }
    }

    #[test]
    fn a_terminal_that_needs_nothing_sees_nothing() {
        let mut screen = terminal();
        screen.process(b"one\r\ntwo\r\nthree");
        let before = (screen.screen().cursor_position(), screen.screen().contents());
        screen.process(LEAVE);
        assert_eq!((screen.screen().cursor_position(), screen.screen().contents()), before);
    }
}
