//! What a script is given: checked against what `scripts.yaml` says that it takes, and made into variables.
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Inputs of one job. A script that takes more takes a file.
const MAX_INPUTS: usize = 64;

/// Longest value, in bytes: Linux takes no variable of more than 128 KiB, name included.
const MAX_VALUE: usize = 64 * 1024;

/// What all values have together, in bytes: a quarter of the least that Linux takes for arguments and environment of a program.
const MAX_VALUES: usize = 256 * 1024;

/// Longest name, in bytes.
const MAX_NAME: usize = 100;

/// What the names of variables begin with (contract).
const PREFIX: &str = "INPUT_";

/// The input that says who runs a script, unless it is given (contract).
const USERNAME: &str = "INPUT_USERNAME";

/// What a job is given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// By the names of variables.
    pub environment: BTreeMap<String, String>,
    /// Which values must not be seen.
    pub secrets: Vec<String>,
}

impl Inputs {
    /// What a job has that takes nothing.
    pub fn of(username: &str) -> Self {
        Self {
            environment: BTreeMap::from([(USERNAME.to_owned(), username.to_owned())]),
            secrets: Vec::new(),
        }
    }

    /// What `script`, an entry of `scripts.yaml`, is given. The error names the input.
    pub fn check(script: &Value, given: &Map<String, Value>, username: &str) -> Result<Self, String> {
        let declared = script
            .get("inputs")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let name = |input: &Value| input.get("name").and_then(Value::as_str).map(str::to_owned);
        if given.len() > MAX_INPUTS {
            return Err(format!("inputs must be at most {MAX_INPUTS}"));
        }
        for input in declared {
            let is_required = input.get("required").is_some_and(is_true);
            if let Some(name) = name(input).filter(|_| is_required)
                && given.get(&name).is_none_or(Value::is_null)
            {
                return Err(format!("Missing required input: {name}"));
            }
        }
        let (mut inputs, mut total) = (Self::default(), 0);
        for (key, value) in given {
            if !is_name(key) {
                return Err(format!(
                    "Input name '{}' must be letters, digits and underscores, not begin with a digit, and have at most {MAX_NAME}",
                    key.chars().take(MAX_NAME).collect::<String>()
                ));
            }
            let declared = declared.iter().find(|input| name(input).as_deref() == Some(key));
            let kind = declared.and_then(|input| input.get("type")).and_then(Value::as_str);
            let Some(text) = text_of(declared, kind, value).map_err(|fault| format!("Input '{key}' {fault}"))? else {
                continue;
            };
            total += text.len();
            if text.contains('\0') {
                return Err(format!("Input '{key}' must not contain NUL characters"));
            }
            if text.len() > MAX_VALUE || total > MAX_VALUES {
                return Err(format!(
                    "Input '{key}' is too long: {MAX_VALUE} bytes for one, and {MAX_VALUES} for all, are the most"
                ));
            }
            if kind == Some("password") && !text.is_empty() {
                inputs.secrets.push(text.clone());
            }
            let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
            if inputs.environment.insert(variable, text).is_some() {
                return Err(format!("Input '{key}' is given twice, in capitals and without"));
            }
        }
        inputs
            .environment
            .entry(USERNAME.to_owned())
            .or_insert_with(|| username.to_owned());
        Ok(inputs)
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= MAX_NAME
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// YAML is told of as people wrote it, where `yes` is a text.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on"),
        _ => false,
    }
}

/// The text of a value, if its type takes it; nothing of null, which is as good as absent.
fn text_of(declared: Option<&Value>, kind: Option<&str>, value: &Value) -> Result<Option<String>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let text = match kind {
        Some("list") => list(value)?,
        Some("select") => select(declared, value)?,
        Some("string" | "password") => {
            scalar(value).ok_or("must be a text, a number or a truth value, and no list or object")?
        }
        // A type that is not known is a text box, or a choice of several.
        _ => any(value),
    };
    Ok(Some(text))
}

fn list(value: &Value) -> Result<String, String> {
    const RULE: &str = "must be a list of texts, none of which is empty";
    let items = value.as_array().ok_or(RULE)?.iter();
    let texts: Option<Vec<String>> = items.map(|item| scalar(item).filter(|text| !text.is_empty())).collect();
    Ok(texts.ok_or(RULE)?.join(","))
}

fn select(declared: Option<&Value>, value: &Value) -> Result<String, String> {
    let options = declared
        .and_then(|input| input.get("options"))
        .and_then(Value::as_array);
    // An option is its value, or an object that has one and words for people.
    let options: Vec<String> = options
        .into_iter()
        .flatten()
        .filter_map(|option| scalar(option.get("value").unwrap_or(option)))
        .collect();
    let chosen = scalar(value).filter(|text| options.contains(text) || text.is_empty() && !requires(declared));
    chosen.ok_or_else(|| format!("must be one of: {}", options.join(", ")))
}

