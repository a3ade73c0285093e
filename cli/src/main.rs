//! The `vsay` executable; everything is in the library.
use clap::Parser;

fn main() {
    let args = vsay_cli::Args::parse();
    // Leaves without waiting for the thread that may be blocked reading the keyboard.
    std::process::exit(vsay_cli::main(args));
}
