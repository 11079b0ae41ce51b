//! Why a Script was refused, with the place.

use std::fmt;

/// A place in a content, both counted from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The beginning of a content.
    pub const START: Position = Position { line: 1, column: 1 };

    /// The place of a byte offset.
    pub(crate) fn of(text: &str, offset: usize) -> Position {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        }
    }
}

fn count(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX - 1) + 1
}

/// A Script that was refused. The message may be shown to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The content it is about; none when it is about the contents as a whole.
    pub content: Option<String>,
    /// The line in it.
    pub line: u32,
    /// The column in it.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Some(content) => {
                let Error {
                    line,
                    column,
                    message,
                    ..
                } = self;
                write!(
                    formatter,
                    "{content}, line {line}, column {column}: {message}"
                )
            }
            None => formatter.write_str(&self.message),
        }
    }
}

/// A fault at a place of the content being read; the reader of contents adds the content's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub position: Position,
    pub message: String,
}

impl At {
    pub fn new(position: Position, message: impl Into<String>) -> Self {
        At {
            position,
            message: message.into(),
        }
    }

    pub fn in_content(self, name: &str) -> Error {
        Error {
            content: Some(name.to_owned()),
            line: self.position.line,
            column: self.position.column,
            message: self.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn places_are_lines_and_characters() {
        let text = "ab\nçd\n";
        let at = |offset| {
            let Position { line, column } = Position::of(text, offset);
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 3));
        assert_eq!(at(3), (2, 1));
        assert_eq!(at(4), (2, 1), "inside a character is its beginning");
        assert_eq!(at(5), (2, 2));
        assert_eq!(at(99), (3, 1));
    }
}
