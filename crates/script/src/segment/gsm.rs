//! The GSM 03.38 default alphabet with its extension table, one septet to an octet (unpacked), as SMPP carries it.

/// Announces a character of the extension table.
pub const ESCAPE: u8 = 0x1b;

/// The default alphabet in its own order; place 27 is the escape and no character.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à', //
];

const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

const NONE: u8 = 0xff;
const EXTENDED: u8 = 0x80;
/// Past the last character of the basic alphabet (Ω, U+03A9).
const TABLE_SIZE: usize = 0x3b0;

/// Septet by code point, with the high bit set for the extension table. The euro alone lies beyond the table.
static TABLE: [u8; TABLE_SIZE] = table();

const fn table() -> [u8; TABLE_SIZE] {
    let mut table = [NONE; TABLE_SIZE];
    let mut septet = 0;
    while septet < BASIC.len() {
        if septet != ESCAPE as usize {
            table[BASIC[septet] as usize] = septet as u8;
        }
        septet += 1;
    }
    let mut index = 0;
    while index < EXTENSION.len() {
        let (septet, character) = EXTENSION[index];
        if (character as usize) < TABLE_SIZE {
            table[character as usize] = septet | EXTENDED;
        }
        index += 1;
    }
    table
}

/// The septet of a character, and whether the escape goes before it.
pub(super) fn septet(character: char) -> Option<(bool, u8)> {
    if character == '€' {
        return Some((true, 0x65));
    }
    match TABLE.get(character as usize) {
        None | Some(&NONE) => None,
        Some(&septet) => Some((septet & EXTENDED != 0, septet & !EXTENDED)),
    }
}

/// Reads unpacked septets; the high bit is ignored. As the standard asks, a septet that the extension table does not
/// know is read by the default alphabet, and an escape before nothing or before another escape is a space.
pub fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut rest = septets.iter().map(|octet| octet & 0x7f);
    while let Some(septet) = rest.next() {
        if septet != ESCAPE {
            text.push(BASIC[usize::from(septet)]);
            continue;
        }
        match rest.next() {
            None | Some(ESCAPE) => text.push(' '),
            Some(next) => {
                let extended = EXTENSION.iter().find(|(septet, _)| *septet == next);
                text.push(extended.map_or(BASIC[usize::from(next)], |(_, character)| *character));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_septet_and_its_character_agree() {
        for (septet_expected, character) in BASIC.iter().enumerate() {
            if *character != '\u{1b}' {
                assert_eq!(
                    septet(*character),
                    Some((false, septet_expected as u8)),
                    "{character:?}"
                );
            }
        }
        for (code, character) in EXTENSION {
            assert_eq!(septet(character), Some((true, code)), "{character:?}");
        }
        for character in [
            '\u{1b}',
            '`',
            'ç',
            'á',
            '’',
            '\t',
            '\0',
            'Ω'.to_lowercase().next().expect("one"),
            '漢',
            '😀',
        ] {
            assert_eq!(septet(character), None, "{character:?}");
        }
        assert_eq!(septet('@'), Some((false, 0)));
        assert_eq!(septet('Ω'), Some((false, 0x15)));
    }

    #[test]
    fn odd_escapes_are_read_as_the_standard_says() {
        assert_eq!(decode(&[0x41, ESCAPE, 0x65]), "A€");
        assert_eq!(decode(&[ESCAPE, 0x41]), "A");
        assert_eq!(decode(&[ESCAPE, ESCAPE, 0x41]), " A");
        assert_eq!(decode(&[ESCAPE]), " ");
        assert_eq!(decode(&[0xc1]), "A");
    }
}
