//! What proves that somebody is who they say: passwords, and authenticator apps.
mod first_password;
mod password_reset;
mod second_factor;
