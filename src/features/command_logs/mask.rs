//! What an organization wants masked in commands: texts, in which `*` stands for whatever comes up to the next blank or quote, as
//! in `--password *` and `AKIA*`. Plain texts rather than expressions, so that looking for them takes no longer the longer it
//! takes to write one.
use std::borrow::Cow;

use super::store::MasksRow;

/// What stands in the place of what was masked.
const MASK: &str = "****";

/// What `*` does not go beyond.
const ENDS: [char; 6] = [' ', '\t', '\n', '"', '\'', '`'];

/// The texts of one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masks(Vec<String>);

impl Masks {
    /// Those of the row that was found, if any.
    pub fn of(rows: &[MasksRow]) -> Self {
        Self(rows.first().map(|row| row.command_masks.clone()).unwrap_or_default())
    }

    /// A command without what is to be masked.
    pub fn apply(&self, command: &str) -> String {
        let mut masked = Cow::Borrowed(command);
        for pattern in &self.0 {
            if let Some(changed) = apply(pattern, &masked) {
                masked = Cow::Owned(changed);
            }
        }
        masked.into_owned()
    }
}

/// The text with every place masked that a pattern matches, if there is one. Of a pattern with `*` what these stand for is
/// masked, of one without all of it.
fn apply(pattern: &str, text: &str) -> Option<String> {
    let parts: Vec<&str> = pattern.split('*').collect();
    let first = parts.first().copied().filter(|first| !first.is_empty())?;
    let mut masked = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find(first) {
        let (before, from) = rest.split_at(at);
        masked.push_str(before);
        match mask_here(&parts, from) {
            Some((replaced, behind)) => {
                found = true;
                masked.push_str(&replaced);
                rest = behind;
            }
            None => {
                let next = from.chars().next().map_or(0, char::len_utf8);
                let (skipped, behind) = from.split_at(next);
                masked.push_str(skipped);
                rest = behind;
            }
        }
    }
    masked.push_str(rest);
    found.then_some(masked)
}

/// What takes the place of a match at the beginning of a text, and what comes behind it.
fn mask_here<'a>(parts: &[&str], text: &'a str) -> Option<(String, &'a str)> {
    let (first, others) = parts.split_first()?;
    let mut rest = text.strip_prefix(first)?;
    if others.is_empty() {
        return Some((MASK.to_owned(), rest));
    }
    let mut replaced = (*first).to_owned();
    for part in others {
        // Quotes around what is meant stay, and belong to it.
        let quote = rest.chars().next().filter(|char| matches!(char, '"' | '\'' | '`'));
        let (word, behind) = match quote {
            Some(quote) => {
                let inside = rest.get(quote.len_utf8()..)?;
                let end = inside.find(quote).unwrap_or(inside.len());
                replaced.push(quote);
                inside.split_at(end)
            }
            None => rest.split_at(rest.find(ENDS).unwrap_or(rest.len())),
        };
        let upto = if part.is_empty() {
            word.len()
        } else {
            word.find(part).unwrap_or(word.len())
        };
        let (value, left) = word.split_at(upto);
        if value.is_empty() {
            return None;
        }
        replaced.push_str(MASK);
        let behind = text.get(text.len() - behind.len() - left.len()..)?;
        rest = behind.strip_prefix(part)?;
        replaced.push_str(part);
    }
    Some((replaced, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(patterns: &[&str], text: &str) -> String {
        Masks(patterns.iter().map(|pattern| (*pattern).to_owned()).collect()).apply(text)
    }

    #[test]
    fn what_a_star_stands_for_is_masked_up_to_the_next_blank_or_quote() {
        let patterns = ["--password *", "--password=*", "AKIA*", "hunter2"];
        for (text, expected) in [
            ("mysql --password geheim -u root", "mysql --password **** -u root"),
            ("mysql --password=geheim", "mysql --password=****"),
            ("x --password='a b' y", "x --password='****' y"),
            ("echo AKIA1 AKIA2\nAKIA3", "echo AKIA**** AKIA****\nAKIA****"),
            ("echo hunter2,hunter2", "echo ****,****"),
            ("mysql --password", "mysql --password"),
            ("echo AKIA", "echo AKIA"),
            ("ls", "ls"),
        ] {
            assert_eq!(masked(&patterns, text), expected, "{text}");
        }
    }

    #[test]
    fn a_pattern_may_go_on_behind_its_star() {
        let patterns = ["https://*@"];
        assert_eq!(
            masked(&patterns, "git clone https://ann:pw@host/x"),
            "git clone https://****@host/x"
        );
        assert_eq!(masked(&patterns, "curl https://host/x"), "curl https://host/x");
    }

    #[test]
    fn characters_of_any_length_are_kept_whole() {
        assert_eq!(masked(&["é *"], "éé é ü é"), "éé **** ü é");
        assert_eq!(masked(&["*", "", "**"], "ls -l"), "ls -l");
    }
}
