//! What things are: checked against their type, and made ready to be stored.
use std::collections::BTreeMap;

use chrono::DateTime;
use protocol::api::error::FieldError;
use protocol::api::inventory::MASK;
use protocol::api::inventory::fields::{Field, FieldType};
use protocol::api::inventory::objects::{MAX_DATA, MAX_LINE};
use protocol::api::inventory::types::Definition;
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde_json::{Map, Value};

use crate::platform::error::ApiError;
use crate::platform::secrets::SealingKey;

/// By which fields people know a thing, the best first (contract).
const NAMES: [&str; 4] = ["name", "hostname", "username", "service_name"];

/// Longest name of a thing, in characters: what of a longer one says enough.
const MAX_SHOWN: usize = 200;

/// A thing ready to be stored.
#[derive(Debug)]
pub struct Checked {
    pub name: String,
    /// JSON, with masks for secrets.
    pub data: String,
    /// JSON: sealed, by field.
    pub secrets: String,
    pub search: String,
    /// The fields that are otherwise than they were.
    pub changed: Vec<String>,
}

/// Where secrets of a thing are sealed for.
pub struct Place<'a> {
    pub sealing: &'a SealingKey,
    pub organization: &'a ObjectId,
    pub id: i64,
}

impl Place<'_> {
    /// What a secret is sealed with.
    pub fn associated(&self, field: &str) -> String {
        format!("inventory_objects.secrets:{}:{}:{field}", self.organization, self.id)
    }

    fn seal(&self, field: &str, secret: &str) -> Result<String, ApiError> {
        self.sealing
            .seal(&self.associated(field), &Secret::from(secret.to_owned()))
    }
}

/// A new thing. A type's `name` may be given beside the data, as a published client does.
pub fn new(
    definition: &Definition,
    mut data: Map<String, Value>,
    name: Option<String>,
    place: &Place<'_>,
) -> Result<Checked, ApiError> {
    named(definition, &mut data, name);
    let missing = definition
        .fields
        .iter()
        .find(|field| field.required && !data.contains_key(&field.name));
    if let Some(field) = missing {
        let words = format!("Missing required field: {}", field.name);
        return Err(ApiError::refused_field(&at(field), "is required", words));
    }
    ready(definition, &Map::new(), data, BTreeMap::new(), place)
}

/// A thing as it is after a change. What is absent stays, and so does what its type calls `readonly`.
pub fn changed(
    definition: &Definition,
    before: &Map<String, Value>,
    secrets: BTreeMap<String, String>,
    mut change: Map<String, Value>,
    name: Option<String>,
    place: &Place<'_>,
) -> Result<Checked, ApiError> {
    named(definition, &mut change, name);
    let mut data = before.clone();
    for (name, value) in change {
        if definition.field(&name).is_none_or(|field| !field.readonly) {
            data.insert(name, value);
        }
    }
    ready(definition, before, data, secrets, place)
}

/// What comes from somewhere by itself: what it says is so, the rest stays.
pub fn synced(
    definition: &Definition,
    before: &Map<String, Value>,
    secrets: BTreeMap<String, String>,
    said: Map<String, Value>,
    place: &Place<'_>,
) -> Result<Checked, ApiError> {
    let mut data = before.clone();
    data.extend(said);
    ready(definition, before, data, secrets, place)
}

/// The name that stands beside the data is the field of that name, if there is one.
fn named(definition: &Definition, data: &mut Map<String, Value>, name: Option<String>) {
    if let Some(name) = name.filter(|name| !name.is_empty() && definition.field("name").is_some()) {
        data.entry("name").or_insert(name.into());
    }
}

fn at(field: &Field) -> String {
    format!("data.{}", field.name)
}

