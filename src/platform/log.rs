//! Log lines: the form that the Worker and its objects share. Nothing that is logged may hold a token, a password or a key.
pub use durable_objects::log::{Level, Line, Scope, error, is_request_id, write};
