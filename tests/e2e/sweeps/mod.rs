//! What holds of every operation of the API document, so that a new one is covered the day it is written.
mod answers;
mod compatibility;
mod errors;
mod isolation;
mod permissions;
