//! The agent of VSAY Edge. It runs on a machine, dials out to the edge, runs shells for those who may, and keeps their
//! output until it has been read. See `docs/streams.md` for what it says on its link.
//!
//! From the inside out: [`stream_log`] keeps bytes, [`account`] knows who is who, [`process`] starts programs, bound by a [`cgroup`], [`pty`] gives
//! them a terminal, [`integration`] has shells tell what is run and [`command_log`] keeps that, [`session`] joins these under the rules of a stream and knows by the [`emulator`] what a terminal shows,
//! [`command`] runs what needs no terminal, [`link`] carries both to the edge, and the [`logins`] that come another way and the [`services`] that it is a runner of, whose scripts are [`jobs`]. [`configure`] makes a machine known, with
//! [`command`] runs what needs no terminal and [`policy`] says whether it may, [`link`] carries both to the edge. [`configure`] makes a machine known, with
//! [`enroll`], [`identity`], [`host_id`] and [`service`], and [`uninstall`] undoes that; [`lock`] lets one agent of it run.
//! [`command_line`] is the way in.
//!
//! All of it is for Linux: it relies on no_new_privs and /proc. Elsewhere the library is empty, and the program says so.
#![cfg(target_os = "linux")]

pub mod account;
pub mod cgroup;
pub mod command;
pub mod command_line;
pub mod command_log;
pub mod config;
pub mod configure;
pub mod emulator;
pub mod enroll;
pub mod host_id;
pub mod identity;
pub mod integration;
pub mod jobs;
pub mod keys;
pub mod link;
pub mod lock;
pub mod logins;
pub mod metrics;
pub mod policy;
pub mod process;
pub mod pty;
pub mod say;
pub mod service;
pub mod services;
pub mod session;
pub mod ssh;
pub mod start;
pub mod stream_log;
pub mod system;
pub mod timer;
pub mod uninstall;
pub mod validate;
