//! The program against an edge that the tests play.
#![cfg(unix)]
mod exec;
mod leaving;
mod manners;
mod pipes;
mod support;
