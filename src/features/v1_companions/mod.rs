//! The rest of `/v1`: signing in, machines, people and organizations, in the form that was published beside the Sessions API.
//!
//! Nothing is done here. Each operation asks those of `/api` from within ([`call::Call`]) and says their answers in its own words, as
//! values and not as types, so that it costs the Worker little. Rights, audit entries and bounds are those of what is asked.
mod auth;
mod call;
mod fields;
mod lending;
mod machines;
mod oidc;
mod organizations;
mod says;
mod users;

use crate::auth::rule::{Operation, Routes};

use call::Adapter;

/// The operations: handler and rule, which is that of what it asks.
macro_rules! adapters {
    ($($module:ident::$handler:ident => $rule:expr,)+) => {{
        use crate::auth::permission::Permission::*;
        use crate::auth::rule::Rule::*;
        pastey::paste! {
            Routes::new("v1")$(.operation::<$module::[<__path_ $handler>], _, _>(
                // One type for all of them, so that what surrounds a handler is compiled once.
                $module::$handler as Adapter,
                Operation::from($rule).with(&<$module::[<__path_ $handler>] as utoipa::Path>::methods()),
                &[],
            ))+
        }
    }};
}

/// The routes of this feature.
pub fn routes() -> Routes {
    adapters![
        auth::login => Open,
        auth::refresh => Open,
        auth::logout => InPerson.before_password_change(),
        auth::me => SignedIn.before_password_change(),
        oidc::authorize => Open,
        oidc::finish => Open,
        machines::create_machine => SignedIn,
        machines::update_machine => Object,
        users::list_users => AdminOr(UsersView),
        users::find_user => Object,
        users::invite_user => AdminOr(UsersCreate).of_people(),
        users::resend_invitation => AdminOr(UsersCreate).of_people(),
        users::update_user => AdminOr(UsersEdit).of_people(),
        lending::set_permissions => Object,
        users::delete_user => AdminOr(UsersDelete).of_people(),
        organizations::list_organizations => SuperAdmin,
        organizations::create_organization => SuperAdmin.of_people(),
        organizations::find_organization => SuperAdmin,
        organizations::update_organization => SuperAdmin,
        organizations::delete_organization => SuperAdmin,
        organizations::set_oidc => SuperAdmin,
        organizations::list_members => SuperAdmin,
    ]
}
