//! End to end: the real Worker under workerd, the real agent with real shells, real sockets.
//!
//! Needs what `make build` makes. `VSAY_AGENT_BIN` and `VSAY_BIN` say where the agent and the command line are, if not in
//! `build/bin/`. A test that fails leaves its logs in the folder it names.
#[path = "../support/mod.rs"]
mod support;

mod access_requests;
mod accounts;
mod alerts;
mod ansible;
mod api_keys;
mod audit_log;
mod branding;
mod cli;
mod command_logs;
mod commands;
mod community;
mod defects;
mod dist;
mod duplicates;
mod groups;
mod instances;
mod inventory;
mod inventory_action_kinds;
mod inventory_actions;
mod inventory_sync;
mod job_load;
mod job_starts;
mod jobs;
mod limits;
mod live;
mod log_management;
mod machine_access;
mod machine_keys;
mod machines;
mod mail;
mod metrics;
mod oidc;
mod operator;
mod organizations;
mod profile;
mod provider_faults;
mod recordings;
mod request_log;
mod roles;
mod scheduled;
mod schedules;
mod service_configs;
mod service_files;
mod service_outputs;
mod services;
mod sessions;
mod sharing;
mod sign_in;
mod sign_up;
mod ssh;
mod sweeps;
mod terminals;
mod users;
mod v1_companions;
mod v1_sessions;
mod webhooks;
