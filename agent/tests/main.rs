//! The agent against a relay that the tests play, with real shells and real sockets.
#![cfg(target_os = "linux")]

mod command_log;
mod commands;
mod cuts;
mod enrolment;
mod flow;
mod idle;
mod jobs;
mod limits;
mod link;
mod login;
mod logins;
mod pam;
mod policy;
mod program;
mod proxies;
mod services;
mod shells;
mod snapshots;
mod support;
mod surroundings;
mod typing;
