//! Rights over the inventory: over all things of a type, and over one of them. What a right is about is in its type, so that what changes a
//! thing cannot be handed the right to see it.
use std::marker::PhantomData;

use super::row::{FoundObject, FoundType};
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
use crate::platform::error::ApiError;

/// Something that may be done with things.
pub trait Right {
    /// What it is called in permissions and rules.
    const NAME: &'static str;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident $name:literal;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub struct $right;
        impl Right for $right {
            const NAME: &'static str = $name;
        })*
    };
}

rights! {
    /// Seeing them.
    View "view";
    /// Making them.
    Create "create";
    /// Changing them.
    Edit "edit";
    /// Removing them.
    Delete "delete";
    /// Seeing their secrets.
    Reveal "reveal";
}

/// The right to do something with all things of a type.
#[derive(Debug)]
pub struct TypeAccess<R> {
    caller: Caller,
    found: FoundType,
    right: PhantomData<R>,
}

/// The right to do something with one thing.
#[derive(Debug)]
pub struct ObjectAccess<R> {
    caller: Caller,
    id: i64,
    found: FoundObject,
    right: PhantomData<R>,
}

/// That somebody of its organization asks for a type, whatever they may do with its things.
pub fn known_type(found: Vec<FoundType>, slug: &str) -> Result<FoundType, ApiError> {
    let found = found.into_iter().next();
    found.ok_or_else(|| ApiError::not_found(format!("Inventory type '{slug}' not found")))
}

/// Whether a caller may do something with all things of a type. To open terminals there is a permission for all types, too (contract).
pub fn holds(caller: &Caller, slug: &str, right: &str) -> bool {
    let opens = right == "ssh" && caller.holds(Permission::InstancesSsh.codename());
    opens || caller.holds(&format!("inventory.{slug}.{right}"))
}

/// 403 in the words of the contract, and what is lacking.
pub fn denied(slug: &str, right: &str) -> ApiError {
    ApiError::forbidden("forbidden", format!("Permission denied: inventory.{slug}.{right}"))
}

impl<R: Right> TypeAccess<R> {
    /// The right, if the caller holds it.
    pub fn decide(caller: Caller, found: Vec<FoundType>, slug: &str) -> Result<Self, ApiError> {
        let found = known_type(found, slug)?;
        match holds(&caller, slug, R::NAME) {
            true => Ok(Self {
                caller,
                found,
                right: PhantomData,
            }),
            false => Err(denied(slug, R::NAME)),
        }
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The type.
    pub fn found(&self) -> &FoundType {
        &self.found
    }

    /// Something done to a thing of the type, for the log.
    pub fn event(&self, action: Action, id: i64) -> Event {
        event(&self.caller, action, &self.found.slug, id)
    }
}

/// What was found for a caller: a thing, and what they may do with it.
#[derive(Debug)]
pub struct Known {
    caller: Caller,
    id: i64,
    found: FoundObject,
}

impl Known {
    /// The thing, if there is one in the caller's organization.
    pub fn decide(caller: Caller, found: Vec<FoundObject>, slug: &str) -> Result<Self, ApiError> {
        let found = found.into_iter().next();
        let found = found.ok_or_else(|| ApiError::not_found(format!("Inventory type '{slug}' not found")))?;
        let id = found.object.ok_or_else(|| ApiError::not_found("Object not found"))?;
        Ok(Self { caller, id, found })
    }

    /// The same of a thing that was looked for by its number alone.
    pub fn decide_any(caller: Caller, found: Vec<FoundObject>) -> Result<Self, ApiError> {
        let found = found.into_iter().next();
        match found.and_then(|found| Some((found.object?, found))) {
            Some((id, found)) => Ok(Self { caller, id, found }),
            None => Err(ApiError::not_found("Object not found")),
        }
    }

    /// The right to do something with it.
    pub fn with<R: Right>(self) -> Result<ObjectAccess<R>, ApiError> {
        let Self { caller, id, found } = self.having(R::NAME)?;
        Ok(ObjectAccess {
            caller,
            id,
            found,
            right: PhantomData,
        })
    }

    /// The same of what has no type of its own, such as an action.
    pub fn having(self, right: &str) -> Result<Self, ApiError> {
        match self.may(right) {
            true => Ok(self),
            false => Err(denied(&self.found.of.slug, right)),
        }
    }

    /// Whether the caller may do something with it.
    pub fn may(&self, right: &str) -> bool {
        may(&self.found, right)
    }

    /// Who asks, and for which thing, for whoever goes on with what it may do.
    pub fn into_parts(self) -> (Caller, i64, FoundObject) {
        (self.caller, self.id, self.found)
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Its number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The thing as it was found.
    pub fn found(&self) -> &FoundObject {
        &self.found
    }

    /// Something done to it, for the log.
    pub fn event(&self, action: Action) -> Event {
        event(&self.caller, action, &self.found.of.slug, self.id)
    }
}

impl<R: Right> ObjectAccess<R> {
    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The thing's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The thing as it was found.
    pub fn found(&self) -> &FoundObject {
        &self.found
    }

    /// Whether the same caller may do something else with it.
    pub fn may(&self, right: &str) -> bool {
        may(&self.found, right)
    }

    /// Something done to it, for the log.
    pub fn event(&self, action: Action) -> Event {
        event(&self.caller, action, &self.found.of.slug, self.id)
    }
}

fn may(found: &FoundObject, right: &str) -> bool {
    found.may.iter().any(|may| may == right)
}

fn event(caller: &Caller, action: Action, slug: &str, id: i64) -> Event {
    caller.event(action, Resource::Inventory).on(format!("{slug}/{id}"))
}
