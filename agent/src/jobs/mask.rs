//! Taking secrets out of what a job writes, in every spelling in which programs show them, wherever one write ends and the next begins.
use std::collections::BTreeSet;

/// What stands in a secret's place.
pub const MASK: &[u8] = b"********";

/// Shortest line of a secret of several lines that is one by itself, in bytes: those of a key are longer, and shorter ones, such as `}`, are
/// in every other output, too.
const SHORTEST_LINE: usize = 4;

/// What bash's `%q` puts a backslash before.
const QUOTED: &[char] = &[
    ' ', '\t', '!', '"', '#', '$', '&', '\'', '(', ')', '*', ',', ';', '<', '>', '?', '[', '\\', ']', '^', '`', '{',
    '|', '}', '~',
];

/// The secrets of one job, and the end of its output that may be the beginning of one.
#[derive(Debug)]
pub struct Mask {
    /// The longest first.
    spellings: Vec<Vec<u8>>,
    /// Which bytes one begins with.
    first: [bool; 256],
    held: Vec<u8>,
}

impl Mask {
    /// Of these secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a String>) -> Self {
        let secrets = secrets.into_iter();
        let spelled: BTreeSet<String> = secrets.flat_map(|secret| spellings(secret)).collect();
        let mut spellings: Vec<Vec<u8>> = spelled.into_iter().map(String::into_bytes).collect();
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        let mut first = [false; 256];
        for byte in spellings.iter().filter_map(|spelling| spelling.first()) {
            first[usize::from(*byte)] = true;
        }
        Self {
            spellings,
            first,
            held: Vec::new(),
        }
    }

    /// What may be shown once this was written. The beginning of what may be a secret waits for what follows it.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.take(false)
    }

    /// What may be shown of the rest: nothing follows.
    pub fn finish(&mut self) -> Vec<u8> {
        self.take(true)
    }

    fn take(&mut self, last: bool) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut shown = Vec::with_capacity(held.len());
        let mut rest = held.as_slice();
        while let Some((byte, after)) = rest.split_first() {
            if !self.first[usize::from(*byte)] {
                shown.push(*byte);
                rest = after;
                continue;
            }
            // The longest first: one that may still become it comes before a shorter one that is there.
            let begun = |spelling: &&Vec<u8>| {
                rest.starts_with(spelling) || !last && rest.len() < spelling.len() && spelling.starts_with(rest)
            };
            match self.spellings.iter().find(begun) {
                Some(spelling) if rest.len() < spelling.len() => break,
                Some(spelling) => {
                    shown.extend_from_slice(MASK);
                    rest = &rest[spelling.len()..];
                }
                None => {
                    shown.push(*byte);
                    rest = after;
                }
            }
        }
        self.held = rest.to_vec();
        shown
    }
}

/// How a secret may be written: as it is, and each of its lines; within the quotes of a shell, as bash and as Python write them, with
/// backslashes, and as Python shows it, which Ansible does with the items of a loop; and each of these within JSON, with and without letters
/// beyond ASCII, as Ansible shows the command that a task has run.
fn spellings(secret: &str) -> Vec<String> {
    let lines = secret.lines().filter(|line| line.len() >= SHORTEST_LINE);
    let mut spelled = Vec::new();
    for text in lines.chain([secret]).filter(|text| !text.is_empty()) {
        let mut plain = vec![text.to_owned(), with_backslashes(text)];
        plain.extend([r"'\''", "'\"'\"'"].map(|quote| text.replace('\'', quote)));
        plain.extend(shown_by_python(text));
        for text in plain {
            let json = json(&text);
            spelled.extend([ascii(&json), json, text]);
        }
    }
    spelled
}

/// What Python's `repr` has between its quotes, of a text by itself or within another: which quotes those are, the whole decides. Of what is not
/// printed but escaped, the characters that texts of people have.
fn shown_by_python(text: &str) -> [String; 2] {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_control() || c.is_whitespace() && c != ' ' => shown.push_str(&match u32::from(c) {
                code @ ..=0xff => format!("\\x{code:02x}"),
                code => format!("\\u{code:04x}"),
            }),
            c => shown.push(c),
        }
    }
    [shown.replace('\'', "\\'"), shown]
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What JSON that is not to have letters beyond ASCII makes of them.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}

