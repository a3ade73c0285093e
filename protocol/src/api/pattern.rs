//! The rules of texts ([`super::validate`]) as the API document says them: as patterns of ECMA-262.
//!
//! A field names its rule where it says its bounds, such as `#[schema(min_length = 1, max_length = 100, format = "line")]`; the
//! document has the pattern in place of the name. Characters are written as numbers, because `\s` means others in each language.

/// What is no control character, without the brackets around it.
const PLAIN: &str = r"^\u0000-\u001f\u007f-\u009f";

/// What is neither a control character nor white space, without the brackets around it.
const INK: &str = r"^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// White space, as Unicode has it.
const SPACE: &str = r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// The pattern of a rule, for texts of at least `min` characters; nothing if there is no such rule.
pub fn of(rule: &str, min: usize) -> Option<String> {
    match rule {
        "line" => Some(line("", min)),
        // A line that becomes a part of an address.
        "line-without-slash" => Some(line("/", min)),
        // A line that a slug is made of.
        "line-with-a-letter" => Some(format!("^[{PLAIN}]*[A-Za-z0-9][{PLAIN}]*$")),
        "text" => Some(r"^[^\u0000]*$".to_owned()),
        // More than white space, which control characters are, too.
        "text-with-ink" => Some(format!(r"^[^\u0000]*[^\u0000{SPACE}][^\u0000]*$")),
        "mail" => Some(format!("^{}$", mail())),
        "mail-or-empty" => Some(format!("^({})?$", mail())),
        _ => None,
    }
}

/// A line without the characters of `not`: without white space around it, it has at least `min`.
fn line(not: &str, min: usize) -> String {
    let (plain, ink) = (format!("[{PLAIN}{not}]"), format!("[{INK}{not}]"));
    match min {
        0 => format!("^{plain}*$"),
        1 => format!("^{plain}*{ink}{plain}*$"),
        _ => format!("^{plain}*{ink}{plain}{{{},}}{ink}{plain}*$", min - 2),
    }
}

fn mail() -> String {
    format!("[{INK}@]+@[{INK}@.]+(\\.[{INK}@.]+)+")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::*;
    use crate::api::auth::slug;
    use crate::api::validate::{Faults, is_email};

    /// Texts that a rule's pattern has.
    fn texts(rule: &str, min: usize) -> impl Strategy<Value = String> {
        let pattern = of(rule, min).unwrap();
        string_regex(pattern.trim_matches(['^', '$'])).unwrap()
    }

    fn faults(check: impl FnOnce(&mut Faults)) -> usize {
        let mut faults = Faults::default();
        check(&mut faults);
        faults.into_vec().len()
    }

    proptest! {
        #[test]
        fn what_a_pattern_has_its_rule_accepts(
            any in texts("line", 0), one in texts("line", 1), three in texts("line", 3), text in texts("text", 0),
            said in texts("text-with-ink", 1),
            mail in texts("mail", 0), word in texts("line-with-a-letter", 1), name in texts("line-without-slash", 3),
        ) {
            for (line, min) in [(&any, 0), (&one, 1), (&three, 3), (&name, 3)] {
                prop_assert_eq!(faults(|faults| faults.line("it", line, min, 100_000)), 0, "{:?}", line);
            }
            prop_assert!(!name.contains('/'));
            prop_assert!(!slug(&word).is_empty());
            prop_assert!(!said.trim().is_empty());
            for text in [&text, &said] {
                prop_assert_eq!(faults(|faults| faults.text("it", text, 100_000)), 0, "{:?}", text);
            }
            prop_assert!(is_email(&mail), "{:?}", mail);
        }
    }
}
