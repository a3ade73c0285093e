//! What a job wrote, as bodies have it: a JSON list of its lines.

/// How a body ends that has no output: it is the last of its fields.
const EMPTY: &str = "[]}";

/// A body of the database's with its output, of which these are the parts in order, and what is to be said at its end.
pub fn with_output<'a>(body: &str, parts: impl Iterator<Item = &'a str>, note: Option<&str>) -> String {
    let Some(begin) = body.strip_suffix(EMPTY) else {
        return body.to_owned();
    };
    let output: String = parts.collect();
    let mut text = String::with_capacity(begin.len() + output.len() + output.len() / 8 + 64);
    text.push_str(begin);
    text.push('[');
    for (index, line) in output.lines().chain(note).enumerate() {
        if index > 0 {
            text.push(',');
        }
        // A text has no way to fail to encode.
        text.push_str(&serde_json::to_string(line).unwrap_or_default());
    }
    text.push_str("]}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn output(parts: &[&str], note: Option<&str>) -> Value {
        let text = with_output(r#"{"id":"x","output":[]}"#, parts.iter().copied(), note);
        let mut body: Value = serde_json::from_str(&text).unwrap();
        body["output"].take()
    }

    #[test]
    fn lines_are_whole_wherever_parts_end() {
        assert_eq!(output(&[], None), json!([]));
        assert_eq!(
            output(&["a\nb", "c\r\n", "\"d\""], Some("[note]")),
            json!(["a", "bc", "\"d\"", "[note]"])
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(lines in proptest::collection::vec("[^\\r\\n]{0,6}", 0..10), cut in 0usize..40) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let cut = text.floor_char_boundary(cut);
            let (one, two) = text.split_at(cut);
            prop_assert_eq!(output(&[one, two], None), json!(lines));
        }
    }
}
