//! Lines that a backslash continues. bash's history has them as one, without the backslash and the line's end; the terminal shows
//! what was typed.

/// Longest prompt of a further line that is looked for, in bytes.
const MAX_PROMPT: usize = 64;

/// A command as it was typed, if `lines` of the screen end with it at `prompt`, and it is what bash made `text` of.
pub fn as_typed(text: &str, lines: &[String], prompt: &str) -> Option<String> {
    let at = lines.iter().rposition(|line| line.starts_with(prompt))?;
    let first = lines[at].strip_prefix(prompt)?;
    let further = &lines[at + 1..];
    let longest = further.first()?;
    let ends = (0..=longest.len().min(MAX_PROMPT)).filter(|end| longest.is_char_boundary(*end));
    // What stands before further lines is not known, but with it, at most one of the ways to read them gives the text.
    ends.map(|end| &longest[..end]).find_map(|prompt| {
        let further = further.iter().map(|line| line.strip_prefix(prompt));
        let pieces: Vec<_> = std::iter::once(Some(first)).chain(further).collect::<Option<_>>()?;
        joined(&pieces, text)
    })
}

/// The pieces with the ends of their lines, if bash makes `text` of them, which leaves out one at least.
fn joined(pieces: &[&str], text: &str) -> Option<String> {
    let (mut rest, mut typed, mut continues) = (text, String::new(), false);
    let (last, before) = pieces.split_last()?;
    for piece in before {
        let whole = rest.strip_prefix(piece).and_then(|rest| rest.strip_prefix('\n'));
        rest = match whole {
            Some(rest) => rest,
            None => {
                continues = true;
                rest.strip_prefix(piece.strip_suffix('\\')?)?
            }
        };
        typed.push_str(piece);
        typed.push('\n');
    }
    // The screen does not tell blanks at the end of a line from none.
    (continues && rest.trim_end() == *last).then(|| typed + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, lines: &[&str]) -> Option<String> {
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        as_typed(text, &lines, "$ ")
    }

    #[test]
    fn what_the_terminal_shows_tells_where_lines_were_continued() {
        for (text, lines, expected) in [
            ("echo a b", &["$ echo a \\", "> b"][..], "echo a \\\nb"),
            ("echo a b", &["a b", "$ echo a \\", "> \\", "> b"], "echo a \\\n\\\nb"),
            ("echo ab", &["$ true", "$ echo a\\", "b"], "echo a\\\nb"),
            (
                "for i in 1 2; do\necho $i\ndone",
                &["$ for i in \\", "more> 1 2; do", "more> echo $i", "more> done"],
                "for i in \\\n1 2; do\necho $i\ndone",
            ),
        ] {
            assert_eq!(typed(text, lines).as_deref(), Some(expected), "{lines:?}");
        }
    }

    #[test]
    fn what_does_not_agree_with_the_history_is_left_as_that_has_it() {
        for (text, lines) in [
            ("echo a b", &["$ echo a b"][..]),
            ("echo a b", &["$ echo a \\", "> c"]),
            ("echo a b", &["# echo a \\", "> b"]),
            ("echo 'a\nb'", &["$ echo 'a", "> b'"]),
            ("echo a b", &["$ echo a \\", "> b", "noise"]),
            ("echo a b", &[]),
        ] {
            assert_eq!(typed(text, lines), None, "{lines:?}");
        }
    }
}
