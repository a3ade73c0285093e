//! Prints the API document, which is kept in the repository: `cargo run --example openapi > web/public/openapi.json`.

fn main() -> serde_json::Result<()> {
    println!("{}", serde_json::to_string_pretty(&vsay_edge::document())?);
    Ok(())
}
