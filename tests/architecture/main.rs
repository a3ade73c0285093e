//! What the shape of the source tree promises: read from the source itself, so that no list has to be kept by hand.
mod decoding;
mod graph;
mod imports;
mod log;
mod names;
mod paths;
mod source;
mod statements;
mod tables;
