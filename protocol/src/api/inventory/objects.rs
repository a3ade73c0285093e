//! Things of the inventory.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::rules::AclRule;
use super::tags::TagRef;
use crate::api::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Most things of an organization.
pub const MAX_OBJECTS: i64 = 200_000;

/// Longest JSON of what a thing is, in bytes: what a list of 500 has is far below what D1 gives.
pub const MAX_DATA: usize = 32 * 1024;

/// Most values of a thing, with those that its type has no field for.
pub const MAX_VALUES: usize = 128;

/// Longest line, in characters.
pub const MAX_LINE: usize = 1000;

/// Most tags of a thing.
pub const MAX_TAGS: usize = 100;

/// A thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InventoryObject {
    /// Its number.
    pub id: i64,
    /// The number of its type.
    pub type_id: i64,
    /// Its type.
    pub type_slug: String,
    /// What people call it.
    pub name: String,
    /// What it is, by field. In place of a secret that is set there is `••••••••`.
    pub data: Map<String, Value>,
    /// Its tags, by name.
    pub tags: Vec<TagRef>,
    /// Who made it, as long as the account is there; nobody if it came by itself.
    pub created_by: Option<ObjectId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A thing, and what the caller may do with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InventoryObjectDetail {
    /// The thing.
    #[serde(flatten)]
    pub object: InventoryObject,
    /// What the caller may do with it: `view`, `edit`, `delete`, `reveal` and the actions of its type.
    pub may: Vec<String>,
    /// The rules about it, for whoever may see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl_rules: Option<Vec<AclRule>>,
}

/// A page of things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ObjectList {
    /// The things.
    pub objects: Vec<InventoryObject>,
    /// How many there are in all that the caller may see.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub per_page: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// Make a thing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct NewObject {
    /// What it is, by field. What the type has no field for is kept.
    pub data: Map<String, Value>,
    /// Its `name`, if the type has such a field and `data` none.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub name: Option<String>,
    /// The numbers of its tags. Those that are no tag's are passed over.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub tag_ids: Vec<i64>,
}

impl Validate for NewObject {
    fn validate(&self, faults: &mut Faults) {
        check_data(&self.data, faults);
        check_tags(&self.tag_ids, faults);
    }
}

/// Change a thing. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct SaveObject {
    /// What changes, by field. Fields that are `readonly` stay as they are, and so does a secret for which `••••••••` is sent.
    pub data: Option<Map<String, Value>>,
    /// Its `name`, if the type has such a field and `data` none.
    #[schema(max_length = 1000)]
    pub name: Option<String>,
    /// The numbers of all its tags. Those that are no tag's are passed over.
    #[schema(max_items = 100)]
    pub tag_ids: Option<Vec<i64>>,
}

impl Validate for SaveObject {
    fn validate(&self, faults: &mut Faults) {
        if let Some(data) = &self.data {
            check_data(data, faults);
        }
        check_tags(self.tag_ids.as_deref().unwrap_or_default(), faults);
    }
}

fn check_data(data: &Map<String, Value>, faults: &mut Faults) {
    faults.check(
        data.len() <= MAX_VALUES,
        "data",
        format!("must have at most {MAX_VALUES} fields"),
    );
    for name in data.keys() {
        let is_name = (1..=MAX_LINE).contains(&name.len()) && !name.chars().any(char::is_control);
        faults.check(is_name, "data", "must have names without control characters");
    }
}

fn check_tags(tags: &[i64], faults: &mut Faults) {
    faults.check(tags.len() <= MAX_TAGS, "tag_ids", format!("must be at most {MAX_TAGS}"));
}

/// Ask for a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Reveal {
    /// Which field.
    #[schema(min_length = 1, max_length = 50, format = "line")]
    pub field: String,
}

impl Validate for Reveal {
    fn validate(&self, faults: &mut Faults) {
        faults.line("field", &self.field, 1, super::types::MAX_NAME);
    }
}

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revealed {
    /// Which field.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// Have an action done. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct RunAction {
    /// Of `dynamic_scripts`, which script; `deploy` if nothing is said.
    #[schema(max_length = 100, format = "line")]
    pub script: Option<String>,
    /// What it is given.
    pub inputs: Option<Map<String, Value>>,
}

impl Validate for RunAction {
    fn validate(&self, faults: &mut Faults) {
        faults.line("script", self.script.as_deref().unwrap_or_default(), 0, 100);
    }
}

/// That what a type's things come from was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Synced {
    /// `true`.
    pub ok: bool,
}

/// That something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// What.
    pub status: String,
}
