//! Rules about single things: who may do what with them, beside what roles allow (contract).
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::types::MAX_NAME;
use crate::api::validate::{Faults, Validate};

/// Most rules about a thing: each read of it looks at them.
pub const MAX_RULES: usize = 100;

/// What a rule does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It lets people do something.
    #[default]
    Allow,
    /// It keeps them from it, whatever else lets them.
    Deny,
}

impl Effect {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A rule about a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AclRule {
    /// Its number.
    pub id: i64,
    /// The number of the role of those whom it is about.
    pub role_id: i64,
    /// What that is called.
    pub role_name: String,
    /// The same, for clients that look for it here.
    pub username: String,
    /// What it is about: `view`, `edit`, or the name of an action.
    pub permission: String,
    /// What it does.
    pub effect: Effect,
}

/// The rules about a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AclRules {
    /// All of them.
    pub acl_rules: Vec<AclRule>,
    /// The same, for clients that look for it here.
    pub acl: Vec<AclRule>,
}

/// A rule to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewRule {
    /// The number of the role of those whom it is about.
    pub role_id: i64,
    /// What it is about: `view`, `edit`, or the name of an action.
    #[schema(min_length = 1, max_length = 50, format = "line")]
    pub permission: String,
    /// What it does: `allow`, if nothing is said.
    #[serde(default)]
    pub effect: Effect,
}

/// Make a rule about a thing, with `role_id` and `permission`; or, with `rules`, make these all there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SetRules {
    /// The number of the role of those whom it is about.
    #[serde(default)]
    pub role_id: Option<i64>,
    /// What it is about: `view`, `edit`, or the name of an action.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 50, format = "line")]
    pub permission: Option<String>,
    /// What it does: `allow`, if nothing is said.
    #[serde(default)]
    pub effect: Option<Effect>,
    /// All rules about the thing.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub rules: Option<Vec<NewRule>>,
}

impl Validate for SetRules {
    fn validate(&self, faults: &mut Faults) {
        if let Some(permission) = &self.permission {
            faults.line("permission", permission, 1, MAX_NAME);
        }
        let Some(rules) = &self.rules else {
            faults.check(self.role_id.is_some(), "role_id", "is required");
            faults.check(self.permission.is_some(), "permission", "is required");
            return;
        };
        faults.check(
            rules.len() <= MAX_RULES,
            "rules",
            format!("must be at most {MAX_RULES}"),
        );
        for (index, rule) in rules.iter().enumerate().take(MAX_RULES) {
            faults.line(&format!("rules[{index}].permission"), &rule.permission, 1, MAX_NAME);
        }
    }
}

impl SetRules {
    /// The rules, and whether they take the place of those there are.
    pub fn into_parts(self) -> (Vec<NewRule>, bool) {
        match (self.rules, self.role_id, self.permission) {
            (Some(rules), _, _) => (rules, true),
            (None, Some(role_id), Some(permission)) => {
                let effect = self.effect.unwrap_or_default();
                let rule = NewRule {
                    role_id,
                    permission,
                    effect,
                };
                (vec![rule], false)
            }
            (None, _, _) => (Vec::new(), false),
        }
    }
}

/// A rule that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RulesSet {
    /// One rule.
    One(AclRule),
    /// All there are now.
    All(AclRules),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn one_rule_is_made_or_all_are() {
        let refused = |body: &str| refused_fields::<SetRules>(body);
        for good in [
            r#"{"role_id":1,"permission":"view"}"#,
            r#"{"role_id":1,"permission":"ssh","effect":"deny"}"#,
            r#"{"rules":[]}"#,
            r#"{"rules":[{"role_id":1,"permission":"view"}]}"#,
        ] {
            assert!(refused(good).is_empty(), "{good}");
        }
        assert_eq!(refused("{}"), ["role_id", "permission"]);
        assert_eq!(refused(r#"{"role_id":1,"permission":""}"#), ["permission"]);
        assert_eq!(
            refused(r#"{"rules":[{"role_id":1,"permission":" "}]}"#),
            ["rules[0].permission"]
        );
    }
}
