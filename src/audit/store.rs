//! SQL of the audit log.
use serde_json::Value;

use super::event::Event;
use crate::platform::db::{Arg, Nothing, Query, now, statements};

/// The status of a request that succeeded.
const SUCCEEDED: i64 = 200;

/// The status of what was no request.
const NO_REQUEST: i64 = 0;

/// An entry, from ?1 on as [`args`] binds it.
macro_rules! entry {
    () => {
        "INSERT INTO audit_log
         (id, organization_id, user_id, username, action, resource, resource_id, status, response_status, method, endpoint, ip_address,
          user_agent, source, error, details, created_at)
         SELECT lower(hex(randomblob(12))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16"
    };
}

statements! {
    RECORD = entry!();

    RECORD_IF_CHANGED = concat!(entry!(), " WHERE changes() > 0");
}

/// Adds an entry.
pub fn record(event: &Event) -> Query<Nothing> {
    Query::new(RECORD, args(event))
}

/// Adds an entry if the statement before it in the same batch changed a row: where only the database knows whether there was
/// anything to do.
pub fn record_if_changed(event: &Event) -> Query<Nothing> {
    Query::new(RECORD_IF_CHANGED, args(event))
}

fn args(event: &Event) -> [Arg; 16] {
    let context = event.context.as_ref();
    let (status, code, error) = match &event.failure {
        Some((code, error)) => ("failure", i64::from(*code), Some(error.as_str())),
        None if context.is_some() => ("success", SUCCEEDED, None),
        None => ("success", NO_REQUEST, None),
    };
    [
        event.organization.as_ref().map_or("", |id| id.as_str()).into(),
        event.user.as_ref().map(|id| id.as_str()).into(),
        event.username.as_str().into(),
        event.action.as_str().into(),
        event.resource.as_str().into(),
        event.resource_id.as_deref().into(),
        status.into(),
        code.into(),
        context.map_or("", |context| context.method.as_str()).into(),
        context.map_or("", |context| context.endpoint.as_str()).into(),
        context.map_or("", |context| context.client.address.as_str()).into(),
        context.map_or("", |context| context.client.user_agent.as_str()).into(),
        context
            .map_or("system", |context| context.client.source.as_str())
            .into(),
        error.into(),
        Value::Object(event.details.clone()).to_string().into(),
        now().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Action, Resource};
    use crate::testing::TestDb;

    #[test]
    fn entries_are_added_and_can_neither_be_changed_nor_removed() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        let ann = db.caller("ann");
        db.run(record(
            &ann.event(Action::GroupCreated, Resource::Group)
                .on("g1")
                .detail("name", "ops"),
        ));
        assert_eq!(db.count("audit_log"), 1);
        for sql in [
            "DELETE FROM audit_log",
            "UPDATE audit_log SET username = 'bob'",
            "UPDATE audit_log SET hash = 'x', details = '{}'",
        ] {
            assert!(
                db.try_execute(sql).unwrap_err().contains("audit entries are never"),
                "{sql}"
            );
        }
        db.execute("UPDATE audit_log SET hash = 'x'");
        assert!(db.try_execute("UPDATE audit_log SET hash = 'y'").is_err());
    }

    #[test]
    fn what_changed_nothing_is_not_recorded() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        let ann = db.caller("ann");
        let event = ann.event(Action::GroupUpdated, Resource::Group);
        for (name, entries) in [("nobody", 0), ("ann", 1)] {
            db.execute(&format!(
                "UPDATE users SET first_name = 'Ann' WHERE username = '{name}'"
            ));
            db.run(record_if_changed(&event));
            assert_eq!(db.count("audit_log"), entries);
        }
    }
}
