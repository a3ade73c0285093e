//! The right to have an action done: with one thing, or with all of a type.
use protocol::api::inventory::actions::{Scope, TypeAction};
use protocol::ids::ObjectId;
use serde_json::{Map, Value};

use super::variables::Thing;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::features::inventory::access::{Known, denied, holds, known_type};
use crate::features::inventory::row::FoundType;
use crate::features::jobs::InventoryAction;
use crate::features::jobs::store::Subject;
use crate::platform::error::ApiError;

/// The right to have an action done.
#[derive(Debug)]
pub struct ActionRight {
    caller: Caller,
    of: FoundType,
    action: TypeAction,
    /// With which thing; none where it is all of the type.
    thing: Option<Thing>,
}

impl ActionRight {
    /// The right to have it done with a thing that was found. That a type has no such action learns whoever may do everything with its things
    /// (contract).
    pub fn on_object(known: Known, name: &str) -> Result<Self, ApiError> {
        let action = known.found().of.definition.action(name);
        // What is about all of a type is not for whoever has a right over one thing.
        let action = action.filter(|action| action.scope == Scope::Object).cloned();
        let action = action.ok_or_else(|| missing(known.caller(), &known.found().of.slug, name, "Action"))?;
        let (caller, id, found) = known.having(name)?.into_parts();
        let thing = Thing {
            id,
            data: found.data.unwrap_or_default(),
            secrets: found.secrets.unwrap_or_default(),
        };
        Ok(Self {
            caller,
            of: found.of,
            action,
            thing: Some(thing),
        })
    }

    /// The right to have it done with all of a type.
    pub fn on_type(caller: Caller, found: Vec<FoundType>, slug: &str, name: &str) -> Result<Self, ApiError> {
        let of = known_type(found, slug)?;
        let action = of
            .definition
            .action(name)
            .filter(|action| action.scope == Scope::Type)
            .cloned();
        let Some(action) = action else {
            return Err(missing(&caller, slug, name, "Type action"));
        };
        if !holds(&caller, slug, name) {
            return Err(denied(slug, name));
        }
        Ok(Self {
            caller,
            of,
            action,
            thing: None,
        })
    }

    /// Who has it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whose things these are.
    pub fn organization(&self) -> &ObjectId {
        self.caller.organization_id()
    }

    /// The type.
    pub fn of(&self) -> &FoundType {
        &self.of
    }

    /// What is to be done.
    pub fn action(&self) -> &TypeAction {
        &self.action
    }

    /// With which thing.
    pub fn thing(&self) -> Option<&Thing> {
        self.thing.as_ref()
    }

    /// A text of the thing; none where it is empty.
    pub fn text(&self, field: &str) -> Option<&str> {
        let value = self.thing.as_ref()?.data.get(field)?;
        value.as_str().filter(|text| !text.is_empty())
    }

    /// The service whose action it is: the one that the definition names, or that of the thing's name.
    pub fn service(&self) -> Result<&str, ApiError> {
        let named = Some(self.action.service.as_str()).filter(|name| !name.is_empty());
        named
            .or_else(|| self.text("name"))
            .ok_or_else(|| ApiError::bad_request("No service name"))
    }

    /// What lists of jobs call that to which it is done (contract).
    fn done_to(&self) -> &str {
        self.text("name").unwrap_or(&self.of.slug)
    }

    /// What a job of it is about.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            object_id: self.thing.as_ref().map(|thing| thing.id),
            type_slug: &self.of.slug,
        }
    }

    /// What a job of it is called.
    pub fn job(&self) -> InventoryAction<'_> {
        InventoryAction {
            name: &self.action.name,
            kind: self.action.r#type.as_str(),
            done_to: self.done_to(),
            subject: self.subject(),
        }
    }

    /// That it is done, for the log.
    pub fn event(&self) -> Event {
        let event = self.caller.event(Action::InventoryActionRun, Resource::Inventory);
        let event = event
            .named(&self.action.name)
            .detail("action", self.action.name.as_str());
        match &self.thing {
            Some(thing) => event.on(format!("{}/{}", self.of.slug, thing.id)),
            None => event.on(&self.of.slug).detail("scope", "type"),
        }
    }
}

/// What a type does not have.
fn missing(caller: &Caller, slug: &str, name: &str, what: &str) -> ApiError {
    match holds(caller, slug, name) {
        true => ApiError::not_found(format!("{what} '{name}' not found")),
        false => denied(slug, name),
    }
}

