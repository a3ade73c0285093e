//! Prints who may call what: `cargo run --example permissions >docs/reference/permissions.md`.

fn main() {
    print!("{}", vsay_edge::permissions());
}
