//! One's own account: profile, avatar, password, the key that enrols machines, and the SSH key.
mod handlers;
mod row;
mod ssh;
pub mod store;
mod upload;

pub use handlers::avatar::forget_avatars;

use crate::auth::rule::{Routes, routes};

use handlers::{avatar, secrets, ssh_key};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "users";
        handlers::read_profile => SignedIn.before_password_change(),
        handlers::read_own_user => SignedIn.before_password_change(),
        handlers::update_profile => InPerson, also "/api/auth/me",
        avatar::upload_avatar => SignedIn,
        avatar::delete_avatar => SignedIn,
        avatar::read_avatar => Open,
        secrets::regenerate_api_key => InPerson,
        secrets::reset_own_password => InPerson.before_password_change(),
        ssh_key::generate_ssh_key => InPerson,
        ssh_key::read_ssh_key => SignedIn,
        ssh_key::delete_ssh_key => InPerson,
        ssh_key::list_ssh_keys => SignedIn,
    ]
}