fn requires(declared: Option<&Value>) -> bool {
    declared.and_then(|input| input.get("required")).is_some_and(is_true)
}

fn any(value: &Value) -> String {
    match (scalar(value), value) {
        (Some(text), _) => text,
        (None, Value::Array(items)) => items.iter().map(any).collect::<Vec<_>>().join(","),
        (None, other) => other.to_string(),
    }
}

/// Truth values are Python's (contract).
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn script() -> Value {
        json!({"name": "add-user", "inputs": [
            {"name": "username", "type": "string", "required": true},
            {"name": "size", "type": "select", "options": ["small", {"value": "large", "label": "Large"}, 3]},
            {"name": "groups", "type": "list"},
            {"name": "secret", "type": "password"},
            {"name": "keys", "type": "ssh_key_select", "required": "no"},
        ]})
    }

    fn check(given: Value) -> Result<BTreeMap<String, String>, String> {
        let mut given = given;
        given["username"] = json!("jake");
        let inputs = Inputs::check(&script(), given.as_object().unwrap(), "ann")?;
        Ok(inputs.environment)
    }

    #[test]
    fn values_become_texts_by_their_type() {
        let given = json!({"size": "large", "groups": ["a", 2], "keys": ["7", "8"], "extra": {"k": 1}, "flag": true, "none": null});
        let environment = check(given).unwrap();
        let expected = [
            ("INPUT_EXTRA", r#"{"k":1}"#),
            ("INPUT_FLAG", "True"),
            ("INPUT_GROUPS", "a,2"),
            ("INPUT_KEYS", "7,8"),
            ("INPUT_SIZE", "large"),
            ("INPUT_USERNAME", "jake"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(environment, BTreeMap::from(expected));
        assert_eq!(check(json!({"size": 3})).unwrap()["INPUT_SIZE"], "3");
        assert_eq!(check(json!({"size": ""})).unwrap()["INPUT_SIZE"], "");
    }

    #[test]
    fn what_a_type_does_not_take_is_refused_by_the_name_of_the_input() {
        for (given, words) in [
            (
                json!({"size": "medium"}),
                "Input 'size' must be one of: small, large, 3",
            ),
            (
                json!({"groups": "a"}),
                "Input 'groups' must be a list of texts, none of which is empty",
            ),
            (json!({"groups": ["a", ""]}), "Input 'groups' must be a list"),
            (json!({"secret": ["a"]}), "Input 'secret' must be a text"),
            (json!({"a-b": "x"}), "Input name 'a-b' must be letters"),
            (json!({"1a": "x"}), "Input name '1a' must be letters"),
            (json!({"": "x"}), "Input name '' must be letters"),
            (json!({"x": "a\0b"}), "Input 'x' must not contain NUL"),
            (
                json!({"x": "a".repeat(MAX_VALUE + 1)}),
                "Input 'x' is too long: 65536 bytes",
            ),
            (json!({"x": "a", "X": "b"}), "is given twice"),
        ] {
            let fault = check(given).unwrap_err();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn what_is_required_is_there_though_it_may_be_empty() {
        let given = |value: Value| {
            let given = json!({"username": value});
            Inputs::check(&script(), given.as_object().unwrap(), "ann")
        };
        assert_eq!(given(json!("")).unwrap().environment["INPUT_USERNAME"], "");
        for inputs in [json!({}), json!({"username": null})] {
            let missing = Inputs::check(&script(), inputs.as_object().unwrap(), "ann").unwrap_err();
            assert_eq!(missing, "Missing required input: username");
        }
    }

    #[test]
    fn who_runs_it_is_an_input_unless_it_is_given_and_passwords_are_secrets() {
        let inputs = Inputs::check(&json!({}), &Map::new(), "ann").unwrap();
        assert_eq!(inputs, Inputs::of("ann"));
        let given = json!({"username": "jake", "secret": "hunter2"});
        let inputs = Inputs::check(&script(), given.as_object().unwrap(), "ann").unwrap();
        assert_eq!(inputs.secrets, ["hunter2"]);
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_variable(name in "\\PC{0,12}", value in "\\PC{0,12}\0?") {
            let given = Map::from_iter([(name, Value::from(value))]);
            if let Ok(inputs) = Inputs::check(&json!({}), &given, "ann") {
                for (name, value) in inputs.environment {
                    prop_assert!(name.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty()));
                    prop_assert!(!name.contains('=') && !value.contains('\0'));
                }
            }
        }
    }
}
