//! What the product does, a folder per noun, mostly named as the first segment of its URLs.
pub mod accounts;
pub mod agents;
pub mod api_keys;
pub mod audit_log;
pub mod groups;
pub mod machine_access;
pub mod machines;
pub mod oidc;
pub mod organization_admin;
pub mod organizations;
pub mod profile;
pub mod roles;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod terminals;
pub mod users;
