//! How a text becomes the parts of a text message: GSM 03.38 where every character fits, else UCS-2; one part of 160
//! septets or 70 units, or several of 153 or 67 with a header that joins them. A part never ends between an escape
//! and its character or inside a surrogate pair, so each part can be read alone.

pub mod gsm;

/// Septets of a lone GSM part.
pub const GSM_SINGLE: usize = 160;
/// Septets of each of several GSM parts.
pub const GSM_JOINED: usize = 153;
/// UTF-16 units of a lone UCS-2 part.
pub const UCS2_SINGLE: usize = 70;
/// UTF-16 units of each of several UCS-2 parts.
pub const UCS2_JOINED: usize = 67;

/// How the octets of a part are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// One septet to an octet, unpacked.
    Gsm,
    /// UTF-16, big end first.
    Ucs2,
}

/// A text in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The alphabet of all parts.
    pub alphabet: Alphabet,
    /// At least one; without the joining header.
    pub parts: Vec<Vec<u8>>,
}

/// Encodes a text. The number of parts is bounded only by the text: `maxParts` of a Script keeps it far below the 255
/// that a joining header can count.
pub fn encode(text: &str) -> Encoded {
    match gsm_parts(text) {
        Some(parts) => Encoded {
            alphabet: Alphabet::Gsm,
            parts,
        },
        None => Encoded {
            alphabet: Alphabet::Ucs2,
            parts: ucs2_parts(text),
        },
    }
}

/// How many parts a text takes, without building them.
pub fn count(text: &str) -> usize {
    let gsm_size = |character| gsm::septet(character).map(|(escaped, _)| 1 + usize::from(escaped));
    let Some(septets) = text.chars().map(gsm_size).sum::<Option<usize>>() else {
        return count_parts(text.chars().map(char::len_utf16), UCS2_SINGLE, UCS2_JOINED);
    };
    if septets <= GSM_SINGLE {
        return 1;
    }
    count_parts(text.chars().filter_map(gsm_size), GSM_SINGLE, GSM_JOINED)
}

fn count_parts(sizes: impl Iterator<Item = usize>, single: usize, joined: usize) -> usize {
    let (mut total, mut parts, mut filled) = (0, 1, 0);
    for size in sizes {
        total += size;
        if filled + size > joined {
            parts += 1;
            filled = 0;
        }
        filled += size;
    }
    if total <= single { 1 } else { parts }
}

/// Reads a part back.
pub fn decode(alphabet: Alphabet, octets: &[u8]) -> String {
    match alphabet {
        Alphabet::Gsm => gsm::decode(octets),
        Alphabet::Ucs2 => {
            let units = octets
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
    }
}

fn gsm_parts(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        let (escaped, septet) = gsm::septet(character)?;
        if escaped {
            septets.push(gsm::ESCAPE);
        }
        septets.push(septet);
    }
    if septets.len() <= GSM_SINGLE {
        return Some(vec![septets]);
    }
    let mut parts = Vec::new();
    let mut rest = septets.as_slice();
    while !rest.is_empty() {
        let mut end = GSM_JOINED.min(rest.len());
        // An escape is never followed by a second one here, so one step back is enough.
        if end < rest.len() && rest[end - 1] == gsm::ESCAPE {
            end -= 1;
        }
        parts.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    Some(parts)
}

fn ucs2_parts(text: &str) -> Vec<Vec<u8>> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let octets = |units: &[u16]| {
        units
            .iter()
            .flat_map(|unit| unit.to_be_bytes())
            .collect::<Vec<u8>>()
    };
    if units.len() <= UCS2_SINGLE {
        return vec![octets(&units)];
    }
    let mut parts = Vec::new();
    let mut rest = units.as_slice();
    while !rest.is_empty() {
        let mut end = UCS2_JOINED.min(rest.len());
        if end < rest.len() && (0xd800..0xdc00).contains(&rest[end - 1]) {
            end -= 1;
        }
        parts.push(octets(&rest[..end]));
        rest = &rest[end..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_at_the_edges() {
        let cases = [
            ("".to_owned(), Alphabet::Gsm, 1),
            ("a".repeat(160), Alphabet::Gsm, 1),
            ("a".repeat(161), Alphabet::Gsm, 2),
            ("a".repeat(306), Alphabet::Gsm, 2),
            ("a".repeat(307), Alphabet::Gsm, 3),
            ("€".repeat(80), Alphabet::Gsm, 1),
            // 76 euros and half of one would fit; the half moves over.
            ("€".repeat(81), Alphabet::Gsm, 2),
            ("€".repeat(153), Alphabet::Gsm, 3),
            ("漢".repeat(70), Alphabet::Ucs2, 1),
            ("漢".repeat(71), Alphabet::Ucs2, 2),
            ("漢".repeat(134), Alphabet::Ucs2, 2),
            ("😀".repeat(35), Alphabet::Ucs2, 1),
            ("😀".repeat(66), Alphabet::Ucs2, 2),
            ("😀".repeat(67), Alphabet::Ucs2, 3),
        ];
        for (text, alphabet, parts) in cases {
            let encoded = encode(&text);
            assert_eq!(
                (encoded.alphabet, encoded.parts.len()),
                (alphabet, parts),
                "{text}"
            );
            assert_eq!(count(&text), parts, "{text}");
        }
        assert_eq!(encode("é€").parts, [vec![0x05, 0x1b, 0x65]]);
        assert_eq!(encode("ж").parts, [vec![0x04, 0x36]]);
    }

    fn texts() -> impl Strategy<Value = String> {
        let gsm = prop::collection::vec(
            prop::sample::select("aZ09 @é€[]^\n".chars().collect::<Vec<_>>()),
            0..700,
        );
        let any = prop::collection::vec(
            prop::sample::select("a€漢😀ж".chars().collect::<Vec<_>>()),
            0..400,
        );
        prop_oneof![
            gsm.prop_map(String::from_iter),
            any.prop_map(String::from_iter),
            any_text(),
        ]
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop::collection::vec(any::<char>(), 0..300).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn parts_are_within_bounds_and_join_to_the_text(text in texts()) {
            let encoded = encode(&text);
            prop_assert_eq!(count(&text), encoded.parts.len());
            let (single, joined, width) = match encoded.alphabet {
                Alphabet::Gsm => (GSM_SINGLE, GSM_JOINED, 1),
                Alphabet::Ucs2 => (UCS2_SINGLE, UCS2_JOINED, 2),
            };
            let bound = if encoded.parts.len() == 1 { single } else { joined };
            let mut read = String::new();
            for part in &encoded.parts {
                prop_assert!(part.len() <= bound * width);
                // Each part is read alone: nothing was torn.
                read.push_str(&decode(encoded.alphabet, part));
            }
            prop_assert_eq!(read, text);
        }

        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (decode(Alphabet::Gsm, &octets), decode(Alphabet::Ucs2, &octets));
        }
    }
}
