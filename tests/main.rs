//! End to end: the real Worker under workerd, the real agent with real shells, real sockets.
//!
//! Needs what `make build` makes. `VSAY_AGENT_BIN` and `VSAY_BIN` say where the agent and the command line are, if not in
//! `target/release/`. A test that fails leaves its logs in the folder it names.
mod access;
mod answers;
mod api_keys;
mod audit;
mod auth;
mod bootstrap;
mod cli;
mod colleague;
mod compatibility;
mod defects;
mod errors;
mod first_password;
mod groups;
mod guessing;
mod isolation;
mod lossless;
mod machines;
mod mail;
mod oidc;
mod organizations;
mod otp;
mod password_reset;
mod profile;
mod published;
mod roles;
mod scheduled;
mod second_factor;
mod signin;
mod signup;
mod support;
mod tenants;
mod terminal;
mod users;
