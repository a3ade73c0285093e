//! One's own account: profile, picture, password, the key that enrols machines, and the SSH key.
mod avatar;
mod handlers;
mod secrets;
mod ssh;
mod ssh_handlers;
pub mod store;
mod upload;

pub use avatar::forget_pictures;

use crate::http::operation::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::read_profile,
        handlers::read_own_user,
        handlers::update_profile,
        handlers::update_me,
        avatar::upload_avatar,
        avatar::delete_avatar,
        avatar::read_avatar,
        secrets::regenerate_api_key,
        secrets::reset_own_password,
        ssh_handlers::generate_ssh_key,
        ssh_handlers::read_ssh_key,
        ssh_handlers::delete_ssh_key,
        ssh_handlers::list_ssh_keys,
    ]
}
