//! The relay against models of an agent and of viewers.
mod arrival;
mod command_output;
mod commands;
mod commands_run;
mod describe;
mod limits;
mod liveness;
mod properties;
mod queued;
mod recordings;
mod records;
mod relay_sim;
mod rights;
mod rules;
mod sharing;
mod size;
mod strangers;
