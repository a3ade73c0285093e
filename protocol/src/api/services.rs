//! Services of runners (contract), as they were told of last.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::check_password;
use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// The agent that has a service, and how well its services are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Runner {
    /// The machine's row.
    pub machine_id: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// What people call the machine.
    pub name: String,
    /// Whether it is connected. Then it has told of what has changed.
    pub online: bool,
    /// When it last told of its services.
    pub told_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub age_seconds: u64,
    /// How many services it has besides those that are listed.
    pub left_out: u32,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// What it is called in paths: the name of its directory, followed by `@` and its runner's `agent_id` if another runner has that name.
    pub name: String,
    /// Its directory, within the services directory of its runner.
    pub service_dir: String,
    /// Its scripts, as its `scripts.yaml` has them.
    pub scripts: Vec<Value>,
    /// Whether it has an `instance.yaml`.
    pub has_instance: bool,
    /// Which configs it has.
    pub configs: Vec<String>,
    /// Which playbooks in its directory have a `vars_prompt`, or a `pause` of no length. Nobody answers them in a job: what they ask for is the
    /// text `None`, and the pause is over at once.
    pub asks: Vec<String>,
    /// What is wrong with its files, for people.
    pub problems: Vec<String>,
    /// Whether several runners have one of this name.
    pub conflict: bool,
    /// Who has it.
    pub runner: Runner,
}

/// The services of an organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceList {
    /// By name.
    pub services: Vec<Service>,
}

/// A machine that a service makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceInstance {
    /// Empty if its entry has none, as are the other texts.
    pub label: String,
    /// What it calls itself.
    pub hostname: String,
    /// How large it is, as its provider calls that.
    pub plan: String,
    /// Where it is, as its provider calls that.
    pub region: String,
    /// What is installed on it.
    pub os: String,
    /// What people sort it by.
    pub tags: Vec<Value>,
}

/// All that is known of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceDetail {
    /// What lists have of it.
    #[serde(flatten)]
    pub service: Service,
    /// All of its `instance.yaml`, if it can be read.
    pub instance: Option<Value>,
    /// Why it cannot.
    pub instance_error: Option<String>,
    /// The machines that it names.
    pub instances: Vec<ServiceInstance>,
}

/// What a service has deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// The service that it is of, as [`Service`] names it.
    pub name: String,
    /// Whether several runners have a directory of this name.
    pub conflict: bool,
    /// Who has it.
    pub runner: Runner,
}

/// What is deployed in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentList {
    /// By name.
    pub deployments: Vec<Deployment>,
}

/// A config that a service may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigEntry {
    /// The file's name.
    pub name: String,
    /// Whether it has it.
    pub exists: bool,
}

/// The configs of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigList {
    /// Its directory, within the services directory of its runner.
    pub service_dir: String,
    /// All that it may have, by name.
    pub configs: Vec<ConfigEntry>,
}

/// A config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Config {
    /// The file's name.
    pub filename: String,
    /// All of it.
    pub content: String,
}

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WriteFile {
    /// All of it, at most 102,400 bytes.
    #[schema(max_length = 102_400)]
    pub content: String,
}

/// Its bound is in bytes, and told after it is known that there is such a service (contract).
impl Validate for WriteFile {
    fn validate(&self, _: &mut Faults) {}
}

/// What was done with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileDone {
    /// `saved`, `uploaded` or `deleted`.
    pub status: String,
    /// The file's name.
    pub filename: String,
}

/// A file of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// The files of a directory of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileList {
    /// By name.
    pub files: Vec<FileEntry>,
    /// Whether there are more, which are not listed: about 2,000 are.
    pub more: bool,
}

/// A form with a file.
#[derive(Debug, ToSchema)]
pub struct FileForm {
    /// The file, of at most 102,400 bytes.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// A file's bytes.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct FileBody(pub Vec<u8>);

/// What the last run of a service gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outputs {
    /// The entries of its `outputs/service_outputs.yaml` as they are; those of credentials have `********` for a value that is not shown.
    pub outputs: Vec<Value>,
}

/// What the last runs of services gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AllOutputs {
    /// By the service's `name`; those without are left out.
    pub outputs: BTreeMap<String, Vec<Value>>,
}

/// Change the password of an organization's Ansible vaults.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct SetVaultPassword {
    /// 1 to 1024 characters; null if there is to be none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, required = true, format = Password, min_length = 1, max_length = 1024)]
    pub password: Option<Secret>,
}

/// What may be null and must not be absent: a body without it would take the password away. An option takes what is absent for null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(password) => Ok(Some(password.into())),
        _ => Err(D::Error::invalid_type(Unexpected::Other("value"), &"a string")),
    }
}

impl Validate for SetVaultPassword {
    fn validate(&self, faults: &mut Faults) {
        if let Some(password) = &self.password {
            check_password(faults, "password", password, 1);
        }
    }
}

/// Whether there is a password of Ansible vaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VaultPassword {
    /// Whether there is one.
    pub set: bool,
    /// Since when it is what it is, if that is known.
    pub set_at: Option<DateTime<Utc>>,
    /// The username of who gave it.
    pub set_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_vault_password_is_taken_away_by_null_and_not_by_saying_nothing() {
        let asked = |body: Value| crate::json::from_str::<SetVaultPassword>(&body.to_string());
        assert!(asked(json!({"password": null})).unwrap().password.is_none());
        assert!(asked(json!({})).is_err());
        for (password, accepted) in [("x", true), ("", false), (&"x".repeat(1025), false)] {
            let mut faults = Faults::default();
            asked(json!({"password": password})).unwrap().validate(&mut faults);
            assert_eq!(faults.into_vec().is_empty(), accepted, "{password:?}");
        }
    }
}
