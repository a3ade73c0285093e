//! Types of things: which fields they have, and what can be done with them.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{BASIC, REVEAL};
use crate::api::validate::{Faults, Validate};
use crate::terminal::jobs::{is_script_file, playbook_of};
use crate::terminal::services::is_service_name;

/// Most types of an organization: each has some permissions of its own, which every list of permissions has.
pub const MAX_TYPES: i64 = 50;

/// Most fields of a type. Those that are sorted by take a row of an index for each thing.
pub const MAX_FIELDS: usize = 64;

/// Most actions of a type.
pub const MAX_ACTIONS: usize = 32;

/// Most choices of a field.
pub const MAX_OPTIONS: usize = 100;

/// Longest name of a field or an action, in characters.
pub const MAX_NAME: usize = 50;

/// Longest label, in characters (contract).
pub const MAX_LABEL: usize = 100;

/// Longest text about a type or an action, in characters.
pub const MAX_TEXT: usize = 500;

/// Most variables of a playbook.
pub const MAX_VARIABLES: usize = 32;

/// What stands in paths in the place of a type, and so is none (contract).
const RESERVED: [&str; 5] = ["types", "tags", "ws", "acl", "actions"];

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

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionType {
    /// A script of a service runs on its runner.
    Script,
    /// The same, which one is said when it is asked for.
    DynamicScripts,
    /// The instances of a service are halted.
    ScriptStop,
    /// A playbook runs on a runner.
    Playbook,
    /// A terminal is opened.
    Ssh,
    /// What the edge does itself.
    Builtin,
    /// The console shows configs.
    BuiltinConfig,
    /// The console shows files.
    BuiltinFiles,
}

impl ActionType {
    /// Its name, as definitions have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::DynamicScripts => "dynamic_scripts",
            Self::ScriptStop => "script_stop",
            Self::Playbook => "playbook",
            Self::Ssh => "ssh",
            Self::Builtin => "builtin",
            Self::BuiltinConfig => "builtin_config",
            Self::BuiltinFiles => "builtin_files",
        }
    }
}

/// What an action is done with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One thing.
    #[default]
    Object,
    /// All of the type.
    Type,
}

/// Something that can be done with things of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypeAction {
    /// What it is called in paths, and in permissions.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$")]
    pub name: String,
    /// What people call it; made of the name if nothing is said.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub label: String,
    /// What it does.
    #[serde(default = "script")]
    pub r#type: ActionType,
    /// What it is done with.
    #[serde(default)]
    pub scope: Scope,
    /// A picture.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 100, format = "line")]
    pub icon: String,
    /// What somebody has to agree to first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 500, format = "line")]
    pub confirm: String,
    /// Of a `script`, the file; `deploy.sh` if nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub script: String,
    /// Of which service; that of the thing's `name` if nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Of a `playbook`, the file: `/services/<service>/<file>`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub playbook: String,
    /// What it is given: variables, with `{{ field }}` for values of the thing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars_mapping: BTreeMap<String, String>,
    /// Whether something is lost by it.
    #[serde(default)]
    pub destructive: bool,
}

fn script() -> ActionType {
    ActionType::Script
}

impl TypeAction {
    /// The service and the file within it that a playbook is.
    pub fn playbook(&self) -> Option<(&str, &str)> {
        playbook_of(&self.playbook)
    }
}

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
fn is_word(text: &str, first: impl Fn(char) -> bool, others: impl Fn(char) -> bool) -> bool {
    text.len() <= MAX_NAME && text.starts_with(first) && text.chars().all(others)
}

/// What a name of a field, or of a variable, must be.
const FIELD_RULE: &str = "must begin with a letter or _ and have 1 to 50 of A-Z, a-z, 0-9 and _";

/// Whether a field may be called so. It becomes a part of paths in the database, and variables of Ansible's.
pub fn is_field_name(text: &str) -> bool {
    let others = |c: char| c.is_ascii_alphanumeric() || c == '_';
    is_word(text, |c| c.is_ascii_alphabetic() || c == '_', others)
}

/// What a name of an action must be.
const ACTION_RULE: &str =
    "must begin with a small letter, have 1 to 50 of a-z, 0-9 and _, and not be view, create, edit, delete or reveal";

fn is_action_name(text: &str) -> bool {
    is_word(
        text,
        |c| c.is_ascii_lowercase(),
        |c| matches!(c, 'a'..='z' | '0'..='9' | '_'),
    ) && !BASIC.contains(&text)
        && text != REVEAL
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

impl Field {
    fn check(&self, at: &str, faults: &mut Faults) {
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

impl TypeAction {
    fn check(&self, definition: &Definition, at: &str, faults: &mut Faults) {
        let of = |part: &str| format!("{at}.{part}");
        faults.check(is_action_name(&self.name), of("name"), ACTION_RULE);
        faults.line(&of("label"), &self.label, 1, MAX_LABEL);
        faults.line(&of("icon"), &self.icon, 0, MAX_LABEL);
        faults.line(&of("confirm"), &self.confirm, 0, MAX_TEXT);
        let is_file = self.script.is_empty() || is_script_file(&self.script);
        faults.check(is_file, of("script"), "must be a path within the service");
        let is_service = self.service.is_empty() || is_service_name(&self.service);
        faults.check(is_service, of("service"), "must be the name of a service");
        let of_service = matches!(
            self.r#type,
            ActionType::Script | ActionType::DynamicScripts | ActionType::ScriptStop
        );
        let has_service = !self.service.is_empty() || self.scope == Scope::Object && definition.field("name").is_some();
        faults.check(
            !of_service || has_service,
            of("service"),
            "is required where the thing has no name that is a service's",
        );
        faults.check(
            (self.r#type == ActionType::Playbook) == self.playbook().is_some()
                && (self.playbook.is_empty() || self.playbook().is_some()),
            of("playbook"),
            "must be /services/<service>/<file> of a playbook, and absent of another action",
        );
        faults.check(
            self.vars_mapping.len() <= MAX_VARIABLES,
            of("vars_mapping"),
            format!("must be at most {MAX_VARIABLES}"),
        );
        for (variable, template) in self.vars_mapping.iter().take(MAX_VARIABLES) {
            faults.check(is_field_name(variable), of("vars_mapping"), FIELD_RULE);
            faults.line(&of("vars_mapping"), template, 0, MAX_TEXT);
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
