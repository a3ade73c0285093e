//! What a playbook is given of a thing: templates, with the thing's values in them.
use std::collections::BTreeMap;

use protocol::api::inventory::fields::FieldType;
use protocol::api::inventory::template;
use protocol::api::inventory::types::Definition;
use serde_json::{Map, Value};

/// A thing that something is done with.
#[derive(Debug)]
pub struct Thing {
    pub id: i64,
    /// With masks for secrets.
    pub data: Map<String, Value>,
    /// Sealed, by field.
    pub secrets: BTreeMap<String, String>,
}

/// Variables, and which of the values in them must not be seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Variables {
    pub values: BTreeMap<String, String>,
    pub secrets: Vec<String>,
}

impl Variables {
    /// What templates give for a thing, or for all of a type. `open` gives a secret of the thing. A field that is not there is empty.
    pub fn fill<E>(
        templates: &BTreeMap<String, String>,
        definition: &Definition,
        thing: Option<&Thing>,
        open: impl Fn(&Thing, &str) -> Result<Option<String>, E>,
    ) -> Result<Self, E> {
        let mut variables = Self::default();
        for (name, template) in templates {
            let mut filled = String::new();
            let mut rest = template.as_str();
            while let Some((before, field, after)) = template::next(rest) {
                filled.push_str(before);
                if let Some(thing) = thing {
                    let is_secret = definition
                        .field(field)
                        .is_some_and(|known| known.r#type == FieldType::Secret);
                    let value = match is_secret {
                        true => open(thing, field)?.unwrap_or_default(),
                        false => text(thing.data.get(field)),
                    };
                    filled.push_str(&value);
                    if is_secret && !value.is_empty() && !variables.secrets.contains(&value) {
                        variables.secrets.push(value);
                    }
                }
                rest = after;
            }
            filled.push_str(rest);
            variables.values.insert(name.clone(), filled);
        }
        Ok(variables)
    }
}

/// A value as text. Truth values are Python's, as those of a script's inputs are (contract).
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => "True".to_owned(),
        Some(Value::Bool(false)) => "False".to_owned(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use serde_json::json;

    fn filled(template: &str) -> Variables {
        let definition = serde_json::from_value(json!({"label": "Box", "fields": [
            {"name": "name", "type": "string"}, {"name": "key", "type": "secret"}, {"name": "on", "type": "boolean"}
        ]}));
        let thing = Thing {
            id: 5,
            data: json!({"name": "web", "key": "••••••••", "on": true, "size": 3, "tags": ["a"], "none": null})
                .as_object()
                .unwrap()
                .clone(),
            secrets: BTreeMap::from([("key".to_owned(), "sealed".to_owned())]),
        };
        let open = |thing: &Thing, field: &str| {
            Ok::<_, Infallible>(thing.secrets.get(field).map(|sealed| format!("open {sealed}")))
        };
        let templates = BTreeMap::from([("v".to_owned(), template.to_owned())]);
        let Ok(variables) = Variables::fill(&templates, &definition.unwrap(), Some(&thing), open);
        variables
    }

    #[test]
    fn fields_are_replaced_with_one_space_on_both_sides_and_nothing_else_is() {
        for (template, value) in [
            ("{{ name }}", "web"),
            ("a {{ name }}-{{ size }} b", "a web-3 b"),
            ("{{ on }} {{ tags }} {{ none }}|{{ missing }}|", "True [\"a\"] ||"),
            ("{{name}} {{  name }} {{ name  }}", "{{name}} {{  name }} {{ name  }}"),
            ("{{ {{ name }} }}", "{{ web }}"),
            ("{{ ", "{{ "),
            ("{{  }}", "{{  }}"),
            ("{{ name | upper }}", "{{ name | upper }}"),
            ("ü{{ name }}ü", "üwebü"),
        ] {
            assert_eq!(filled(template).values["v"], value, "{template}");
        }
    }

    #[test]
    fn a_secret_is_opened_and_said_to_be_one() {
        let variables = filled("{{ name }}:{{ key }}:{{ key }}");
        assert_eq!(variables.values["v"], "web:open sealed:open sealed");
        assert_eq!(variables.secrets, ["open sealed"]);
    }

    #[test]
    fn of_all_of_a_type_there_are_no_values() {
        let definition = serde_json::from_value(json!({"label": "Box", "fields": []})).unwrap();
        let templates = BTreeMap::from([("v".to_owned(), "a{{ name }}b".to_owned())]);
        let open = |_: &Thing, _: &str| Ok::<_, Infallible>(None);
        let Ok(variables) = Variables::fill(&templates, &definition, None, open);
        assert_eq!(variables.values["v"], "ab");
    }
}
