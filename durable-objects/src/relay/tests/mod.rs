//! The relay against models of an agent and of viewers.
mod commands;
mod properties;
mod records;
mod relay_sim;
mod rules;
