//! Machines.
use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_policy::{self, CommandPolicy};
use super::detail::detail;
use super::facts;
use super::health::{Health, Thresholds};
use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// Longest name of a machine, in characters.
pub const MAX_NAME: usize = 100;

/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2000;

/// Longest login name Linux accepts.
pub const MAX_LINUX_USER: usize = 32;

/// Longest script to run at first enrolment, in characters: scripts longer than this belong in a file.
pub const MAX_SCRIPT: usize = 65_536;

/// The same in bytes. Linux takes 131,071 as one argument.
pub const MAX_SCRIPT_BYTES: usize = 128 * 1024 - 1;

/// Most tags of one machine.
pub const MAX_TAGS: usize = 32;

/// Longest tag, in characters.
pub const MAX_TAG: usize = 50;

/// Most facts that people note of one machine: every list carries them.
pub const MAX_METADATA: usize = 32;

/// Longest name of a fact, in characters.
pub const MAX_METADATA_NAME: usize = 64;

/// Longest fact, in characters: as long as what is kept of each that an agent says.
pub const MAX_METADATA_VALUE: usize = 255;

/// Most bytes of all facts of one machine together, be it what people note or what its agent says.
pub const MAX_METADATA_BYTES: usize = 8 * 1024;

/// Whether a text can be a login name: letters, digits, `.`, `_`, `-`, also a last `$`, not beginning with `-`. Empty
/// means the agent's own account.
pub fn is_linux_user(text: &str) -> bool {
    let name = text.strip_suffix('$').unwrap_or(text);
    text.is_empty()
        || text.len() <= MAX_LINUX_USER
            && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// How a machine does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Metrics {
    /// Processor use in percent of all cores, 0 to 100.
    #[serde(deserialize_with = "facts::percent")]
    pub cpu_percent: f64,
    /// Memory use in percent, 0 to 100.
    #[serde(deserialize_with = "facts::percent")]
    pub memory_percent: f64,
    /// Use of the root file system in percent, 0 to 100.
    #[serde(deserialize_with = "facts::percent")]
    pub disk_percent: f64,
    /// Received, in MB/s.
    #[serde(deserialize_with = "facts::rate")]
    pub network_inbound: f64,
    /// Sent, in MB/s.
    #[serde(deserialize_with = "facts::rate")]
    pub network_outbound: f64,
    /// Seconds since the machine started.
    #[serde(deserialize_with = "facts::uptime")]
    pub uptime_seconds: u64,
}

/// What a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineStatus {
    /// Made, but no agent has enrolled for it.
    Pending,
    /// Its agent is connected.
    Online,
    /// Its agent is connected, and its first script runs or is about to.
    ExecutingScript,
    /// Its agent is not connected.
    Offline,
    /// Its agent may not connect any more.
    Revoked,
}

