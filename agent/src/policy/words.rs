//! What is in a word: whether it is plainly there, and what in it runs something.
use brush_parser::word::{Parameter, ParameterExpr, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions, SourceInfo, ast};

/// What a word has in it that is to be looked at.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A text that is run, and replaced by what it writes.
    Command(String),
    /// What is worked out.
    Arithmetic(String),
    /// A variable that is set.
    Variable(String),
    /// What cannot be told by reading.
    Anything(&'static str),
}

const UNKNOWN: &str = "an expansion that is not understood";
const INDIRECT: &str = "a variable that is named by another";

fn options() -> ParserOptions {
    // As `bash -c` begins.
    ParserOptions {
        enable_extended_globbing: false,
        ..ParserOptions::default()
    }
}

/// The commands of a text, or why it has none that can be read.
pub fn parse(text: &str) -> Result<ast::Program, String> {
    Parser::new(text.as_bytes(), &options(), &SourceInfo::default())
        .parse_program()
        .map_err(|_| "it is not understood".to_owned())
}

fn pieces(word: &str) -> Result<Vec<WordPieceWithSource>, String> {
    brush_parser::word::parse(word, &options()).map_err(|_| "a word in it is not understood".to_owned())
}

/// The word that is run, if it is plainly there: nothing that is expanded, and nothing that stands for files.
pub fn literal(word: &str) -> Option<String> {
    // As they are, these mean nothing.
    if matches!(word, "[" | "{}" | "]") {
        return Some(word.to_owned());
    }
    let mut literal = String::new();
    for piece in pieces(word).ok()? {
        match piece.piece {
            WordPiece::Text(text) => {
                if text.contains(['*', '?', '[', '{', '}', '~', '$', '`', '\\']) {
                    return None;
                }
                literal.push_str(&text);
            }
            WordPiece::SingleQuotedText(text) => literal.push_str(&text),
            WordPiece::EscapeSequence(text) => literal.push_str(escaped(&text)?),
            WordPiece::DoubleQuotedSequence(inner) => {
                for piece in inner {
                    match piece.piece {
                        WordPiece::Text(text) if !text.contains(['$', '`', '\\']) => literal.push_str(&text),
                        WordPiece::EscapeSequence(text) => match escaped(&text)? {
                            plain @ ("$" | "`" | "\"" | "\\") => literal.push_str(plain),
                            // There the backslash stays.
                            _ => return None,
                        },
                        _ => return None,
                    }
                }
            }
            _ => return None,
        }
    }
    Some(literal)
}

/// Whether a word is one whatever is expanded in it: what is not quoted may become several, and so may all arguments and a whole array.
pub fn is_one(word: &str) -> bool {
    let is_one = |piece: &WordPiece| match piece {
        WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
            inner.iter().all(|piece| match &piece.piece {
                WordPiece::ParameterExpansion(ParameterExpr::Parameter {
                    parameter: Parameter::Named(_) | Parameter::Positional(_),
                    indirect: false,
                }) => true,
                WordPiece::ParameterExpansion(_) => !word.contains('@'),
                _ => true,
            })
        }
        WordPiece::ParameterExpansion(_)
        | WordPiece::CommandSubstitution(_)
        | WordPiece::BackquotedCommandSubstitution(_)
        | WordPiece::ArithmeticExpression(_) => false,
        _ => true,
    };
    pieces(word).is_ok_and(|pieces| pieces.iter().all(|piece| is_one(&piece.piece)))
}

/// What a backslash has behind it; nothing if that is a line's end, which goes with it.
fn escaped(text: &str) -> Option<&str> {
    let character = text.strip_prefix('\\')?;
    (character != "\n" && character.chars().count() == 1).then_some(character)
}

/// What a word has in it.
pub fn look_into(word: &str) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    into(pieces(word)?, &mut found)?;
    Ok(found)
}