/// An input that is a text.
pub fn input<'i>(inputs: &'i Map<String, Value>, name: &str) -> Option<&'i str> {
    inputs.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::inventory::store::{find_type, objects};
    use crate::testing::{TestDb, id};

    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.execute(
            "INSERT INTO inventory_objects (id, organization_id, type_id, name, data, search, created_at, updated_at)
             SELECT 7, organization_id, id, 'web', '{\"name\":\"web\"}', 'web', 'then', 'then' FROM inventory_types WHERE slug = 'service';
             INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, id, 'ops', created_at FROM organizations;
             INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob';
             INSERT INTO role_permissions VALUES (100, 'inventory.service.stop'), (100, 'inventory.server.refresh')",
        );
        db
    }

    fn user(name: &str) -> ObjectId {
        id(name).parse().unwrap()
    }

    fn said<T>(result: Result<T, ApiError>) -> Result<T, (u16, String)> {
        result.map_err(|error| (error.status().as_u16(), error.text().to_owned()))
    }

    fn on_object(db: &TestDb, name: &str, object: &str, action: &str) -> Result<ActionRight, (u16, String)> {
        let found = db.run(objects::find(&user(name), "service", object));
        said(Known::decide(db.caller(name), found, "service").and_then(|known| ActionRight::on_object(known, action)))
    }

    fn on_type(db: &TestDb, name: &str, slug: &str, action: &str) -> Result<ActionRight, (u16, String)> {
        let found = db.run(find_type(&user(name), slug));
        said(ActionRight::on_type(db.caller(name), found, slug, action))
    }

    #[test]
    fn an_action_is_for_those_who_may_have_it_done_with_the_thing() {
        let db = db();
        let missing = |words: &str| (404, words.to_owned());
        let right = on_object(&db, "bob", "7", "stop").unwrap();
        assert_eq!((right.service().unwrap(), right.subject().object_id), ("web", Some(7)));
        assert_eq!((right.job().kind, right.job().done_to), ("script_stop", "web"));
        assert_eq!(right.event().word(), "inventory.action.stop");
        assert!(on_object(&db, "ann", "7", "deploy").is_ok());
        for action in ["deploy", "nothing", "view"] {
            assert_eq!(on_object(&db, "bob", "7", action).unwrap_err().0, 403, "{action}");
        }
        assert_eq!(
            on_object(&db, "ann", "8", "stop").unwrap_err(),
            missing("Object not found")
        );
        for action in ["nothing", "view"] {
            let words = format!("Action '{action}' not found");
            assert_eq!(on_object(&db, "ann", "7", action).unwrap_err(), missing(&words));
        }
        db.execute("INSERT INTO inventory_objects (id, organization_id, type_id, name, data, search, created_at, updated_at)
             SELECT 9, organization_id, id, 'web', '{\"hostname\":\"web\"}', 'web', 'then', 'then' FROM inventory_types WHERE slug = 'server'");
        let found = db.run(objects::find(&user("ann"), "server", "9"));
        let known = Known::decide(db.caller("ann"), found, "server").unwrap();
        let words = missing("Action 'refresh' not found");
        assert_eq!(
            said(ActionRight::on_object(known, "refresh")).unwrap_err(),
            words,
            "it is about all servers"
        );
        // A rule about the thing counts before the role.
        db.execute("INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES (7, 100, 'stop', 'deny'), (7, 100, 'deploy', 'allow')");
        assert_eq!(on_object(&db, "bob", "7", "stop").unwrap_err().0, 403);
        assert!(on_object(&db, "bob", "7", "deploy").is_ok());
    }

    #[test]
    fn an_action_of_a_type_is_one_that_is_about_all_of_it() {
        let db = db();
        let right = on_type(&db, "bob", "server", "refresh").unwrap();
        assert_eq!((right.subject().object_id, right.job().done_to), (None, "server"));
        assert_eq!(right.service().unwrap_err().text(), "No service name");
        let missing = |words: &str| (404, words.to_owned());
        assert_eq!(
            on_type(&db, "ann", "server", "stop").unwrap_err(),
            missing("Type action 'stop' not found")
        );
        assert_eq!(
            on_type(&db, "ann", "rack", "stop").unwrap_err(),
            missing("Inventory type 'rack' not found")
        );
        assert_eq!(on_type(&db, "bob", "server", "stop").unwrap_err().0, 403);
        db.execute("DELETE FROM role_permissions");
        assert_eq!(on_type(&db, "bob", "server", "refresh").unwrap_err().0, 403);
    }
}
