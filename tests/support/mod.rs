//! What the tests share: the product running, and those who use it.
pub mod account;
pub mod agent;
pub mod cli;
pub mod issuer;
pub mod loopback;
pub mod mail;
pub mod openapi;
pub mod picture;
pub mod process;
pub mod proxy;
pub mod published;
pub mod random;
pub mod receiver;
pub mod redact;
pub mod sequence;
pub mod sign_in;
pub mod sshd;
pub mod stack;
pub mod system;
pub mod team;
pub mod viewer;
pub mod vultr;
pub mod wait;

use std::path::PathBuf;

/// The root of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A built program: where the environment says, else where `scripts/build.sh native` puts it.
pub fn program(variable: &str, name: &str) -> PathBuf {
    let built = || root().join("build/bin").join(name);
    let path = std::env::var_os(variable).map_or_else(built, PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: build it (make build) or say where it is with {variable}",
        path.display()
    );
    path
}

/// The kind of processor that the programs are for: where they are emulated, the environment says which.
pub fn processor() -> String {
    std::env::var("VSAY_PROCESSOR").unwrap_or_else(|_| std::env::consts::ARCH.to_owned())
}
