//! The shell client of VSAY Edge.
//!
//! - `args.rs`: what may be typed
//! - `audit.rs`: the check of an exported audit log
//! - `commands/`: one file per subcommand
//! - `client.rs`: the REST API as far as it is used here
//! - `config.rs`: what is kept between two runs
//! - `qr.rs`: a text as a picture for a telephone
//! - `terminal/`: a terminal that survives a cut: `viewer.rs` is its end of the protocol without I/O, `run.rs` the loop
//!   around it, `tty.rs` the local terminal
#![forbid(unsafe_code)]
// They panic when nobody reads any more. `commands::say` and `error::tell` do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod audit;
mod client;
mod commands;
mod config;
mod error;
mod qr;
mod terminal;

pub use args::Args;

/// Runs one command to its end and answers the status to exit with.
pub fn main(args: Args) -> i32 {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            error::tell(&format!("vsay: cannot start: {error}\n"));
            return error::FAILED;
        }
    };
    let outcome = runtime.block_on(commands::run(args));
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| {
        if !error.is_broken_pipe() {
            error::tell(&format!("vsay: {error}\n"));
        }
        error.exit_status()
    })
}
