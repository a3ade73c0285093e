//! What everything stands on: settings, the database, other bindings of the platform, errors. Nothing here knows of requests or
//! features.
pub mod audit_key;
pub mod background;
pub mod brand;
pub mod channel;
pub mod config;
pub mod context;
pub mod db;
pub mod error;
pub mod images;
pub mod log;
pub mod mail;
pub mod outgoing;
pub mod random;
pub mod recordings;
pub mod relay_stub;
pub mod row;
pub mod secrets;
pub mod settings;
