//! Jobs: scripts of services that run on a runner. What they write has no secrets in it ([`mask`]) and becomes text ([`text`]).
pub mod mask;
pub mod text;
