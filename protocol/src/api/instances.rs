//! Instances at a cloud provider, and what they cost (contract).
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use super::validate::{Faults, Validate};

/// Longest label or region that is looked for, in characters: what the provider lets a label have, and more.
pub const MAX_LABEL: usize = 255;

/// Longest key, in characters. The provider's have 36; a header takes far more.
pub const MAX_PROVIDER_KEY: usize = 200;

/// Stop an instance that the path names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct StopHow {
    /// Whether it is destroyed, with all that is on it, rather than halted.
    #[serde(default)]
    pub destroy: bool,
    /// To destroy it: its label once more.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub confirm: Option<String>,
}

impl Validate for StopHow {
    fn validate(&self, faults: &mut Faults) {
        label(faults, "confirm", self.confirm.as_deref().unwrap_or_default());
    }
}

/// Stop an instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct StopInstance {
    /// Its label.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// Where it is, as its provider calls that: `mel`.
    #[schema(min_length = 1, max_length = 255)]
    pub region: String,
    /// Whether it is destroyed, with all that is on it, rather than halted.
    #[serde(default)]
    pub destroy: bool,
    /// To destroy it: its label once more.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub confirm: Option<String>,
}

impl Validate for StopInstance {
    /// That one is empty is said in the words of the contract, by whoever looks for the instance.
    fn validate(&self, faults: &mut Faults) {
        label(faults, "label", &self.label);
        label(faults, "region", &self.region);
        label(faults, "confirm", self.confirm.as_deref().unwrap_or_default());
    }
}

fn label(faults: &mut Faults, field: &str, text: &str) {
    faults.line(field, text, 0, MAX_LABEL);
}

/// Set the provider's key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SetProvider {
    /// The key of the provider's API. It is never shown again.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 200, pattern = "^[!-~]+$")]
    pub api_key: Secret,
}

impl Validate for SetProvider {
    fn validate(&self, faults: &mut Faults) {
        let key = self.api_key.expose();
        faults.check(
            (1..=MAX_PROVIDER_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "api_key",
            format!("must have 1 to {MAX_PROVIDER_KEY} characters of ASCII, without spaces"),
        );
    }
}

/// Where an organization's instances are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderState {
    /// `vultr`.
    pub provider: String,
    /// Whether a key is set.
    pub configured: bool,
    /// When it was.
    pub set_at: Option<DateTime<Utc>>,
    /// By whom.
    pub set_by: Option<String>,
}

/// An instance, as an inventory of Ansible's has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryHost {
    /// Its address.
    pub ansible_host: String,
    /// Its name at the provider's.
    pub vultr_id: String,
    /// What people call it.
    pub vultr_label: String,
    /// Where it is.
    pub vultr_region: String,
    /// How large it is.
    pub vultr_plan: String,
    /// What is installed on it.
    pub vultr_os: String,
    /// `running` or `stopped`.
    pub vultr_power_status: String,
    /// The same.
    pub vultr_power: String,
    /// What people sort it by.
    pub vultr_tags: Vec<String>,
}

/// Instances that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryGroup {
    /// By host name.
    pub hosts: BTreeMap<String, InventoryHost>,
}

/// All instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryRoot {
    /// By host name.
    pub hosts: BTreeMap<String, InventoryHost>,
    /// Those of each tag.
    pub children: BTreeMap<String, InventoryGroup>,
}

/// An inventory; empty before the first one was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryTree {
    /// All there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<InventoryRoot>,
}

/// The instances of an organization, as they were listed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceList {
    /// The instances.
    pub instances: InventoryTree,
    /// When they were listed.
    pub cached_at: Option<DateTime<Utc>>,
    /// How long ago that was, in seconds.
    pub age_seconds: Option<u64>,
    /// How many there are besides.
    pub left_out: u64,
    /// Whether a key of the provider is set.
    pub configured: bool,
}

/// What an account owes and has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostAccount {
    /// What is not on an invoice yet.
    pub pending_charges: f64,
    /// Below zero if it is credit.
    pub balance: f64,
}

/// What an instance costs. A halted one costs as much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostInstance {
    /// What people call it.
    pub label: String,
    /// Its name in the inventory.
    pub hostname: String,
    /// How large it is.
    pub plan: String,
    /// Where it is.
    pub region: String,
    /// What people sort it by.
    pub tags: Vec<String>,
    /// `running` or `stopped`.
    pub power_status: String,
    /// In the provider's currency; 0 of a plan whose price is not known.
    pub monthly_cost: f64,
    /// The same, by the hour.
    pub hourly_cost: f64,
    /// Its name at the provider's.
    pub vultr_id: String,
}

/// What the instances cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Costs {
    /// When the provider was asked for costs.
    pub generated_at: Option<DateTime<Utc>>,
    /// What the account owes and has; zeros if that was never asked for.
    pub account: CostAccount,
    /// All instances together.
    pub total_monthly_cost: f64,
    /// Each, by host name.
    pub instances: Vec<CostInstance>,
    /// `playbook` if the provider was asked for costs, `computed` if they are those of the instances that were listed (contract).
    pub source: String,
    /// When what this is made of was asked for.
    pub cached_at: Option<DateTime<Utc>>,
    /// What each tag costs.
    pub by_tag: BTreeMap<String, f64>,
    /// What each region costs.
    pub by_region: BTreeMap<String, f64>,
}

/// What the instances of a tag cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TagCost {
    /// The tag.
    pub tag: String,
    /// All of them together.
    pub monthly_cost: f64,
    /// How many there are.
    pub instance_count: u64,
}

/// What tags cost. An instance counts for each of its tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostsByTag {
    /// The dearest first.
    pub tags: Vec<TagCost>,
    /// The same, by tag.
    pub by_tag: BTreeMap<String, f64>,
    /// When what this is made of was asked for.
    pub cached_at: Option<DateTime<Utc>>,
}

/// What the instances of a region cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionCost {
    /// The region.
    pub region: String,
    /// All of them together.
    pub monthly_cost: f64,
    /// How many there are.
    pub instance_count: u64,
}

/// What regions cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostsByRegion {
    /// The dearest first.
    pub regions: Vec<RegionCost>,
    /// The same, by region.
    pub by_region: BTreeMap<String, f64>,
    /// When what this is made of was asked for.
    pub cached_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn a_key_is_one_word_of_ascii_and_in_no_log() {
        for (key, accepted) in [
            ("A1-b2_c3", true),
            ("", false),
            ("a b", false),
            ("é", false),
            ("a\n", false),
            (&"x".repeat(201), false),
        ] {
            let body = serde_json::json!({"api_key": key}).to_string();
            assert_eq!(refused_fields::<SetProvider>(&body).is_empty(), accepted, "{key:?}");
        }
        let set: SetProvider = serde_json::from_str(r#"{"api_key": "hunter2"}"#).unwrap();
        assert!(!format!("{set:?}").contains("hunter2"));
    }

    #[test]
    fn labels_have_one_line_and_a_bound() {
        let refused = |label: &str| {
            refused_fields::<StopInstance>(&serde_json::json!({"label": label, "region": "mel"}).to_string())
        };
        assert!(refused("my new server").is_empty() && refused("").is_empty());
        assert_eq!(refused("a\nb").len(), 1);
        assert_eq!(refused(&"x".repeat(256)).len(), 1);
        let how: StopHow = serde_json::from_str("{}").unwrap();
        assert!(!how.destroy);
    }
}
