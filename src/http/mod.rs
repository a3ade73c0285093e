//! Requests and answers: between the platform and axum, what handlers take in, and the forms of what they give.
pub mod adapter;
pub mod argument;
pub mod client;
pub mod envelope;
pub mod etag;
pub mod export;
pub mod extract;
pub mod health;
pub mod json_text;
pub mod multipart;
pub mod not_found;
pub mod operation;
pub mod page;
pub mod period;
pub mod range;
pub mod upgrade;
pub mod v1_limit;
