//! The `vsay-agent` executable; everything is in the library.
use std::process::ExitCode;

/// That of musl takes a lock for each allocation and gives memory back at each turn.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    vsay_agent::command_line::main()
}

/// Where the agent cannot run it can still be built, so that whoever builds the whole learns why from words.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!(
        "vsay-agent: the agent runs on Linux only, and this is {}. Reach machines from here with `vsay` or the browser console.",
        std::env::consts::OS
    );
    ExitCode::FAILURE
}
