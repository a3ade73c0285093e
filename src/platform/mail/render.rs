//! A letter as text and as HTML, both from the same words.
use maud::{DOCTYPE, html};

use super::letter::{Block, Content};

/// The name at the foot of every letter.
const PRODUCT: &str = "VSAY Edge";

/// The letter for programs that show text only.
pub fn text(content: &Content, base_url: &str) -> String {
    let mut text = String::new();
    for block in &content.blocks {
        match block {
            Block::Text(words) => text.push_str(words),
            Block::Link { label, url } => text.push_str(&format!("{label}:\n{url}")),
            Block::Code(code) => text.push_str(&format!("    {code}")),
        }
        text.push_str("\n\n");
    }
    text.push_str(&format!("-- \n{PRODUCT}\n{base_url}\n"));
    text
}

/// The letter for all others. Styles are inline because mail programs drop the others; colours are left to the program where
/// possible, so that it is readable in the light and in the dark.
pub fn html(content: &Content, base_url: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="color-scheme" content="light dark";
                title { (content.subject) }
            }
            body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif" {
                div style="max-width:36em;margin:0 auto" {
                    @for block in &content.blocks {
                        @match block {
                            Block::Text(words) => p { (words) }
                            Block::Link { label, url } => {
                                p {
                                    a href=(url) style="display:inline-block;padding:10px 18px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none" { (label) }
                                }
                                p style="font-size:13px;word-break:break-all" { (url) }
                            }
                            Block::Code(code) => p style="font:600 28px/1.5 ui-monospace,monospace;letter-spacing:.2em" { (code) }
                        }
                    }
                    hr style="border:0;border-top:1px solid #8884";
                    p style="font-size:13px" { a href=(base_url) style="color:inherit" { (PRODUCT) } }
                }
            }
        }
    };
    page.into_string()
}
