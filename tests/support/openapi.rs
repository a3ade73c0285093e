//! The API as it describes itself at `/openapi.json`.
use reqwest::Method;
use serde_json::{Value, json};

use super::account::{Anonymous, PASSWORD};

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: String,
    /// Whether anybody may call it.
    pub public: bool,
    /// Whether it takes a body.
    pub takes_body: bool,
}

impl Operation {
    /// The names of the parameters in the path.
    pub fn parameters(&self) -> Vec<&str> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect()
    }

    /// The path with its parameters filled in.
    pub fn path_with(&self, mut value: impl FnMut(&str) -> String) -> String {
        let mut path = self.path.clone();
        for name in self.parameters() {
            path = path.replace(&format!("{{{name}}}"), &value(name));
        }
        path
    }
}

impl Operation {
    /// `GET /health`: what tests call it.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The least that it accepts as a body, naming nothing that exists: what is wrong with a body is told before anything is
    /// looked up, and before it is asked who may.
    pub fn least_body(&self) -> Option<Value> {
        let body = match self.name().as_str() {
            "POST /api/access-requests" => json!({"machine_id": "00000000000a"}),
            "POST /api/access-requests/{request_id}/reject" => json!({"comment": "no"}),
            "POST /api/admin/organizations" => json!({"name": "least", "display_name": "Least"}),
            "POST /api/alerts/rules" | "PUT /api/alerts/rules/{rule_id}" => {
                json!({"name": "least", "event": "command"})
            }
            "POST /api/webhooks" | "PUT /api/webhooks/{webhook_id}" => {
                json!({"name": "least", "url": "https://example.com/least"})
            }
            "POST /api/api-keys" => json!({"name": "least"}),
            "POST /api/auth/change-password" | "POST /api/users/password" | "POST /api/profile/reset-password" => {
                json!({"current_password": PASSWORD, "new_password": "another horse battery"})
            }
            "POST /api/auth/mfa/confirm" => json!({"code": "123456"}),
            "POST /api/auth/mfa/backup-codes/regenerate" | "POST /api/auth/mfa/disable" => {
                json!({"password": PASSWORD})
            }
            "POST /api/commands" => json!({"command": "true", "agent_ids": ["00000000000a"]}),
            "POST /api/machines/{agent_id}/command" => json!({"command": "true"}),
            "POST /api/community/issues" => json!({"title": "least", "description": "least"}),
            "POST /api/community/issues/{issue_id}/fixes" | "POST /api/community/issues/{issue_id}/comments" => {
                json!({"content": "least"})
            }
            "POST /api/groups" | "POST /api/roles" | "POST /api/machines" => json!({"name": "least"}),
            "POST /api/groups/{group_id}/members" => json!({"user_id": "00000000000000000000000a"}),
            "POST /api/groups/{group_id}/machines" => json!({"machine_ids": ["00000000000a"]}),
            "POST /api/machines/{agent_id}/access/grant" | "POST /api/machines/{agent_id}/access/revoke" => {
                json!({"username": "nobody"})
            }
            "POST /api/commands/{command_id}/decision" => json!({"approve": true}),
            "PUT /api/services/vault-password" => json!({"password": null}),
            "POST /api/schedules" => json!({"name": "least", "service": "least", "cron": "@daily"}),
            "POST /api/inventory/types" => {
                json!({"slug": "least", "label": "Least", "fields": [{"name": "name", "type": "string"}]})
            }
            "POST /api/inventory/tags" => json!({"name": "least"}),
            "POST /api/inventory/tags/{tag_id}/permissions" | "POST /api/inventory/{type_slug}/{object_id}/acl" => {
                json!({"role_id": 1, "permission": "view"})
            }
            "POST /api/inventory/{type_slug}" => json!({"data": {}}),
            "POST /api/inventory/{type_slug}/{object_id}/reveal" => json!({"field": "least"}),
            "POST /api/inventory/{type_slug}/{object_id}/tags" => json!({"tag_ids": []}),
            "POST /api/instances/stop" => json!({"label": "least", "region": "mel"}),
            "PUT /api/instances/provider" => json!({"api_key": "least"}),
            "POST /api/services/{name}/run" => json!({"script": "deploy"}),
            "POST /api/profile/upload-avatar" => json!({"avatar_url": "https://example.com/least.png"}),
            "PUT /api/terminal/sessions/{session_id}" => json!({"name": "least"}),
            "POST /api/shares/join" => json!({"token": "0".repeat(48)}),
            "POST /api/terminal/sessions/{session_id}/shares" => json!({"username": "nobody"}),
            "POST /api/users" | "POST /api/users/invite" => json!({"username": "least", "email": "least@example.com"}),
            "POST /api/users/{user_id}/reset-password" => json!({"password": PASSWORD}),
            "POST /api/users/{user_id}/roles"
            | "PUT /api/users/{user_id}/roles"
            | "POST /api/roles/users/{user_id}/roles" => {
                json!({"role_ids": []})
            }
            "PUT /api/services/{name}/configs/{config}"
            | "PUT /api/services/{name}/files/{subdir}/{file_name}"
            | "PUT /api/inventory/service/{object_id}/configs/{config}" => {
                json!({"content": "least: 1"})
            }
            "POST /v1/machines" => json!({"name": "least-v1"}),
            "POST /v1/users/invite" => json!({"email": "least@example.com", "role": "member"}),
            "PUT /v1/users/{user_id}/permissions" => json!({"machine_access": []}),
            "POST /v1/organizations" => json!({"name": "Least", "slug": "least", "admin_email": "least@example.com"}),
            "PUT /v1/organizations/{organization_id}/oidc" => {
                json!({"enabled": true, "provider": "okta", "client_id": "a", "client_secret": "b", "issuer_url": "https://example.com"})
            }
            "POST /v1/sessions" => json!({"machine_id": "00000000000000000000000a"}),
            _ => json!({}),
        };
        self.takes_body.then_some(body)
    }
}

/// Every operation of the document.
pub async fn operations(anyone: &Anonymous) -> Vec<Operation> {
    let document = anyone.ask(Method::GET, "/openapi.json", None).await.ok();
    let needs_token = |security: &Value| {
        security
            .as_array()
            .is_none_or(|ways| !ways.iter().any(|way| way.as_object().is_some_and(|way| way.is_empty())))
    };
    let mut found = Vec::new();
    let paths = document["paths"].as_object();
    // It comes with the console.
    for (path, item) in paths.expect("/openapi.json has paths; is web/dist/ built, and new?") {
        for (method, operation) in item.as_object().expect("methods") {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let security = operation.get("security").unwrap_or(&document["security"]);
            found.push(Operation {
                method,
                path: path.clone(),
                public: !needs_token(security),
                takes_body: operation.get("requestBody").is_some(),
            });
        }
    }
    assert!(found.len() >= 10, "{found:#?}");
    found
}
