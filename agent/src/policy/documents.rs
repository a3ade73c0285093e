//! Here documents, as far as their own line says something of what runs.

/// Whether something is expanded on the line that announces a here document, behind the announcement, or around it: the parser puts the
/// words of a command that is substituted there elsewhere, and takes for a here document what is none to bash within `${…}`. That line
/// goes on where a quote or a backslash takes its end.
pub fn expands_beside(text: &str) -> bool {
    let mut from = 0;
    while let Some((before, behind)) = text.get(from..).and_then(|rest| rest.split_once("<<")) {
        let at = from + before.len();
        from = at + 2;
        // `<<<` is a word, and no document follows.
        if behind.starts_with('<') {
            from += 1;
        } else if expands(behind) || text.get(..at).is_some_and(is_within_braces) {
            return true;
        }
    }
    false
}

/// Whether a line ends in what may be a comment while two brackets or more are open: the parser may look for their ends in it. Brackets in
/// quotes are counted, too, so that this may be true where it need not be.
pub fn comments_within(text: &str) -> bool {
    let (mut depth, mut before) = (0_u32, None);
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '#' if depth > 1
                && before.is_none_or(|before: char| before.is_whitespace() || ";&|()".contains(before)) =>
            {
                return true;
            }
            _ => {}
        }
        before = Some(character);
    }
    false
}

/// Whether a text ends within a `${…}`.
fn is_within_braces(text: &str) -> bool {
    text.match_indices("${")
        .any(|(at, _)| text.get(at + 2..).is_some_and(|inner| !closes(inner)))
}

/// Whether there is the bracket that closes an expansion.
fn closes(inner: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    for character in inner.chars() {
        match (character, quote) {
            _ if std::mem::take(&mut escaped) => {}
            ('}', None) => return true,
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            (_, Some('\'')) => {}
            ('\\', _) => escaped = true,
            ('\'' | '"', None) => quote = Some(character),
            _ => {}
        }
    }
    false
}

/// Whether something is expanded before the line ends.
fn expands(text: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (character, quote) {
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            (_, Some('\'')) => {}
            ('\\', _) => escaped = true,
            ('`', _) => return true,
            ('$', _) if matches!(characters.peek(), Some('(' | '{' | '[' | '\'')) => return true,
            ('<' | '>', None) if characters.peek() == Some(&'(') => return true,
            ('\'' | '"', None) => quote = Some(character),
            ('\n', None) => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expanded_beside_the_announcement_is_seen_and_elsewhere_it_does_not_matter() {
        for text in [
            "a <<X $(b)\nX",
            "a <<X && b `c`\nX",
            "a <<X \"$(b)\"\nX",
            "a <<X 'y\n' $(b)\nX",
            "a <<X \"y\n\" $(b)\nX",
            "a <<X \\\n $(b)\nX",
            "a <<X <(b)\nX",
            "a <<X ${b}\nX",
            "a <<<x; b <<X $(c)\nX",
            "a${x:-<<X\nX\n}",
            "a ${x:-\"}\"<<X\nX\n}",
        ] {
            assert!(expands_beside(text), "{text}");
        }
        for text in [
            "a <<X\n$(b)\nX",
            "a <<X '$(b)' \\$(b)\nX\n$(b)",
            "$(b) a <<X $y | c >z\nX\n`b`",
            "a <<<$(b)",
            "a >\"${b}/${c:-d}\" <<X\n${d\nX",
        ] {
            assert!(!expands_beside(text), "{text}");
        }
    }
}
