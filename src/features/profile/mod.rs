//! One's own account: profile, avatar, password, the key that enrols machines, and the SSH key.
mod avatar;
mod handlers;
mod secrets;
mod ssh;
mod ssh_handlers;
pub mod store;
mod upload;

pub use avatar::forget_avatars;

use crate::auth::rule::{Routes, routes};

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
        ssh_handlers::generate_ssh_key => InPerson,
        ssh_handlers::read_ssh_key => SignedIn,
        ssh_handlers::delete_ssh_key => InPerson,
        ssh_handlers::list_ssh_keys => SignedIn,
    ]
}
