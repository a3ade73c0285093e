//! What the API document says of bodies beyond what their types can say: the patterns of texts, and what holds between fields.
use protocol::api::machines::{MAX_METADATA, MAX_METADATA_NAME, MAX_METADATA_VALUE};
use protocol::api::pattern;
use serde_json::{Map, Value, json};

/// Completes a document.
pub fn complete(document: &mut Value) {
    for (schema, more) in between_fields() {
        if let Some(schema) = document.pointer_mut(&format!("/components/schemas/{schema}")) {
            merge(schema, more);
        }
    }
    optional(document);
    patterns(document);
}

/// Says of a body that may be left out that it is no `null` then.
fn optional(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut);
    let bodies = items
        .flat_map(Map::values_mut)
        .filter_map(|operation| operation.pointer_mut("/requestBody/content"));
    for content in bodies.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let ways = content.pointer_mut("/schema/oneOf").and_then(Value::as_array_mut);
        let something = ways.and_then(|ways| {
            ways.iter()
                .position(|way| way["type"] != "null")
                .map(|at| ways.swap_remove(at))
        });
        if let Some(something) = something {
            content["schema"] = something;
        }
    }
}

/// Puts the pattern of a rule in place of its name.
fn patterns(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(pattern) = pattern_of(fields) {
                fields.remove("format");
                fields.insert("pattern".to_owned(), pattern.into());
            }
            fields.values_mut().for_each(patterns);
        }
        Value::Array(values) => values.iter_mut().for_each(patterns),
        _ => {}
    }
}

fn pattern_of(schema: &Map<String, Value>) -> Option<String> {
    let min = schema.get("minLength").and_then(Value::as_u64).unwrap_or_default();
    pattern::of(schema.get("format")?.as_str()?, usize::try_from(min).ok()?)
}

/// What is said of schemas, by their names, besides their fields.
fn between_fields() -> Vec<(&'static str, Value)> {
    let text = json!({"type": "string"});
    let line = json!({"type": "string", "minLength": 1, "format": "line"});
    let list = json!({"type": "array"});
    let some = json!({"type": "array", "minItems": 1});
    let name = json!({"type": "string", "minLength": 1, "maxLength": MAX_METADATA_NAME, "format": "line"});
    let fact = json!({"type": "string", "maxLength": MAX_METADATA_VALUE, "format": "text"});
    vec![
        ("Login", any_of(&[("email", &line), ("username", &line)])),
        ("ConfirmedBy", any_of(&[("password", &text), ("code", &text)])),
        ("GrantAccess", any_of(&[("user_id", &text), ("username", &text)])),
        ("RevokeAccess", any_of(&[("user_id", &text), ("username", &text)])),
        ("AddMembers", any_of(&[("user_id", &text), ("user_ids", &list)])),
        (
            "AssignRoles",
            any_of(&[
                ("role_ids", &list),
                ("roles", &some),
                ("portal_role", &text),
                ("machine_role", &text),
            ]),
        ),
        (
            "GrantAccess",
            json!({"not": both(("expires_at", &text), ("duration_hours", &json!({"type": "integer"})))}),
        ),
        (
            "CreateUser",
            json!({
                "if": {"required": ["password"], "properties": {"password": text}},
                "then": both(("first_name", &line), ("last_name", &line)),
            }),
        ),
        (
            "UpdateMachine",
            json!({"properties": {"metadata": {
                "maxProperties": MAX_METADATA, "propertyNames": name, "additionalProperties": fact,
            }}}),
        ),
    ]
}

/// One of these fields is there, and of this form.
fn any_of(fields: &[(&str, &Value)]) -> Value {
    let ways: Vec<Value> = fields
        .iter()
        .map(|(field, form)| json!({"required": [field], "properties": {*field: form}}))
        .collect();
    json!({ "anyOf": ways })
}

/// Both of these fields are there, and of this form.
fn both(one: (&str, &Value), other: (&str, &Value)) -> Value {
    json!({"required": [one.0, other.0], "properties": {one.0: one.1, other.0: other.1}})
}

/// Adds to a schema what another says, which counts where both say something.
fn merge(schema: &mut Value, more: Value) {
    match (schema, more) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, more) in more {
                merge(fields.entry(name).or_insert(Value::Null), more);
            }
        }
        (schema, more) => *schema = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_said_by_its_pattern_and_a_format_of_others_stays() {
        let mut document =
            json!({"a": [{"type": "string", "minLength": 1, "format": "line"}], "b": {"format": "date-time"}});
        patterns(&mut document);
        assert_eq!(document["a"][0]["pattern"], pattern::of("line", 1).unwrap());
        assert_eq!(document["a"][0].get("format"), None);
        assert_eq!(document["b"], json!({"format": "date-time"}));
    }

    #[test]
    fn a_body_that_may_be_left_out_is_no_null() {
        let body = json!({"content": {"application/json": {"schema": {"oneOf": [{"type": "null"}, {"$ref": "#/x"}]}}}});
        let mut document = json!({"paths": {"/x": {"delete": {"requestBody": body}}}});
        optional(&mut document);
        let schema = document.pointer("/paths/~1x/delete/requestBody/content/application~1json/schema");
        assert_eq!(schema, Some(&json!({"$ref": "#/x"})));
    }

    #[test]
    fn every_schema_that_more_is_said_of_is_in_the_document() {
        let document = super::super::document();
        for (schema, more) in between_fields() {
            let fields = &document["components"]["schemas"][schema]["properties"];
            let named = more["anyOf"]
                .as_array()
                .into_iter()
                .flatten()
                .chain([&more, &more["not"], &more["then"]]);
            for (field, _) in named.filter_map(|part| part["properties"].as_object()).flatten() {
                assert!(fields[field].is_object(), "{schema} has no {field}");
            }
        }
    }
}
