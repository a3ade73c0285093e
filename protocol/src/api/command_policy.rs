//! What commands may run on a machine: lists of programs. The edge keeps them and hands them to the agent, which is the one that
//! reads commands and holds to them.
use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};

/// Most programs in one list. The lists of an organization and of a machine go to its agent in one message, and the audit log has
/// both what they were and what they are.
pub const MAX_PROGRAMS: usize = 50;

/// Longest name or path of a program, in characters: longer than the paths of programs that are installed.
pub const MAX_PROGRAM: usize = 128;

/// Programs that commands may run, must not run, or run only after somebody agreed. An entry without a slash is a name, such as `rm`,
/// wherever that program is; one with a slash is the path of one program, such as `/usr/bin/systemctl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CommandPolicy {
    /// If there are any, commands run these and nothing else.
    #[schema(
        required,
        max_items = 50,
        min_length = 1,
        max_length = 128,
        pattern = r"^(/[!-~]*[!-.0-~]|[!-.0-~]+)$"
    )]
    pub allowed_commands: Vec<String>,
    /// Commands that run one of these are refused. That counts before all else.
    #[schema(
        required,
        max_items = 50,
        min_length = 1,
        max_length = 128,
        pattern = r"^(/[!-~]*[!-.0-~]|[!-.0-~]+)$"
    )]
    pub blocked_commands: Vec<String>,
    /// Commands that run one of these wait until an administrator agrees.
    #[schema(
        required,
        max_items = 50,
        min_length = 1,
        max_length = 128,
        pattern = r"^(/[!-~]*[!-.0-~]|[!-.0-~]+)$"
    )]
    pub approval_required_commands: Vec<String>,
}

/// A policy as requests have it, where a name that is none would empty a list without a word. Neighbours of other versions may say more.
pub fn of_request<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CommandPolicy>, D::Error> {
    let Some(mut lists) = Option::<BTreeMap<String, Vec<String>>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let mut list = |name: &str| lists.remove(name).unwrap_or_default();
    let policy = CommandPolicy {
        allowed_commands: list("allowed_commands"),
        blocked_commands: list("blocked_commands"),
        approval_required_commands: list("approval_required_commands"),
    };
    match lists.keys().next() {
        None => Ok(Some(policy)),
        Some(name) => Err(D::Error::custom(format_args!("unknown field `{name}`"))),
    }
}

impl CommandPolicy {
    /// Whether it says nothing of any command.
    pub fn is_empty(&self) -> bool {
        self.allowed_commands.is_empty()
            && self.blocked_commands.is_empty()
            && self.approval_required_commands.is_empty()
    }

    /// Reports what breaks the rules, as part of the field `command_policy`.
    pub fn validate_as_field(&self, faults: &mut Faults) {
        for (list, name) in [
            (&self.allowed_commands, "command_policy.allowed_commands"),
            (&self.blocked_commands, "command_policy.blocked_commands"),
            (
                &self.approval_required_commands,
                "command_policy.approval_required_commands",
            ),
        ] {
            faults.check(
                list.len() <= MAX_PROGRAMS,
                name,
                format!("must be at most {MAX_PROGRAMS} programs"),
            );
            for (index, program) in list.iter().enumerate().take(MAX_PROGRAMS) {
                faults.check(
                    is_program(program),
                    format!("{name}[{index}]"),
                    format!(
                        "must be the name of a program or an absolute path, of 1 to {MAX_PROGRAM} characters of ASCII without white space"
                    ),
                );
            }
        }
    }
}

/// Whether an entry may be one: a name without a slash, or an absolute path.
fn is_program(entry: &str) -> bool {
    (1..=MAX_PROGRAM).contains(&entry.len())
        && entry.bytes().all(|byte| byte.is_ascii_graphic())
        && (entry.starts_with('/') || !entry.contains('/'))
        && !entry.ends_with('/')
}

/// All that an agent holds to. A command must pass both: that of the machine narrows that of its organization, and takes nothing from
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// Of all machines of the organization.
    pub organization: CommandPolicy,
    /// Of this machine.
    pub machine: CommandPolicy,
}

impl Policies {
    /// Whether every command may run.
    pub fn are_empty(&self) -> bool {
        self.organization.is_empty() && self.machine.is_empty()
    }
}

/// Longest reason of a decision, in characters. It goes with the command, in lists too.
pub const MAX_REASON: usize = 500;

