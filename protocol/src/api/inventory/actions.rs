//! Actions of types: what can be done with things.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{FIELD_RULE, is_field_name};
use super::template;
use super::types::{Definition, MAX_LABEL, MAX_TEXT, is_word};
use super::{BASIC, REVEAL};
use crate::api::validate::Faults;
use crate::terminal::jobs::{is_script_file, playbook_of};
use crate::terminal::services::is_service_name;

/// Most variables of a playbook.
pub const MAX_VARIABLES: usize = 32;

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

    /// The fields of a thing that lead the action: which host it opens, whose service it is, what a playbook is told.
    pub fn led_by(&self) -> BTreeSet<&str> {
        match self.r#type {
            _ if self.scope == Scope::Type => BTreeSet::new(),
            ActionType::Ssh => BTreeSet::from(["hostname"]),
            ActionType::Script | ActionType::DynamicScripts | ActionType::ScriptStop if !self.service.is_empty() => {
                BTreeSet::new()
            }
            ActionType::Script
            | ActionType::DynamicScripts
            | ActionType::ScriptStop
            | ActionType::BuiltinConfig
            | ActionType::BuiltinFiles => BTreeSet::from(["name"]),
            ActionType::Builtin => BTreeSet::from(["vultr_label", "region"]),
            ActionType::Playbook => self
                .vars_mapping
                .values()
                .flat_map(|text| template::fields(text))
                .collect(),
        }
    }

    /// Looks at the action that stands at some place of a type.
    pub(super) fn check(&self, definition: &Definition, at: &str, faults: &mut Faults) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_leads_an_action_is_what_it_takes_of_the_thing() {
        let led = |action| {
            let action: TypeAction = serde_json::from_value(action).unwrap();
            action.led_by().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(led(json!({"name": "open", "type": "ssh"})), ["hostname"]);
        assert_eq!(led(json!({"name": "deploy", "type": "script"})), ["name"]);
        assert!(led(json!({"name": "deploy", "type": "script", "service": "web"})).is_empty());
        assert_eq!(
            led(json!({"name": "stop", "type": "builtin"})),
            ["region", "vultr_label"]
        );
        assert!(led(json!({"name": "refresh", "type": "builtin", "scope": "type"})).is_empty());
        let mapping = json!({"target": "{{ ip }}:{{ port }}", "greeting": "hello"});
        let playbook = json!({"name": "patch", "type": "playbook", "playbook": "/services/ops/patch.yaml", "vars_mapping": mapping});
        assert_eq!(led(playbook), ["ip", "port"]);
    }
}
