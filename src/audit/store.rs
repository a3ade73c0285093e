//! SQL of the audit log.
use protocol::api::audit::ChainedEntry;
use serde_json::Value;

use super::event::Event;
use crate::platform::audit_key::AuditKey;
use crate::platform::db::{Arg, Nothing, Query, now, statements};
use crate::platform::{random, secrets};

/// The status of what was no request.
const NO_REQUEST: u16 = 0;

/// An entry, from ?1 on as [`args`] binds it.
macro_rules! entry {
    () => {
        "INSERT INTO audit_log
         (id, organization_id, user_id, username, action, resource, resource_id, status, response_status, method, endpoint, ip_address,
          user_agent, source, error, details, created_at, mac)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18"
    };
}

statements! {
    RECORD = entry!();

    RECORD_IF_CHANGED = concat!(entry!(), " WHERE changes() > 0");
}

/// Adds an entry.
pub fn record(event: &Event) -> Query<Nothing> {
    Query::new(RECORD, args(entry(event)))
}

/// Adds an entry if the statement before it in the same batch changed a row: where only the database knows whether there was
/// anything to do.
pub fn record_if_changed(event: &Event) -> Query<Nothing> {
    Query::new(RECORD_IF_CHANGED, args(entry(event)))
}

/// What will be stored, but for the number that only the database knows.
fn entry(event: &Event) -> ChainedEntry {
    let context = event.context.as_ref();
    let client = context.map(|context| &context.client).or(event.client.as_ref());
    let (status, code, error) = match &event.failure {
        Some((code, error)) => ("failure", *code, Some(text(error))),
        None => ("success", event.answered.map_or(NO_REQUEST, |code| code.as_u16()), None),
    };
    let created_at = event.at.clone().unwrap_or_else(now);
    ChainedEntry {
        int_id: 0,
        id: id(&created_at, event),
        organization_id: event.organization.as_ref().map_or("", |id| id.as_str()).to_owned(),
        user_id: event.user.as_ref().map(|id| id.as_str().to_owned()),
        username: text(&event.username),
        action: event.word(),
        resource: event.resource.as_str().to_owned(),
        resource_id: event.resource_id.as_deref().map(text),
        status: status.to_owned(),
        response_status: code.into(),
        method: context.map_or("", |context| context.method.as_str()).to_owned(),
        endpoint: context.map_or("", |context| context.endpoint.as_str()).to_owned(),
        ip_address: client.map(|client| text(&client.address)).unwrap_or_default(),
        user_agent: client.map(|client| text(&client.user_agent)).unwrap_or_default(),
        source: client.map_or("system".to_owned(), |client| text(&client.source)),
        error,
        details: Value::Object(event.details.clone()),
        created_at,
    }
}

/// A text as it comes back from the database, whose functions end texts at a NUL: an entry must read as it was authenticated.
fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// An id for an entry. Should the platform refuse randomness, the entry is written all the same.
fn id(created_at: &str, event: &Event) -> String {
    random::object_id().map_or_else(
        |_| {
            let digest = secrets::digest(&format!("{created_at}{event:?}"));
            digest.chars().take(protocol::limits::OBJECT_ID_LEN).collect()
        },
        |id| id.to_string(),
    )
}

fn args(entry: ChainedEntry) -> [Arg; 18] {
    let mac = AuditKey::installed().map(|key| key.entry(&entry));
    [
        entry.id.into(),
        entry.organization_id.into(),
        entry.user_id.into(),
        entry.username.into(),
        entry.action.into(),
        entry.resource.into(),
        entry.resource_id.into(),
        entry.status.into(),
        entry.response_status.into(),
        entry.method.into(),
        entry.endpoint.into(),
        entry.ip_address.into(),
        entry.user_agent.into(),
        entry.source.into(),
        entry.error.into(),
        entry.details.to_string().into(),
        entry.created_at.into(),
        mac.into(),
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
            "UPDATE audit_log SET hash = 'x', mac = 'x'",
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
    fn what_people_name_is_a_part_of_the_word_and_no_longer_than_a_name() {
        let event = Event::of(Action::InventoryActionRun, Resource::Inventory);
        assert_eq!(event.word(), "inventory.action");
        assert_eq!(entry(&event.clone().named("deploy")).action, "inventory.action.deploy");
        assert_eq!(
            event.named(&"x".repeat(60)).word().len(),
            "inventory.action.".len() + 50
        );
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
