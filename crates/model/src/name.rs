//! Names, and how they are compared: after NFC and simple case folding (`api.md` I5).

use unicode_normalization::UnicodeNormalization;

/// The trimmed NFC form under which a name is stored.
pub fn tidy(name: &str) -> String {
    name.trim().nfc().collect()
}

/// The form under which names are compared and kept unique.
pub fn fold(name: &str) -> String {
    name.trim()
        .nfc()
        .flat_map(char::to_lowercase)
        .nfc()
        .collect()
}

/// Whether a name holds a character that names may not hold: `<` `>` `&` `"`, controls, or what cannot be printed.
pub fn has_forbidden_character(name: &str) -> bool {
    name.chars()
        .any(|character| matches!(character, '<' | '>' | '&' | '"') || is_unprintable(character))
}

/// Controls, line and paragraph separators, and code points that are no characters.
pub fn is_unprintable(character: char) -> bool {
    let code = character as u32;
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
        || (0xfdd0..=0xfdef).contains(&code)
        || code & 0xfffe == 0xfffe
}

/// `pattern` of a sample: `*` stands for any run of characters, compared without case (`api.md` 1.6).
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (fold(pattern), fold(text));
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut pieces: Vec<&str> = pieces.collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold() {
        assert_eq!(fold(" October "), fold("oCTOBER"));
        assert_eq!(fold("E\u{301}cole"), fold("école"));
        assert_ne!(fold("a"), fold("b"));
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, matches) in [
            ("octo*", "October", true),
            ("*ber", "October", true),
            ("*tob*", "October", true),
            ("o*o*r", "October", true),
            ("october", "October-1", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), matches, "{pattern} {text}");
        }
    }
}
