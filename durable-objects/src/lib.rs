//! The relay: one Durable Object per machine, between its agent and any number of viewers.
//!
//! Its life: the Worker forwards an upgrade with a context it has checked; [`object`] accepts the socket so that it
//! survives hibernation and tells [`relay`], the state machine with all the rules, what happened; the actions that come
//! back are done in order. What must outlive the object's memory is in [`storage`] and attached to the sockets; what the
//! rest of the product must know is written to D1 by [`directory`], who may be let in is asked of [`authority`], and what was run
//! goes to the [`command_log`]; that a machine does worse or better, the REST side hears ([`health`]), who logs in past it
//! ([`logins`]), which services it has ([`services`]), and that it trusts a host by whose SSH somebody has a terminal ([`ssh`]).
//! What goes wrong is a line of the [`log`]. An alarm ends what ends by time, and when the machine
//! is deleted the object erases itself.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod authority;
#[allow(missing_docs, reason = "the macro that exports the object writes undocumented glue")]
mod channel;
pub mod command_log;
mod directory;
pub mod health;
pub mod jobs;
pub mod log;
pub mod logins;
#[allow(missing_docs, reason = "the macro that exports the object writes undocumented glue")]
mod object;
#[doc(hidden)]
#[allow(
    missing_docs,
    reason = "public for the Worker, whose rules and tests speak of it, and for nobody else"
)]
pub mod relay;
pub mod services;
mod settings;
pub mod ssh;
mod storage;
pub mod watch;

pub use channel::Channel;
pub use object::Relay;