fn with_backslashes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if QUOTED.contains(&c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        let mut mask = Mask::of(&secrets);
        let mut shown = mask.push(text.as_bytes());
        shown.extend(mask.finish());
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_masked_as_it_is_and_as_programs_write_it() {
        let secret = "it's \"naïve\" \\o/ 🦀";
        for spelled in [
            secret.to_owned(),
            serde_json::to_string(secret).unwrap(),
            r#""it's \"na\u00efve\" \\o/ \ud83e\udd80""#.to_owned(),
            r#"'it'\''s "naïve" \o/ 🦀'"#.to_owned(),
            r#"'it'"'"'s "naïve" \o/ 🦀'"#.to_owned(),
            r#"it\'s\ \"naïve\"\ \\o/\ 🦀"#.to_owned(),
            // An item of a loop, in words of Ansible's.
            r#"{'text': 'it\'s "naïve" \\o/ 🦀'}"#.to_owned(),
            // The command of a task that has failed.
            r#"{"cmd": "echo 'it'\"'\"'s \"naïve\" \\o/ 🦀'"}"#.to_owned(),
        ] {
            let shown = masked(&[secret], &format!("a {spelled} b"));
            assert!(
                !shown.contains("it") && shown.contains("********"),
                "{spelled}: {shown}"
            );
            assert!(shown.starts_with("a ") && shown.ends_with(" b"), "{shown}");
        }
    }

    #[test]
    fn each_line_of_a_secret_is_one_but_not_those_that_everything_has() {
        let key = "-----BEGIN-----\nabcdef\n}\n-----END-----\n";
        let shown = masked(&[key], "x abcdef y } z\n-----BEGIN-----\n");
        assert_eq!(shown, "x ******** y } z\n********\n");
        assert_eq!(masked(&[key], &format!("<{key}>")), "<********>");
        assert_eq!(masked(&[key], &serde_json::to_string(key).unwrap()), "\"********\"");
    }

    #[test]
    fn what_python_escapes_of_a_secret_is_masked_with_it() {
        let secret = "a\tb\r\nc'd\u{85}e\u{2028}\u{7f}f";
        for shown in [
            r#"['x', "a\tb\r\nc'd\x85e\u2028\x7ff"]"#,
            r#"['"', 'a\tb\r\nc\'d\x85e\u2028\x7ff']"#,
        ] {
            let masked = masked(&[secret], shown);
            assert!(masked.contains("********") && !masked.contains("85e"), "{masked}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_and_a_beginning_of_one_comes_when_it_is_none() {
        assert_eq!(masked(&[], "plain"), "plain");
        assert_eq!(masked(&[""], "plain"), "plain");
        let mut mask = Mask::of(&["hunter2".to_owned()]);
        assert_eq!(mask.push(b"go hunt"), b"go ");
        assert_eq!(mask.push(b"ing "), b"hunting ");
        assert_eq!(mask.push(b"hunter"), b"");
        assert_eq!(mask.push(b"2"), MASK);
        assert_eq!(mask.push(b"hun"), b"");
        assert_eq!(mask.finish(), b"hun");
    }

    #[test]
    fn of_two_secrets_that_begin_alike_the_longer_is_masked_whole() {
        assert_eq!(masked(&["abc", "abcdef"], "abcdef abcd"), "******** ********d");
    }

    proptest! {
        #[test]
        fn no_secret_is_shown_however_the_output_is_cut_and_the_cuts_do_not_show(
            secrets in proptest::collection::vec("[ab'\"\\n ]{1,6}", 1..4),
            parts in proptest::collection::vec("[ab'\"\\n c]{0,8}", 0..12),
        ) {
            let whole = parts.concat();
            let mut mask = Mask::of(&secrets);
            let mut shown = Vec::new();
            for part in &parts {
                shown.extend(mask.push(part.as_bytes()));
            }
            shown.extend(mask.finish());
            let shown = String::from_utf8(shown).unwrap();
            for secret in &secrets {
                prop_assert!(!shown.contains(secret), "{:?} in {:?}", secret, shown);
            }
            let mut at_once = Mask::of(&secrets);
            let mut expected = at_once.push(whole.as_bytes());
            expected.extend(at_once.finish());
            prop_assert_eq!(shown.as_bytes(), &expected[..]);
        }

        #[test]
        fn whatever_a_secret_is_its_json_shows_nothing_of_it(secret in "\\PC{4,20}", before in "[xyz ]{0,5}") {
            prop_assume!(!secret.contains('*'));
            let line = serde_json::json!({"msg": format!("{before}{secret}")}).to_string();
            let shown = masked(&[&secret], &line);
            let spelled = json(&secret);
            prop_assert!(!shown.contains(&spelled), "{spelled} in {shown}");
        }
    }
}
