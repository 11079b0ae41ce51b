//! Between text and the bytes of a short message: `carillon_script::segment` splits and encodes what we say, this reads
//! what people send in whatever alphabet a data_coding names.

use crate::limits;
use carillon_script::segment::{self, Alphabet, Encoded};

/// The parts of a text; none when it needs more than `parts_max`.
pub(super) fn encode(text: &str, parts_max: usize) -> Option<Encoded> {
    let parts_max = parts_max.min(limits::PARTS_MAX);
    // A text this long cannot fit, however it is split; no need to encode it to know.
    if text.len() > segment::GSM_JOINED * limits::PARTS_MAX * 4 {
        return None;
    }
    let encoded = segment::encode(text);
    (encoded.parts.len() <= parts_max).then_some(encoded)
}

/// The data_coding of an alphabet.
pub(super) const fn data_coding(alphabet: Alphabet) -> u8 {
    match alphabet {
        Alphabet::Gsm => 0,
        Alphabet::Ucs2 => 8,
    }
}

/// Reads text in the alphabet a data_coding names.
pub(super) fn decode(data_coding: u8, bytes: &[u8]) -> String {
    match data_coding {
        8 | 0x18..=0x1B => segment::decode(Alphabet::Ucs2, bytes),
        1..=4 | 0xF4..=0xF7 => latin1(bytes),
        // No septet has its high bit set: a carrier that sends such bytes means Latin-1.
        _ if bytes.iter().any(|byte| *byte >= 0x80) => latin1(bytes),
        _ => segment::decode(Alphabet::Gsm, bytes),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alphabets_are_read() {
        for (coding, bytes, text) in [
            (0, &[0x00, 0x1B, 0x65][..], "@€"),
            (0, &[b'c', b'a', b'f', 0xE9], "café"),
            (3, &[0xE9], "é"),
            (8, &[0x04, 0x36, 0xD8, 0x3D, 0xDE, 0x00, 0x00], "ж😀"),
            (0xF0, b"Hi", "Hi"),
        ] {
            assert_eq!(decode(coding, bytes), text);
        }
    }

    #[test]
    fn too_many_parts_are_no_parts() {
        assert_eq!(
            encode(&"a".repeat(306), 2).map(|encoded| encoded.parts.len()),
            Some(2)
        );
        assert_eq!(encode(&"a".repeat(307), 2), None);
        assert_eq!(encode(&"a".repeat(1_000_000), 255), None);
        assert_eq!(encode(&"a".repeat(160), 0), None);
    }

    proptest! {
        #[test]
        fn parts_join_to_the_text(text in "[a-zA-Z0-9 €{}äöü@\n]{0,700}|\\PC{0,300}") {
            let Encoded { alphabet, parts } = encode(&text, 255).expect("fits");
            prop_assert_eq!(decode(data_coding(alphabet), &parts.concat()), text);
        }

        #[test]
        fn any_bytes_are_read(coding: u8, bytes: Vec<u8>) {
            let _ = decode(coding, &bytes);
        }
    }
}
