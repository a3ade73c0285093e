//! `protocol::json` hands a decoder its fields in order. A field with a second name would shift all that follow it, and one that nobody
//! knows would not be refused.
use std::path::Path;

use crate::source::files_below;

/// Decoded from other values, by name.
const BY_NAME: [&str; 2] = ["terminal/published.rs", "terminal/sessions_v1.rs"];

/// Whether a source has a field with a second name. Variants of an enum may have one.
fn has_second_name(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .windows(2)
        .any(|pair| pair[0].contains("alias = ") && pair[0].contains("serde(") && pair[1].contains(": "))
}

#[test]
fn fields_have_one_name_and_unknown_ones_are_let_be() {
    let mut seen = 0;
    for folder in ["protocol/src", "durable-objects/src", "src"] {
        for (file, text) in files_below(Path::new(folder)) {
            let by_name = folder == "protocol/src" && BY_NAME.contains(&file.as_str());
            assert!(by_name || !has_second_name(&text), "{folder}/{file}");
            assert!(
                !text.contains("serde(deny_unknown") && !text.contains(", deny_unknown"),
                "{folder}/{file}"
            );
            seen += text.matches("Deserialize").count();
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn a_second_name_is_found() {
    assert!(has_second_name(
        "struct A {\n    #[serde(alias = \"b\")]\n    pub a: u8,\n}"
    ));
    assert!(!has_second_name("enum A {\n    #[serde(alias = \"b\")]\n    B,\n}"));
}
