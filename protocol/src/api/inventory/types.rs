//! Types of things: which fields they have, what can be done with them, and where they come from.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions::TypeAction;
use super::fields::Field;
use super::{BASIC, REVEAL};
use crate::api::validate::{Faults, Validate};

/// Most types of an organization: each has some permissions of its own, which every list of permissions has.
pub const MAX_TYPES: i64 = 50;

/// Most fields of a type. Those that are sorted by take a row of an index for each thing.
pub const MAX_FIELDS: usize = 64;

/// Most actions of a type.
pub const MAX_ACTIONS: usize = 32;

/// Longest name of a field or an action, in characters.
pub const MAX_NAME: usize = 50;

/// Longest label, in characters (contract).
pub const MAX_LABEL: usize = 100;

/// Longest text about a type or an action, in characters.
pub const MAX_TEXT: usize = 500;

/// What stands in paths in the place of a type, and so is none (contract).
const RESERVED: [&str; 5] = ["types", "tags", "ws", "acl", "actions"];

/// From where things come by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncSource {
    /// The provider's instances.
    VultrInventory,
    /// What runners have.
    ServiceDiscovery,
    /// The accounts.
    UserSync,
    /// Jobs that have deployed something.
    DeploymentSync,
}

impl SyncSource {
    /// Its name, as definitions have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VultrInventory => "vultr_inventory",
            Self::ServiceDiscovery => "service_discovery",
            Self::UserSync => "user_sync",
            Self::DeploymentSync => "deployment_sync",
        }
    }
}

/// Where things of a type come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypeSync {
    /// From where.
    pub source: SyncSource,
}

/// What a type is, but for its name in paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Definition {
    /// What people call one thing of it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub label: String,
    /// A picture.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub icon: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500, format = "text")]
    pub description: String,
    /// What things of it have.
    #[schema(min_items = 1, max_items = 64)]
    pub fields: Vec<Field>,
    /// What can be done with them.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub actions: Vec<TypeAction>,
    /// Where they come from, if they come by themselves.
    #[serde(default)]
    pub sync: Option<TypeSync>,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryType {
    /// Its number.
    pub id: i64,
    /// Its name in paths.
    pub slug: String,
    /// What people call one thing of it.
    pub label: String,
    /// A picture.
    pub icon: String,
    /// What it is for.
    pub description: String,
    /// What things of it have.
    pub fields: Vec<Field>,
    /// What can be done with them.
    pub actions: Vec<TypeAction>,
    /// Where they come from, if they come by themselves.
    pub sync: Option<TypeSync>,
    /// Whether it comes with the product, and stays as it is.
    pub is_builtin: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// The types of an organization, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypeList {
    /// All of them: there are at most 50.
    pub types: Vec<InventoryType>,
}

/// Make a type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewType {
    /// Its name in paths, and in permissions.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,49}$")]
    pub slug: String,
    /// What people call one thing of it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub label: String,
    /// A picture.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub icon: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500, format = "text")]
    pub description: String,
    /// What things of it have.
    #[schema(min_items = 1, max_items = 64)]
    pub fields: Vec<Field>,
    /// What can be done with them.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub actions: Vec<TypeAction>,
}

impl NewType {
    /// Its name, and what it is.
    pub fn into_parts(self) -> (String, Definition) {
        let Self {
            slug,
            label,
            icon,
            description,
            fields,
            actions,
        } = self;
        let definition = Definition {
            label,
            icon,
            description,
            fields,
            actions,
            sync: None,
        };
        (slug, definition.labelled())
    }
}

impl Validate for NewType {
    fn validate(&self, faults: &mut Faults) {
        faults.check(is_slug(&self.slug), "slug", SLUG_RULE);
        self.clone().into_parts().1.validate(faults);
    }
}

