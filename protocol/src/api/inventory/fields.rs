//! Fields of types: what kind of values things have.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::types::{MAX_LABEL, is_word};
use crate::api::validate::Faults;

/// Most choices of a field.
pub const MAX_OPTIONS: usize = 100;

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A line.
    String,
    /// Any text.
    Text,
    /// One of some words.
    Enum,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A time.
    Datetime,
    /// What nobody sees who does not ask for it.
    Secret,
    /// Anything.
    Json,
}

impl FieldType {
    /// Whether things are found by its values, and sorted by them.
    pub fn is_indexed(self) -> bool {
        !matches!(self, Self::Text | Self::Secret | Self::Json)
    }
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// What its value is called in `data`.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,49}$")]
    pub name: String,
    /// What kind of value it has.
    pub r#type: FieldType,
    /// What people call it; made of the name if nothing is said.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub label: String,
    /// Whether no thing is without it.
    #[serde(default)]
    pub required: bool,
    /// Whether no two things have the same.
    #[serde(default)]
    pub unique: bool,
    /// Whether it is looked at when things are searched.
    #[serde(default)]
    pub searchable: bool,
    /// Whether it stays as it was made.
    #[serde(default)]
    pub readonly: bool,
    /// Of an `enum`, the words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub options: Vec<String>,
    /// What forms begin with.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Value, required = false)]
    pub default: Value,
}

impl Field {
    /// Looks at the field that stands at some place of a type.
    pub(super) fn check(&self, at: &str, faults: &mut Faults) {
        let of = |part: &str| format!("{at}.{part}");
        faults.check(is_field_name(&self.name), of("name"), FIELD_RULE);
        faults.line(&of("label"), &self.label, 1, MAX_LABEL);
        faults.check(
            !self.unique || self.r#type.is_indexed(),
            of("unique"),
            "must be false of a field of this type",
        );
        faults.check(
            !self.searchable || self.r#type != FieldType::Secret,
            of("searchable"),
            "must be false of a secret",
        );
        faults.check(
            self.r#type != FieldType::Secret || self.default.is_null(),
            of("default"),
            "must be null of a secret",
        );
        let is_enum = self.r#type == FieldType::Enum;
        let (least, most) = if is_enum { (1, MAX_OPTIONS) } else { (0, 0) };
        faults.check(
            (least..=most).contains(&self.options.len()),
            of("options"),
            format!("must be 1 to {MAX_OPTIONS} of an enum, and none of another field"),
        );
        for option in self.options.iter().take(MAX_OPTIONS) {
            faults.line(&of("options"), option, 1, MAX_LABEL);
        }
    }
}

/// What a name of a field, or of a variable, must be.
pub(super) const FIELD_RULE: &str = "must begin with a letter or _ and have 1 to 50 of A-Z, a-z, 0-9 and _";

/// Whether a field may be called so. It becomes a part of paths in the database, and variables of Ansible's.
pub fn is_field_name(text: &str) -> bool {
    let others = |c: char| c.is_ascii_alphanumeric() || c == '_';
    is_word(text, |c| c.is_ascii_alphabetic() || c == '_', others)
}
