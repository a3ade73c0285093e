//! Tags of the inventory, and what they let people do with what has them.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::types::MAX_NAME;
use crate::api::validate::{Faults, Validate};

/// Most tags of an organization: lists have all of them.
pub const MAX_TAGS_OF_ORGANIZATION: i64 = 500;

/// Most permissions of a tag.
pub const MAX_TAG_PERMISSIONS: i64 = 100;

/// Longest name of a tag, in characters (contract).
const MAX_TAG: usize = 100;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagRef {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Its colour: `#e8984a`.
    pub color: Option<String>,
}

/// A tag, and how many have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// The tag.
    #[serde(flatten)]
    pub tag: TagRef,
    /// How many things have it.
    pub object_count: u64,
}

/// The tags of an organization, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagList {
    /// All of them: there are at most 500.
    pub tags: Vec<Tag>,
}

/// The tags of a thing, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectTags {
    /// All of them.
    pub tags: Vec<TagRef>,
}

/// Make a tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewTag {
    /// What it is called. White space around it is taken away.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// Its colour.
    #[serde(default)]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    pub color: Option<String>,
}

impl Validate for NewTag {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 1, MAX_TAG);
        check_color(self.color.as_deref(), faults);
    }
}

/// Change a tag. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SaveTag {
    /// What it is called.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// Its colour.
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    pub color: Option<String>,
}

impl Validate for SaveTag {
    fn validate(&self, faults: &mut Faults) {
        if let Some(name) = &self.name {
            faults.line("name", name, 1, MAX_TAG);
        }
        check_color(self.color.as_deref(), faults);
    }
}

fn check_color(color: Option<&str>, faults: &mut Faults) {
    let is_color = |text: &str| {
        let digits = text.strip_prefix('#').unwrap_or_default();
        digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit())
    };
    faults.check(color.is_none_or(is_color), "color", "must be # and six hex digits");
}

/// Give tags to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AddTags {
    /// Their numbers. Those that are no tag's are passed over.
    #[schema(max_items = 100)]
    pub tag_ids: Vec<i64>,
}

impl Validate for AddTags {
    fn validate(&self, faults: &mut Faults) {
        let most = super::objects::MAX_TAGS;
        faults.check(self.tag_ids.len() <= most, "tag_ids", format!("must be at most {most}"));
    }
}

/// What a tag lets people do with whatever has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagPermission {
    /// Its number.
    pub id: i64,
    /// The number of the role of these people.
    pub role_id: i64,
    /// What that is called.
    pub role_name: String,
    /// What they may do: `view`, `edit`, or the name of an action.
    pub permission: String,
}

/// What a tag lets people do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagPermissions {
    /// All of it.
    pub permissions: Vec<TagPermission>,
}

/// Let people do something with whatever has a tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewTagPermission {
    /// The number of the role of these people.
    pub role_id: i64,
    /// What they may do: `view`, `edit`, or the name of an action.
    #[schema(min_length = 1, max_length = 50, format = "line")]
    pub permission: String,
}

impl Validate for NewTagPermission {
    fn validate(&self, faults: &mut Faults) {
        faults.line("permission", &self.permission, 1, MAX_NAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn a_tag_has_a_name_and_a_colour_or_none() {
        let refused = |body: &str| refused_fields::<NewTag>(body);
        for good in [r##"{"name":" web ","color":"#e8984A"}"##, r#"{"name":"web"}"#] {
            assert!(refused(good).is_empty(), "{good}");
        }
        assert_eq!(refused(r#"{"name":"  "}"#), ["name"]);
        for color in ["red", "#fff", "#12345g", "e8984a", "#e8984a0"] {
            assert_eq!(
                refused(&format!(r#"{{"name":"a","color":"{color}"}}"#)),
                ["color"],
                "{color}"
            );
        }
    }
}