/// What a name of a type must be.
const SLUG_RULE: &str =
    "must begin with a small letter, have 1 to 50 of a-z, 0-9, _ and -, and not be types, tags, ws, acl or actions";

/// Whether a type may be called so.
fn is_slug(text: &str) -> bool {
    is_word(
        text,
        |c| c.is_ascii_lowercase(),
        |c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'),
    ) && !RESERVED.contains(&text)
}

/// Whether a text is a word of at most [`MAX_NAME`] of some characters.
pub(super) fn is_word(text: &str, first: impl Fn(char) -> bool, others: impl Fn(char) -> bool) -> bool {
    text.len() <= MAX_NAME && text.starts_with(first) && text.chars().all(others)
}

/// What people call what has a name: the name, with capitals.
fn titled(name: &str) -> String {
    let mut label = String::with_capacity(name.len());
    for word in name.split('_').filter(|word| !word.is_empty()) {
        if !label.is_empty() {
            label.push(' ');
        }
        let mut letters = word.chars();
        label.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        label.push_str(letters.as_str());
    }
    label
}

impl Definition {
    /// The same, and everything has a label.
    fn labelled(mut self) -> Self {
        let fields = self.fields.iter_mut().map(|field| (&field.name, &mut field.label));
        let actions = self.actions.iter_mut().map(|action| (&action.name, &mut action.label));
        for (name, label) in fields.chain(actions) {
            if label.trim().is_empty() {
                *label = titled(name);
            }
        }
        self
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// An action by its name.
    pub fn action(&self, name: &str) -> Option<&TypeAction> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// Whether rules can be about this: whatever may be done with a thing of the type, and what parts of the console ask for (contract).
    pub fn has_right(&self, right: &str) -> bool {
        BASIC.contains(&right) && right != "create"
            || matches!(right, REVEAL | "config" | "files" | "ssh")
            || self.action(right).is_some()
    }
}

impl Validate for Definition {
    fn validate(&self, faults: &mut Faults) {
        faults.line("label", &self.label, 1, MAX_LABEL);
        faults.line("icon", &self.icon, 0, MAX_LABEL);
        faults.text("description", &self.description, MAX_TEXT);
        faults.check(
            (1..=MAX_FIELDS).contains(&self.fields.len()),
            "fields",
            format!("must be 1 to {MAX_FIELDS}"),
        );
        faults.check(
            self.actions.len() <= MAX_ACTIONS,
            "actions",
            format!("must be at most {MAX_ACTIONS}"),
        );
        for (index, field) in self.fields.iter().enumerate().take(MAX_FIELDS) {
            let is_first = self.fields.iter().take(index).all(|other| other.name != field.name);
            let at = format!("fields[{index}]");
            faults.check(is_first, format!("{at}.name"), "must not be another field's");
            field.check(&at, faults);
        }
        for (index, action) in self.actions.iter().enumerate().take(MAX_ACTIONS) {
            let is_first = self.actions.iter().take(index).all(|other| other.name != action.name);
            let at = format!("actions[{index}]");
            faults.check(is_first, format!("{at}.name"), "must not be another action's");
            action.check(self, &at, faults);
        }
    }
}

/// Change a type. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SaveType {
    /// What people call one thing of it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub label: Option<String>,
    /// A picture.
    #[schema(max_length = 100, format = "line")]
    pub icon: Option<String>,
    /// What it is for.
    #[schema(max_length = 500, format = "text")]
    pub description: Option<String>,
    /// All fields. What things have of one that is not among them any more stays with them, and is not looked at.
    #[schema(min_items = 1, max_items = 64)]
    pub fields: Option<Vec<Field>>,
    /// All actions.
    #[schema(max_items = 32)]
    pub actions: Option<Vec<TypeAction>>,
}