fn into(pieces: Vec<WordPieceWithSource>, found: &mut Vec<Found>) -> Result<(), String> {
    let mut dollar = false;
    for piece in pieces {
        let after_dollar = std::mem::take(&mut dollar);
        match piece.piece {
            WordPiece::Text(text) => {
                // A dollar that expands nothing is the last thing of its text, and what follows it begins nothing that bash expands.
                let is_odd = text.contains('`') || text.contains("<(") || text.contains(">(");
                let begins = after_dollar && text.starts_with(['[', '(', '{']);
                if is_odd || begins || text.trim_end_matches('$').contains('$') {
                    found.push(Found::Anything(UNKNOWN));
                }
                dollar = text.ends_with('$');
            }
            // There the parser takes the quote behind two backslashes for one that they escape.
            WordPiece::AnsiCQuotedText(text) if text.contains(r"\\'") => found.push(Found::Anything(UNKNOWN)),
            WordPiece::SingleQuotedText(_) | WordPiece::AnsiCQuotedText(_) | WordPiece::EscapeSequence(_) => {}
            // The parser takes all for it that stands before a slash.
            WordPiece::TildePrefix(name) if !name.chars().all(is_plain) => found.push(Found::Anything(UNKNOWN)),
            WordPiece::TildePrefix(_) => {}
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                into(inner, found)?
            }
            WordPiece::CommandSubstitution(text) => found.push(Found::Command(text)),
            // What backslashes there take away, the parser may leave.
            WordPiece::BackquotedCommandSubstitution(text) if text.contains('\\') => {
                found.push(Found::Anything("backquotes with backslashes"));
            }
            WordPiece::BackquotedCommandSubstitution(text) => found.push(Found::Command(text)),
            WordPiece::ArithmeticExpression(expression) => found.push(Found::Arithmetic(expression.value)),
            WordPiece::ParameterExpansion(expression) => parameter(expression, found)?,
            #[allow(
                unreachable_patterns,
                reason = "what the parser learns to read is not understood before it is here"
            )]
            _ => found.push(Found::Anything(UNKNOWN)),
        }
    }
    Ok(())
}

/// Whether a character means nothing to bash.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._+-,@%".contains(c)
}

/// `${…}`
fn parameter(expression: ParameterExpr, found: &mut Vec<Found>) -> Result<(), String> {
    use ParameterExpr as Is;
    let (parameter, indirect, words) = match expression {
        Is::Parameter { parameter, indirect } | Is::ParameterLength { parameter, indirect } => {
            (parameter, indirect, vec![])
        }
        Is::UseDefaultValues {
            parameter,
            indirect,
            default_value,
            ..
        } => (parameter, indirect, vec![default_value]),
        Is::AssignDefaultValues {
            parameter,
            indirect,
            default_value,
            ..
        } => {
            if let Parameter::Named(name) = &parameter {
                found.push(Found::Variable(name.clone()));
            }
            (parameter, indirect, vec![default_value])
        }
        Is::IndicateErrorIfNullOrUnset {
            parameter,
            indirect,
            error_message,
            ..
        } => (parameter, indirect, vec![error_message]),
        Is::UseAlternativeValue {
            parameter,
            indirect,
            alternative_value,
            ..
        } => (parameter, indirect, vec![alternative_value]),
        Is::RemoveSmallestSuffixPattern {
            parameter,
            indirect,
            pattern,
        }
        | Is::RemoveLargestSuffixPattern {
            parameter,
            indirect,
            pattern,
        }
        | Is::RemoveSmallestPrefixPattern {
            parameter,
            indirect,
            pattern,
        }
        | Is::RemoveLargestPrefixPattern {
            parameter,
            indirect,
            pattern,
        }
        | Is::UppercaseFirstChar {
            parameter,
            indirect,
            pattern,
        }
        | Is::UppercasePattern {
            parameter,
            indirect,
            pattern,
        }
        | Is::LowercaseFirstChar {
            parameter,
            indirect,
            pattern,
        }
        | Is::LowercasePattern {
            parameter,
            indirect,
            pattern,
        } => (parameter, indirect, vec![pattern]),
        Is::ReplaceSubstring {
            parameter,
            indirect,
            pattern,
            replacement,
            ..
        } => (parameter, indirect, vec![Some(pattern), replacement]),
        Is::Substring {
            parameter,
            indirect,
            offset,
            length,
        } => {
            found.push(Found::Arithmetic(offset.value));
            found.extend(length.map(|length| Found::Arithmetic(length.value)));
            (parameter, indirect, vec![])
        }
        // `@P` runs what is in a value, and what the others do is for few to know.
        _ => {
            found.push(Found::Anything("a transformation of a variable"));
            return Ok(());
        }
    };
    if indirect {
        found.push(Found::Anything(INDIRECT));
    }
    if let Parameter::NamedWithIndex { index, .. } = parameter {
        found.push(Found::Arithmetic(index));
    }
    for word in words.into_iter().flatten() {
        // Within double quotes, single ones mean nothing there.
        if word.contains('\'') && word.contains(['$', '`']) {
            found.push(Found::Anything("quotes within an expansion"));
        }
        into(pieces(&word)?, found)?;
    }
    Ok(())
}
