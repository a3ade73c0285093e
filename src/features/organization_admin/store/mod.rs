//! What ends with an organization, in the order in which the rows refer to each other.
use crate::features::accounts::store::end::{self as people, Gone};
use crate::features::organizations::access::OrganizationEnd;
use crate::features::organizations::store as organizations;
use crate::features::sessions::store as sessions;
use crate::platform::db::{Nothing, Query};

/// Shuts an organization's people out, and everything they are signed in with.
pub fn disable(end: &OrganizationEnd, now: &str) -> (Query<Nothing>, Query<Nothing>) {
    (organizations::disable(end, now), people::end_tokens(end))
}

/// Removes an organization without machines, with everything in it, and gives its people. What the audit log says of it stays.
pub fn delete(end: &OrganizationEnd) -> (Query<Nothing>, Query<Gone>, Query<Nothing>) {
    (
        sessions::delete_of_people(end),
        people::delete_all(end),
        organizations::delete(end),
    )
}

#[cfg(test)]
mod tests;
