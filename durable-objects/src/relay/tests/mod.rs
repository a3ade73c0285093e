//! The relay against models of an agent and of viewers.
mod commands;
mod properties;
mod rules;
mod world;
