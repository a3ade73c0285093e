//! A letter as text and as HTML, both from the same words.
use maud::{DOCTYPE, html};

use super::letter::{Block, Content};
use crate::platform::brand::{Brand, Color};

/// What is to be pressed is of this colour, where nobody has chosen another.
const ACCENT: &str = "#1d4ed8";

/// The letter for programs that show text only.
pub fn text(content: &Content, base_url: &str, brand: &Brand) -> String {
    let mut text = String::new();
    for block in &content.blocks {
        match block {
            Block::Text(words) => text.push_str(&brand.named(words)),
            Block::Link { label, url } => text.push_str(&format!("{}:\n{url}", brand.named(label))),
            Block::Code(code) => text.push_str(&format!("    {code}")),
        }
        text.push_str("\n\n");
    }
    text.push_str(&format!("-- \n{}\n{base_url}\n", brand.name()));
    text
}

/// The letter for all others. Styles are inline because mail programs drop the others; colours are left to the program where
/// possible, so that it is readable in the light and in the dark. A name that somebody has chosen stands above it, on white, as its colours
/// are chosen for the light.
pub fn html(content: &Content, base_url: &str, brand: &Brand) -> String {
    let (ground, ink) = button(brand.color);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="color-scheme" content="light dark";
                title { (brand.named(&content.subject)) }
            }
            body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif" {
                div style="max-width:36em;margin:0 auto" {
                    @if let Some(parts) = brand.own() {
                        p style="margin:0 0 24px;padding:12px 16px;border-radius:6px;background:#ffffff;color:#111111;font:600 20px/1.3 system-ui,sans-serif" {
                            @for (index, (text, color)) in parts.iter().enumerate() {
                                @if index > 0 { " " }
                                @match color.filter(|color| color.is_readable_on_white()) {
                                    Some(color) => span style={ "color:" (color.css()) } { (text) }
                                    None => (text),
                                }
                            }
                        }
                    }
                    @for block in &content.blocks {
                        @match block {
                            Block::Text(words) => p { (brand.named(words)) }
                            Block::Link { label, url } => {
                                p {
                                    a href=(url) style={ "display:inline-block;padding:10px 18px;border-radius:6px;background:" (ground) ";color:" (ink) ";text-decoration:none" } { (brand.named(label)) }
                                }
                                p style="font-size:13px;word-break:break-all" { (url) }
                            }
                            Block::Code(code) => p style="font:600 28px/1.5 ui-monospace,monospace;letter-spacing:.2em" { (code) }
                        }
                    }
                    hr style="border:0;border-top:1px solid #8884";
                    p style="font-size:13px" { a href=(base_url) style="color:inherit" { (brand.name()) } }
                }
            }
        }
    };
    page.into_string()
}

/// The colours of what is to be pressed: behind its words, and theirs.
fn button(color: Option<Color>) -> (String, &'static str) {
    let ground = color.map_or_else(|| ACCENT.to_owned(), Color::css);
    let ink = if color.is_none_or(Color::is_readable_on_white) {
        "#ffffff"
    } else {
        "#000000"
    };
    (ground, ink)
}
