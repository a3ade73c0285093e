//! The `vsay` executable; everything is in the library.
use clap::Parser;

/// That of musl takes a lock for each allocation and gives memory back at each turn.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = vsay_cli::Args::parse();
    // Leaves without waiting for the thread that may be blocked reading the keyboard.
    std::process::exit(vsay_cli::main(args));
}