fn ready(
    definition: &Definition,
    before: &Map<String, Value>,
    mut data: Map<String, Value>,
    mut secrets: BTreeMap<String, String>,
    place: &Place<'_>,
) -> Result<Checked, ApiError> {
    let mut faults = Vec::new();
    for field in &definition.fields {
        let Some(value) = data.get_mut(&field.name) else {
            continue;
        };
        match fit(field, value) {
            Ok(()) => {}
            Err(message) => faults.push(FieldError {
                field: at(field),
                message,
            }),
        }
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    let differs = |(name, value): &(&String, &Value)| before.get(*name) != Some(*value);
    let changed = data.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    for field in definition
        .fields
        .iter()
        .filter(|field| field.r#type == FieldType::Secret)
    {
        hide(field, &mut data, &mut secrets, place)?;
    }
    let (name, search) = (shown(definition, &data, place.id), search(definition, &data));
    let data = Value::Object(data).to_string();
    if data.len() > MAX_DATA {
        return Err(ApiError::invalid_field(
            "data",
            format!("must have at most {MAX_DATA} bytes as JSON"),
        ));
    }
    Ok(Checked {
        name,
        data,
        secrets: serde_json::to_string(&secrets).map_err(ApiError::internal)?,
        search,
        changed,
    })
}

/// Puts a mask in the place of a secret. An empty one is none; the mask itself stays what it stands for.
fn hide(
    field: &Field,
    data: &mut Map<String, Value>,
    secrets: &mut BTreeMap<String, String>,
    place: &Place<'_>,
) -> Result<(), ApiError> {
    match data.get(&field.name).and_then(Value::as_str) {
        Some(MASK) if secrets.contains_key(&field.name) => Ok(()),
        Some(MASK) => Err(ApiError::invalid_field(
            &at(field),
            "must not be what stands in place of a secret",
        )),
        Some("") | None => {
            secrets.remove(&field.name);
            Ok(())
        }
        Some(secret) => {
            secrets.insert(field.name.clone(), place.seal(&field.name, secret)?);
            data.insert(field.name.clone(), MASK.into());
            Ok(())
        }
    }
}

/// Whether a value is of a field's type; where a form has sent a text for it, it becomes one. Nothing, and an empty text, fit any (contract).
fn fit(field: &Field, value: &mut Value) -> Result<(), String> {
    let text = match &*value {
        Value::Null => return Ok(()),
        Value::String(text) if text.is_empty() => return Ok(()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let rule = |rule: &str| Err(format!("must be {rule}"));
    match (field.r#type, text) {
        (FieldType::Json, _) => Ok(()),
        (FieldType::String, Some(text)) => line(&text),
        (FieldType::Text | FieldType::Secret, Some(text)) if text.contains('\0') => rule("a text without NUL"),
        (FieldType::Text | FieldType::Secret, Some(_)) => Ok(()),
        (FieldType::String | FieldType::Text | FieldType::Secret, None) => rule("a text"),
        (FieldType::Enum, Some(text)) if field.options.contains(&text) => Ok(()),
        (FieldType::Enum, _) => rule(&format!("one of {}", field.options.join(", "))),
        (FieldType::Integer, None) if value.is_i64() => Ok(()),
        (FieldType::Integer, Some(text)) if text.parse::<i64>().is_ok() => {
            *value = text.parse::<i64>().unwrap_or_default().into();
            Ok(())
        }
        (FieldType::Integer, _) => rule("a whole number"),
        (FieldType::Boolean, None) if value.is_boolean() => Ok(()),
        (FieldType::Boolean, Some(text)) if matches!(text.as_str(), "true" | "false") => {
            *value = (text == "true").into();
            Ok(())
        }
        (FieldType::Boolean, _) => rule("true or false"),
        (FieldType::Datetime, Some(text)) if DateTime::parse_from_rfc3339(&text).is_ok() => Ok(()),
        (FieldType::Datetime, _) => rule("a time such as 2026-01-31T12:00:00Z"),
    }
}

fn line(text: &str) -> Result<(), String> {
    if text.chars().count() > MAX_LINE {
        return Err(format!("must have at most {MAX_LINE} characters"));
    }
    match text.chars().any(char::is_control) {
        true => Err("must not contain control characters".to_owned()),
        false => Ok(()),
    }
}

/// What people call a thing.
fn shown(definition: &Definition, data: &Map<String, Value>, id: i64) -> String {
    let searchable = definition.fields.iter().filter(|field| field.searchable);
    let names = NAMES.into_iter().chain(searchable.map(|field| field.name.as_str()));
    let mut known = names.filter(|name| {
        definition
            .field(name)
            .is_none_or(|field| field.r#type != FieldType::Secret)
    });
    let name = known.find_map(|name| {
        data.get(name)
            .and_then(Value::as_str)
            .filter(|name| !name.trim().is_empty())
    });
    match name {
        Some(name) => name.trim().chars().take(MAX_SHOWN).collect(),
        None => format!("#{id}"),
    }
}

/// What is looked at when things are searched.
fn search(definition: &Definition, data: &Map<String, Value>) -> String {
    let searchable = definition.fields.iter().filter(|field| field.searchable);
    let texts = searchable.filter_map(|field| match data.get(&field.name) {
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text.to_lowercase()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string().to_lowercase()),
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