/// A copy of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Duplicate {
    /// Where it tries to connect from.
    pub ip_address: String,
    /// When it last did.
    pub at: DateTime<Utc>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Machine {
    /// The row.
    pub id: ObjectId,
    /// Its public name in paths, kept for its life.
    pub agent_id: AgentId,
    /// What people call it, unique among its owner's machines.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its own name for itself.
    pub hostname: String,
    /// Platform, version and architecture.
    pub os: String,
    /// Its own address.
    pub ip_address: String,
    /// What it is doing.
    pub status: MachineStatus,
    /// Whether its agent is connected now.
    pub is_connected: bool,
    /// Processor use in percent of all cores.
    pub cpu_percent: f64,
    /// Memory use in percent.
    pub memory_percent: f64,
    /// Use of the root file system in percent.
    pub disk_percent: f64,
    /// Bytes received per second.
    pub network_rx_bytes: u64,
    /// Bytes sent per second.
    pub network_tx_bytes: u64,
    /// Time since it started, such as `5d 12h 30m`.
    pub uptime: String,
    /// The same in seconds.
    pub uptime_seconds: u64,
    /// Its last sign of life.
    pub last_active: Option<DateTime<Utc>>,
    /// The last figures as they came.
    pub resource_stats: Metrics,
    /// When they were measured. Reading a machine, or a list with it, has it measured again behind the answer, and every half minute
    /// for a quarter of an hour; one that nobody reads about says how it does once an hour.
    #[serde(default)]
    #[schema(required)]
    pub metrics_at: Option<DateTime<Utc>>,
    /// What its figures come to by its thresholds; nothing while its agent is not connected.
    #[serde(default)]
    #[schema(required)]
    pub health: Option<Health>,
    /// From how many percent on its figures are worth a warning, or critical.
    #[serde(default)]
    #[schema(required)]
    pub thresholds: Thresholds,
    /// What commands may run on it, besides what its organization says.
    #[serde(default)]
    #[schema(required)]
    pub command_policy: CommandPolicy,
    /// Free facts: what its agent says, and what people noted, which counts where both have one of a name.
    pub metadata: BTreeMap<String, String>,
    /// The organization's slug.
    pub tenant_id: String,
    /// The same, under another name.
    pub org_id: String,
    /// The account that made it.
    pub owner_id: ObjectId,
    /// Groups it is in.
    pub group_ids: Vec<String>,
    /// Names of the accounts that were given access, its owner first.
    pub allowed_users: Vec<String>,
    /// Labels to filter by.
    pub tags: Vec<String>,
    /// The account that shells run as; empty for the agent's own.
    pub linux_user: String,
    /// Whether shells may gain privileges.
    pub allow_sudo: bool,
    /// Whether an application is to be deployed to it.
    pub deploy_application: bool,
    /// The agent's version.
    pub agent_version: String,
    /// Whether its agent was shut out.
    pub revoked: bool,
    /// When.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// A copy of it, with its key, that tries to connect and is refused. Until ten minutes after it last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub duplicate: Option<Duplicate>,
    /// What its agent enrols with. Only when one machine is read, by its owner or an administrator, while a token waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub registration_token: Option<Secret>,
    /// What to run on the computer that becomes this machine, as one line for a shell. Where the token in it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub install_command: Option<Secret>,
    /// The script to run at first enrolment. Only when one machine is read, by its owner or an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub custom_script: Option<String>,
}

impl MachineStatus {
    /// Whether its agent is connected.
    pub fn is_online(self) -> bool {
        matches!(self, Self::Online | Self::ExecutingScript)
    }
}

/// A machine to be enrolled later.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateMachine {
    /// What people call it, unique among its owner's machines.
    #[schema(
        required,
        min_length = 1,
        max_length = 100,
        example = "production-server",
        format = "line"
    )]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: String,
    /// The account that shells run as; empty for the agent's own.
    #[schema(max_length = 32, pattern = r"^([A-Za-z0-9_][A-Za-z0-9._-]*\$?)?$")]
    pub linux_user: String,
    /// Whether an application is to be deployed to it: a note for people. What deploys it is `custom_script`.
    pub deploy_application: bool,
    /// A bash script that the machine runs once, when it is first enrolled: as the account of its shells, with the privileges that
    /// its owner's shells have there, and up to the first command that fails. Until it has ended the machine's status is
    /// `executing_script`. What it writes is kept as a command's, with the source `script`, and in `~/script.log`.
    #[schema(max_length = 65536, format = "text")]
    pub custom_script: String,
    /// Labels to filter by.
    #[schema(max_items = 32, min_length = 1, max_length = 50, format = "line")]
    pub tags: Vec<String>,
    /// Whether shells may gain privileges.
    pub allow_sudo: bool,
}

impl Validate for CreateMachine {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 1, MAX_NAME);
        faults.text("description", &self.description, MAX_DESCRIPTION);
        faults.check(
            is_linux_user(&self.linux_user),
            "linux_user",
            format!("must be a login name of at most {MAX_LINUX_USER} characters"),
        );
        faults.text("custom_script", &self.custom_script, MAX_SCRIPT);
        faults.check(
            self.custom_script.len() <= MAX_SCRIPT_BYTES,
            "custom_script",
            format!("must have at most {MAX_SCRIPT_BYTES} bytes"),
        );
        check_tags(faults, &self.tags);
    }
}

fn check_tags(faults: &mut Faults, tags: &[String]) {
    faults.check(
        tags.len() <= MAX_TAGS,
        "tags",
        format!("must be at most {MAX_TAGS} tags"),
    );
    for (index, tag) in tags.iter().enumerate().take(MAX_TAGS) {
        faults.line(&format!("tags[{index}]"), tag, 1, MAX_TAG);
    }
}

