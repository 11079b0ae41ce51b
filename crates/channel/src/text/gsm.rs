//! GSM 03.38 as bytes: the default alphabet with its extension table, unpacked, one septet per byte, as SMPP carries it.
//! Splits a text into parts that fit one short message each, and reads what people send.

use crate::limits;

/// The default alphabet; the position is the septet. 0x1B leads into the extension table.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', 'Δ', '_',
    'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', ' ', '!', '"', '#',
    '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', '0', '1', '2', '3', '4', '5', '6',
    '7', '8', '9', ':', ';', '<', '=', '>', '?', '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I',
    'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö',
    'Ñ', 'Ü', '§', '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: each takes two septets.
const EXTENSION: [(char, u8); 10] = [
    ('\u{c}', 0x0A),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2F),
    ('[', 0x3C),
    ('~', 0x3D),
    (']', 0x3E),
    ('|', 0x40),
    ('€', 0x65),
];

const ESCAPE: u8 = 0x1B;

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// The default alphabet, data_coding 0.
    Gsm,
    /// UTF-16, big end first, data_coding 8.
    Ucs2,
}

impl Alphabet {
    pub(crate) const fn data_coding(self) -> u8 {
        match self {
            Self::Gsm => 0,
            Self::Ucs2 => 8,
        }
    }

    /// Bytes that fit a message of one part, and each part of several.
    const fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm => (160, 153),
            Self::Ucs2 => (140, 134),
        }
    }
}

fn septet(character: char) -> Option<u8> {
    if character.is_ascii_alphanumeric() || character == ' ' {
        return Some(character as u8);
    }
    if character == '\u{1b}' {
        return None;
    }
    BASIC
        .iter()
        .position(|&known| known == character)
        .and_then(|at| u8::try_from(at).ok())
}

fn extended(character: char) -> Option<u8> {
    EXTENSION
        .iter()
        .find(|(known, _)| *known == character)
        .map(|&(_, code)| code)
}

/// The parts of a text; none when it needs more than `parts_max`. No character is split over two parts.
pub(crate) fn encode(text: &str, parts_max: usize) -> Option<(Alphabet, Vec<Vec<u8>>)> {
    let gsm = text
        .chars()
        .all(|character| septet(character).is_some() || extended(character).is_some());
    let alphabet = if gsm { Alphabet::Gsm } else { Alphabet::Ucs2 };
    let (single, several) = alphabet.room();
    // A text this long cannot fit, however it is split; no need to encode it to know.
    if text.chars().count() > several * limits::PARTS_MAX {
        return None;
    }
    let whole = encode_part(text, alphabet);
    if whole.len() <= single {
        return Some((alphabet, vec![whole]));
    }
    let mut parts = vec![Vec::with_capacity(several)];
    for character in text.chars() {
        let encoded = encode_part(character.encode_utf8(&mut [0; 4]), alphabet);
        if parts
            .last()
            .is_none_or(|part| part.len() + encoded.len() > several)
        {
            parts.push(Vec::with_capacity(several));
        }
        parts
            .last_mut()
            .expect("pushed above")
            .extend_from_slice(&encoded);
    }
    (parts.len() <= parts_max.min(limits::PARTS_MAX)).then_some((alphabet, parts))
}

fn encode_part(text: &str, alphabet: Alphabet) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    match alphabet {
        Alphabet::Gsm => {
            for character in text.chars() {
                match (septet(character), extended(character)) {
                    (Some(septet), _) => bytes.push(septet),
                    (None, Some(code)) => bytes.extend_from_slice(&[ESCAPE, code]),
                    (None, None) => bytes.push(b'?'),
                }
            }
        }
        Alphabet::Ucs2 => bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
    }
    bytes
}

/// Reads unpacked septets. An unknown extension reads as the basic character, as the standard asks.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut escaped = false;
    for &byte in bytes {
        if escaped {
            escaped = false;
            match EXTENSION.iter().find(|&&(_, code)| code == byte) {
                Some((character, _)) => text.push(*character),
                None => text.push(basic(byte)),
            }
        } else if byte == ESCAPE {
            escaped = true;
        } else {
            text.push(basic(byte));
        }
    }
    text
}

fn basic(byte: u8) -> char {
    // Bytes above 0x7F are no septets: a carrier that sends them means Latin-1.
    BASIC
        .get(usize::from(byte))
        .copied()
        .unwrap_or(char::from(byte))
}

/// Reads text in the alphabet a data_coding names.
pub(crate) fn decode_as(data_coding: u8, bytes: &[u8]) -> String {
    match data_coding {
        8 | 0x18..=0x1B => {
            let units = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        1 | 2 | 3 | 4 | 0xF4..=0xF7 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        _ => decode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_follow_the_standard() {
        for (text, alphabet, lengths) in [
            ("Grüße {€}".to_owned(), Alphabet::Gsm, vec![12]),
            ("a".repeat(160), Alphabet::Gsm, vec![160]),
            ("a".repeat(161), Alphabet::Gsm, vec![153, 8]),
            ("a".repeat(152) + "€aaaaaaaaa", Alphabet::Gsm, vec![152, 11]),
            ("ж".repeat(70), Alphabet::Ucs2, vec![140]),
            ("ж".repeat(71), Alphabet::Ucs2, vec![134, 8]),
            ("ж".repeat(66) + "😀жжжж", Alphabet::Ucs2, vec![132, 12]),
            (String::new(), Alphabet::Gsm, vec![0]),
        ] {
            let (found, parts) = encode(&text, 6).expect("fits");
            assert_eq!(found, alphabet, "{text}");
            assert_eq!(
                parts.iter().map(Vec::len).collect::<Vec<_>>(),
                lengths,
                "{text}"
            );
        }
        assert_eq!(encode(&"a".repeat(307), 2), None, "three parts");
        assert_eq!(encode(&"a".repeat(1_000_000), 255), None);
    }

    #[test]
    fn alphabets_are_read() {
        assert_eq!(decode_as(0, &[0x00, 0x1B, 0x65, 0x1B, 0x41, 0x1B]), "@€A");
        assert_eq!(decode_as(3, &[0xE9]), "é");
        assert_eq!(
            decode_as(8, &[0x04, 0x36, 0xD8, 0x3D, 0xDE, 0x00, 0x00]),
            "ж😀"
        );
    }

    proptest! {
        #[test]
        fn parts_join_to_the_text(text in "[a-zA-Z0-9 €{}äöü@\n]{0,700}|\\PC{0,300}") {
            let (alphabet, parts) = encode(&text, 255).expect("fits");
            prop_assert_eq!(decode_as(alphabet.data_coding(), &parts.concat()), text);
        }

        #[test]
        fn any_bytes_are_read(coding: u8, bytes: Vec<u8>) {
            let _ = decode_as(coding, &bytes);
        }
    }
}
