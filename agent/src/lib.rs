//! The agent of VSAY Edge. It runs on a machine, dials out to the edge, runs shells for those who may, and keeps their
//! output until it has been read. See `docs/streams.md` for what it says on its link.
//!
//! From the inside out: [`stream_log`] keeps bytes, [`pty`] runs a shell, [`session`] joins the two under the rules of a
//! stream, [`link`] carries sessions to the edge. [`configure`] makes a machine known, with [`enroll`] and [`service`].
#[cfg(not(target_os = "linux"))]
compile_error!("vsay-agent needs Linux: it relies on no_new_privs and /proc");

pub mod account;
pub mod config;
pub mod configure;
pub mod enroll;
pub mod identity;
pub mod link;
pub mod metrics;
pub mod pty;
pub mod service;
pub mod session;
pub mod start;
pub mod stream_log;
pub mod tls;
pub mod validate;