/// What is to change of a machine. What is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateMachine {
    /// What people call it, unique among its owner's machines.
    #[schema(min_length = 1, max_length = 100, example = "production-server", format = "line")]
    pub name: Option<String>,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: Option<String>,
    /// Labels to filter by, in place of those it has.
    #[schema(max_items = 32, min_length = 1, max_length = 50, format = "line")]
    pub tags: Option<Vec<String>>,
    /// What people note of it, in place of all that they noted before. At most 32 facts, with names of 1 to 64 characters and values
    /// of at most 255, and 8 KiB in all. What its agent says is not theirs to change and need not be sent back: what is sent counts before it from
    /// then on.
    pub metadata: Option<BTreeMap<String, String>>,
    /// From how many percent on its figures are worth a warning, or critical, in place of those it has. Those that are left out become
    /// the usual ones.
    pub thresholds: Option<Thresholds>,
    /// What commands may run on it from now on, in place of what held before. It narrows what its organization says, and takes nothing
    /// from it. Lists that are left out become empty.
    #[serde(deserialize_with = "command_policy::of_request")]
    pub command_policy: Option<CommandPolicy>,
}

impl Validate for UpdateMachine {
    fn validate(&self, faults: &mut Faults) {
        if let Some(name) = &self.name {
            faults.line("name", name, 1, MAX_NAME);
        }
        if let Some(description) = &self.description {
            faults.text("description", description, MAX_DESCRIPTION);
        }
        check_tags(faults, self.tags.as_deref().unwrap_or_default());
        if let Some(thresholds) = &self.thresholds {
            thresholds.validate(faults);
        }
        if let Some(policy) = &self.command_policy {
            policy.validate_as_field(faults);
        }
        let Some(metadata) = &self.metadata else {
            return;
        };
        faults.check(
            metadata.len() <= MAX_METADATA,
            "metadata",
            format!("must be at most {MAX_METADATA} facts"),
        );
        let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        faults.check(
            metadata.len() > MAX_METADATA || bytes <= MAX_METADATA_BYTES,
            "metadata",
            format!("must have at most {MAX_METADATA_BYTES} bytes in all"),
        );
        for (name, value) in metadata.iter().take(MAX_METADATA) {
            // A name that breaks its rule is not repeated in the answer whole.
            let field = format!("metadata.{}", name.chars().take(MAX_METADATA_NAME).collect::<String>());
            faults.line(&field, name, 1, MAX_METADATA_NAME);
            faults.text(&field, value, MAX_METADATA_VALUE);
        }
    }
}

/// A machine that waits for its agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MachineCreated {
    /// The machine.
    pub machine: Machine,
    /// As in `machine`.
    pub id: ObjectId,
    /// As in `machine`.
    pub agent_id: AgentId,
    /// As in `machine`.
    pub name: String,
    /// As in `machine`.
    pub description: String,
    /// What its agent enrols with: 64 hex characters, good for one enrolment.
    #[schema(value_type = String)]
    pub registration_token: Secret,
    /// What to run on the computer that becomes this machine, as one line for a shell; the token is in it.
    #[schema(value_type = String)]
    pub install_command: Secret,
    /// As in `machine`.
    pub status: MachineStatus,
}

detail! {
    /// One machine, both wrapped and flat.
    #[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
    MachineDetail {
        /// The machine.
        machine: Machine,
    }
}

/// Machines, by name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MachineList {
    /// The machines of this page.
    pub machines: Vec<Machine>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// A new registration token; any earlier one is void.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RegistrationToken {
    /// What the machine's agent enrols with: 64 hex characters, good for one enrolment.
    #[schema(value_type = String)]
    pub registration_token: Secret,
    /// What to run on the computer that becomes this machine, as one line for a shell; the token is in it.
    #[schema(value_type = String)]
    pub install_command: Secret,
}

