//! The log as a file.
use std::borrow::Cow;

use protocol::api::audit::AuditEntry;

use crate::http::export::Row;

/// What its columns are called.
pub const COLUMNS: &[&str] = &[
    "int_id",
    "id",
    "created_at",
    "tenant_id",
    "organization_id",
    "user_id",
    "username",
    "action",
    "resource",
    "resource_id",
    "status",
    "severity",
    "response_status",
    "method",
    "endpoint",
    "ip_address",
    "user_agent",
    "browser",
    "os",
    "source",
    "error",
    "details",
    "hash",
];

impl Row for AuditEntry {
    fn number(&self) -> i64 {
        self.entry.int_id
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let entry = &self.entry;
        let optional = |text: &'_ Option<String>| Cow::from(text.clone().unwrap_or_default());
        vec![
            entry.int_id.to_string().into(),
            entry.id.as_str().into(),
            entry.created_at.as_str().into(),
            self.tenant_id.as_str().into(),
            entry.organization_id.as_str().into(),
            optional(&entry.user_id),
            entry.username.as_str().into(),
            entry.action.as_str().into(),
            entry.resource.as_str().into(),
            optional(&entry.resource_id),
            entry.status.as_str().into(),
            self.severity.as_str().into(),
            entry.response_status.to_string().into(),
            entry.method.as_str().into(),
            entry.endpoint.as_str().into(),
            entry.ip_address.as_str().into(),
            entry.user_agent.as_str().into(),
            self.browser.as_str().into(),
            self.os.as_str().into(),
            entry.source.as_str().into(),
            optional(&entry.error),
            entry.details.to_string().into(),
            optional(&self.hash),
        ]
    }
}
