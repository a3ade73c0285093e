//! Reading a person's YAML: what it says is shown as it is written there, and never written back.
use protocol::terminal::services::MAX_PROBLEM;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options};

/// `on`, `0644` and `1_000` are what people wrote, not a truth and two other numbers; of two equal keys no program would tell
/// which counts. Tags of Ansible, such as `!vault`, are for Ansible.
fn options() -> Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

/// What a text says; nothing if there is nothing in it. The error is for people.
pub fn read(text: &str) -> Result<Option<Value>, String> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| words(&error))
}

/// Why a text is not one document, if it is not.
pub fn problem(text: &str) -> Option<String> {
    let read = serde_saphyr::from_str_with_options::<IgnoredAny>(text, options());
    // What has nothing to say says it in one document.
    let only_comments = || {
        matches!(
            serde_saphyr::from_str_with_options::<Option<Value>>(text, options()),
            Ok(None)
        )
    };
    read.err().filter(|_| !only_comments()).map(|error| words(&error))
}

fn words(error: &serde_saphyr::Error) -> String {
    cut(&error.to_string())
}

/// The beginning of a text, on one line.
pub fn cut(text: &str) -> String {
    let mut left = MAX_PROBLEM;
    let fits = |c: &char| left.checked_sub(c.len_utf8()).map(|rest| left = rest).is_some();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take_while(fits)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_person_wrote_comes_out_as_written() {
        let text = "mode: 0644\nzip: 00123\nswitch: on\nno: NO\ncount: 1_000\ntime: 22:30\nversion: '3.10'\nport: 80\nyes: true\n";
        let expected = json!({
            "mode": "0644", "zip": "00123", "switch": "on", "no": "NO", "count": "1_000", "time": "22:30", "version": "3.10",
            "port": 80, "yes": true,
        });
        assert_eq!(read(text).unwrap(), Some(expected));
    }

    #[test]
    fn an_encrypted_value_is_one_document_and_stays_encrypted() {
        let text = "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nplain: x\n";
        assert_eq!(problem(text), None);
        let value = read(text).unwrap().unwrap();
        assert!(
            value["password"].as_str().unwrap().starts_with("$ANSIBLE_VAULT"),
            "{value}"
        );
    }

    #[test]
    fn equal_keys_are_refused_with_the_line() {
        let problem = problem("a: 1\nb: 2\na: 3\n").unwrap();
        assert!(problem.contains("line 3") || problem.contains("3:1"), "{problem}");
    }

    #[test]
    fn what_is_not_one_document_says_why_on_one_line() {
        for bad in ["a: [1", "a: 1\n---\nb: 2\n", "{a: 1", "a: b: c"] {
            let problem = problem(bad).unwrap_or_else(|| panic!("{bad:?} is one document"));
            assert!(!problem.contains('\n') && problem.len() <= MAX_PROBLEM, "{problem}");
        }
        for good in [
            "",
            "# nothing yet\n",
            "---\na: 1\n",
            "a: 1\n...\n",
            "- x\n",
            "just words",
        ] {
            assert_eq!(problem(good), None, "{good:?}");
        }
    }

    #[test]
    fn a_document_that_would_grow_without_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let of = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{of}]\n");
        }
        assert!(read(&bomb).is_err());
    }
}
