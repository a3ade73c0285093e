//! What ends with an account.
use super::DROP_ROLES;
use crate::features::access_requests::store as access_requests;
use crate::features::accounts::store as accounts;
use crate::features::api_keys::store as api_keys;
use crate::features::groups::store::members;
use crate::features::machine_access::store as machine_access;
use crate::features::machines::store::owner;
use crate::features::users::access::UserControl;
use crate::platform::db::{Nothing, Query};

/// Ends an account: what it owned passes on, what it could do is taken away.
pub fn delete(control: &UserControl, now: &str) -> Vec<Query<Nothing>> {
    let user = control.id();
    let rest = [
        accounts::end::delete(user, now),
        members::leave_all(user),
        owner::bequeath(user),
        api_keys::delete_all(user),
        machine_access::delete_all(user),
        access_requests::delete_all(user),
        Query::new(DROP_ROLES, [user.into()]),
        accounts::second_factor::remove_recovery_codes(user),
        accounts::otp::delete(user),
    ];
    rest.into_iter()
        .chain(accounts::email_link::void_all(user, now))
        .collect()
}
