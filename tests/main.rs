//! End to end: the real Worker under workerd, the real agent with real shells, real sockets.
//!
//! Needs what `make build` makes. `VSAY_AGENT_BIN` and `VSAY_BIN` say where the agent and the command line are, if not in
//! `target/release/`. A test that fails leaves its logs in the folder it names.
mod auth;
mod cli;
mod errors;
mod isolation;
mod lossless;
mod machines;
mod published;
mod support;
mod terminal;