/// The one line that makes a computer a machine of the edge at `edge`, an address without a final slash.
///
/// The token is in the environment of one process and so in no list of processes; the space at the beginning keeps the line
/// out of the history of shells that are set up for it (`HISTCONTROL=ignorespace`). Without a `linux_user` the script takes
/// the account of whoever runs it.
pub fn install_command(edge: &str, token: &Secret, linux_user: &str, allow_sudo: bool) -> Secret {
    let mut line = format!(
        " curl -fsSL {} | VSAY_TOKEN={} sh -s --",
        shell_word(&format!("{edge}/install.sh")),
        shell_word(token.expose())
    );
    if !linux_user.is_empty() {
        line.push_str(" --linux-user ");
        line.push_str(&shell_word(linux_user));
    }
    if allow_sudo {
        line.push_str(" --allow-sudo");
    }
    line.into()
}

/// A text as one word of a shell's command line, in quotes only where it needs them.
fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@%+:,./_-".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        crate::api::validate::refused_fields::<CreateMachine>(text)
    }

    #[test]
    fn a_machine_needs_only_a_name() {
        assert!(fields(r#"{"name":"web-1"}"#).is_empty());
        assert_eq!(fields("{}"), ["name"]);
    }

    #[test]
    fn each_field_of_a_machine_has_a_bound() {
        assert_eq!(
            fields(
                r#"{"name":"a\nb","description":"\u0000","linux_user":"-x","custom_script":"\u0000","tags":["ok",""]}"#
            ),
            ["name", "description", "linux_user", "custom_script", "tags[1]"]
        );
        let tags = serde_json::json!({"name": "a", "tags": vec!["t"; MAX_TAGS + 1]}).to_string();
        assert_eq!(fields(&tags), ["tags"]);
    }

    #[test]
    fn what_changes_of_a_machine_has_the_same_bounds_and_may_be_nothing() {
        let fields = crate::api::validate::refused_fields::<UpdateMachine>;
        assert!(fields("{}").is_empty());
        assert!(fields(r#"{"name":"web-2","description":"","tags":[],"metadata":{"rack":"7"}}"#).is_empty());
        assert_eq!(
            fields(r#"{"name":" ","description":"\u0000","tags":[""],"metadata":{"":"x","rack":"\u0000"}}"#),
            ["name", "description", "tags[0]", "metadata.", "metadata.rack"]
        );
        let many: BTreeMap<String, String> = (0..=MAX_METADATA).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(fields(&serde_json::json!({"metadata": many}).to_string()), ["metadata"]);
        let large: BTreeMap<String, String> = (0..MAX_METADATA)
            .map(|n| (n.to_string(), "ü".repeat(MAX_METADATA_VALUE)))
            .collect();
        assert_eq!(
            fields(&serde_json::json!({"metadata": large}).to_string()),
            ["metadata"]
        );
        let long = serde_json::json!({"metadata": {"x".repeat(5000): "y".repeat(MAX_METADATA_VALUE + 1)}}).to_string();
        let refused = fields(&long);
        assert!(
            refused.len() == 2 && refused.iter().all(|field| field.len() < 80),
            "{refused:?}"
        );
    }

    #[test]
    fn the_line_that_installs_is_one_command_whatever_the_names_are() {
        let token = Secret::from("0a1b".to_owned());
        let line = |edge: &str, user: &str, sudo: bool| install_command(edge, &token, user, sudo).expose().to_owned();
        assert_eq!(
            line("https://edge.example.com", "deploy", true),
            " curl -fsSL https://edge.example.com/install.sh | VSAY_TOKEN=0a1b sh -s -- --linux-user deploy --allow-sudo"
        );
        assert_eq!(
            line("http://[::1]:8787", "", false),
            " curl -fsSL 'http://[::1]:8787/install.sh' | VSAY_TOKEN=0a1b sh -s --"
        );
        assert!(line("https://edge.example.com", "host$", false).ends_with(" --linux-user 'host$'"));
    }

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        for hostile in [
            "", "$(id)", "`id`", "a b", "a;b", "a|b", "a&b", "~", "*", "a'b", "'", "\"", "\\", "a\nb", "#", "!x", "-n",
            "ü", "=",
        ] {
            let script = format!("printf %s. {}", shell_word(hostile));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{hostile}."));
        }
    }

    #[test]
    fn a_login_name_is_what_useradd_accepts() {
        for good in ["", "root", "_apt", "web.1", "host$", "a-b"] {
            assert!(is_linux_user(good), "{good}");
        }
        for bad in ["-a", "a b", "$", "ä", "a;b", &"x".repeat(33)] {
            assert!(!is_linux_user(bad), "{bad}");
        }
    }
}