/// What is decided of a command that waits for approval.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DecideCommand {
    /// Whether it runs.
    #[schema(required)]
    pub approve: bool,
    /// Why, for whoever sent it, on one line. Needed where it does not run.
    #[schema(max_length = 500, format = "line")]
    pub reason: String,
}

impl Validate for DecideCommand {
    fn validate(&self, faults: &mut Faults) {
        // Terminals show it.
        faults.line("reason", &self.reason, 0, MAX_REASON);
        faults.check(
            self.approve || !self.reason.trim().is_empty(),
            "reason",
            "must say why it is rejected",
        );
    }
}

/// What an approval is of: this text, on this machine, for this person. Edge and agent each make a digest of it, so that what was
/// approved is what is run.
pub fn approval_subject(agent_id: &str, username: &str, command: &str) -> String {
    format!("{agent_id}\n{username}\n{command}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;
    use serde_json::json;

    fn refused(policy: &serde_json::Value) -> Vec<String> {
        let mut faults = Faults::default();
        let policy: CommandPolicy = serde_json::from_value(policy.clone()).unwrap();
        policy.validate_as_field(&mut faults);
        faults.into_vec().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn an_entry_is_a_name_or_an_absolute_path() {
        for good in ["rm", "/usr/bin/rm", "g++", "[", ".", "x".repeat(MAX_PROGRAM).as_str()] {
            assert!(refused(&json!({"blocked_commands": [good]})).is_empty(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "bin/rm",
            "./rm",
            "/usr/bin/",
            "/",
            "é",
            "a\n",
            &"x".repeat(MAX_PROGRAM + 1),
        ] {
            assert_eq!(
                refused(&json!({"allowed_commands": ["ls", bad]})),
                ["command_policy.allowed_commands[1]"],
                "{bad}"
            );
        }
    }

    #[test]
    fn a_list_is_bounded() {
        let many = vec!["rm"; MAX_PROGRAMS + 1];
        assert!(refused(&json!({"approval_required_commands": many[1..]})).is_empty());
        assert_eq!(
            refused(&json!({"approval_required_commands": many})),
            ["command_policy.approval_required_commands"]
        );
    }

    #[test]
    fn what_is_rejected_is_told_why() {
        let fields = |body: serde_json::Value| refused_fields::<DecideCommand>(&body.to_string());
        assert!(fields(json!({"approve": true})).is_empty());
        assert!(fields(json!({"approve": false, "reason": "not today"})).is_empty());
        assert_eq!(fields(json!({"approve": false, "reason": " "})), ["reason"]);
        assert_eq!(fields(json!({"approve": true, "reason": "a\u{1b}[31m"})), ["reason"]);
        assert_eq!(
            fields(json!({"approve": true, "reason": "é".repeat(MAX_REASON + 1)})),
            ["reason"]
        );
    }

    #[test]
    fn an_approval_is_of_one_text_on_one_machine_for_one_person() {
        let of = approval_subject("0123456789ab", "ann", "rm x");
        for other in [
            approval_subject("0123456789ac", "ann", "rm x"),
            approval_subject("0123456789ab", "bob", "rm x"),
            approval_subject("0123456789ab", "ann", "rm x "),
        ] {
            assert_ne!(of, other);
        }
    }

    #[test]
    fn a_list_under_another_name_empties_none_in_a_request_and_hinders_no_neighbour() {
        use crate::api::machines::UpdateMachine;
        use crate::api::organizations::UpdateOrganization;
        let asks = |policy: serde_json::Value| json!({ "command_policy": policy });
        let mistyped = json!({"blocked": ["rm"]});
        assert!(serde_json::from_value::<UpdateOrganization>(asks(mistyped.clone())).is_err());
        assert!(serde_json::from_value::<UpdateMachine>(asks(mistyped.clone())).is_err());
        assert!(serde_json::from_value::<CommandPolicy>(mistyped).is_ok());
        let named = json!({"blocked_commands": ["rm"]});
        for policy in [
            serde_json::from_value::<UpdateOrganization>(asks(named.clone()))
                .unwrap()
                .command_policy,
            serde_json::from_value::<UpdateMachine>(asks(named))
                .unwrap()
                .command_policy,
        ] {
            assert_eq!(policy.unwrap().blocked_commands, ["rm"]);
        }
        assert!(
            serde_json::from_value::<UpdateOrganization>(json!({}))
                .unwrap()
                .command_policy
                .is_none()
        );
    }
}
