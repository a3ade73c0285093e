//! The relay against models of an agent and of viewers.
mod commands;
mod properties;
mod relay_sim;
mod rules;