impl SaveType {
    /// The type as it is to be.
    pub fn apply(self, before: Definition) -> Definition {
        let after = Definition {
            label: self.label.unwrap_or(before.label),
            icon: self.icon.unwrap_or(before.icon),
            description: self.description.unwrap_or(before.description),
            fields: self.fields.unwrap_or(before.fields),
            actions: self.actions.unwrap_or(before.actions),
            sync: before.sync,
        };
        after.labelled()
    }
}

/// Whether the whole is in order is looked at once it is known what stays.
impl Validate for SaveType {
    fn validate(&self, _: &mut Faults) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut body = json!({"slug": "rack", "label": "Rack", "fields": [{"name": "name", "type": "string"}]});
        change(&mut body);
        crate::api::validate::refused_fields::<NewType>(&body.to_string())
    }

    #[test]
    fn a_type_has_a_name_that_no_path_has_and_fields() {
        assert!(faults(|_| ()).is_empty());
        for slug in ["", "Rack", "1rack", "types", "ws", "a b", &"x".repeat(51)] {
            assert_eq!(faults(|body| body["slug"] = json!(slug)), ["slug"], "{slug}");
        }
        assert_eq!(faults(|body| body["fields"] = json!([])), ["fields"]);
        let twice = json!([{"name": "a", "type": "string"}, {"name": "a", "type": "text"}]);
        assert_eq!(faults(|body| body["fields"] = twice), ["fields[1].name"]);
    }

    #[test]
    fn a_field_is_what_its_type_lets_it_be() {
        let of = |field: Value| faults(|body| body["fields"][0] = field);
        assert!(of(json!({"name": "os", "type": "enum", "options": ["a"], "unique": true})).is_empty());
        for (field, refused) in [
            (json!({"name": "a-b", "type": "string"}), "name"),
            (json!({"name": "a", "type": "enum"}), "options"),
            (json!({"name": "a", "type": "string", "options": ["x"]}), "options"),
            (json!({"name": "a", "type": "text", "unique": true}), "unique"),
            (json!({"name": "a", "type": "secret", "searchable": true}), "searchable"),
            (json!({"name": "a", "type": "secret", "default": "x"}), "default"),
        ] {
            assert_eq!(of(field.clone()), [format!("fields[0].{refused}")], "{field}");
        }
    }

    #[test]
    fn an_action_names_what_runs_and_where() {
        let of = |action: Value| faults(|body| body["actions"] = json!([action]));
        assert!(of(json!({"name": "go"})).is_empty());
        assert!(of(json!({"name": "go", "scope": "type", "service": "ops"})).is_empty());
        assert!(of(json!({"name": "go", "type": "playbook", "playbook": "/services/ops/a/b.yaml"})).is_empty());
        for (action, refused) in [
            (json!({"name": "edit"}), "name"),
            (json!({"name": "reveal"}), "name"),
            (json!({"name": "go", "script": "../x"}), "script"),
            (json!({"name": "go", "scope": "type"}), "service"),
            (json!({"name": "go", "service": "../x"}), "service"),
            (json!({"name": "go", "type": "playbook"}), "playbook"),
            (
                json!({"name": "go", "type": "playbook", "playbook": "/etc/a.yaml"}),
                "playbook",
            ),
            (json!({"name": "go", "playbook": "/services/ops/a.yaml"}), "playbook"),
            (json!({"name": "go", "vars_mapping": {"a b": ""}}), "vars_mapping"),
        ] {
            assert_eq!(of(action.clone()), [format!("actions[0].{refused}")], "{action}");
        }
    }

    #[test]
    fn what_has_no_label_is_called_by_its_name() {
        assert_eq!(titled("ip_address"), "Ip Address");
        let new: NewType = serde_json::from_value(json!({
            "slug": "rack", "label": "Rack", "fields": [{"name": "height_in_units", "type": "integer"}], "actions": [{"name": "run_it"}]
        }))
        .unwrap();
        let (_, definition) = new.into_parts();
        assert_eq!(definition.fields[0].label, "Height In Units");
        assert_eq!(definition.actions[0].label, "Run It");
    }
}
