//! Prints the OpenAPI document that `/openapi.json` serves: `cargo run --example openapi`.

fn main() -> serde_json::Result<()> {
    println!("{}", serde_json::to_string_pretty(&vsay_edge::document())?);
    Ok(())
}
