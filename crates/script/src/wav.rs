//! The recordings a Script may hold (`scripts.md` S3): RIFF, PCM of 8 or 16 bits or G.711, mono, 8 or 16 kHz. Text
//! scripts play nothing; their recordings are checked all the same, so that what is stored is what it says it is.

const PCM: u16 = 1;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;

/// Checks the header; the message says what is wrong.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err("a recording is a RIFF file of kind WAVE".to_owned());
    }
    let mut rest = &bytes[12..];
    let mut format_seen = false;
    // Every turn takes at least the eight bytes of a chunk's header.
    while let Some((header, body)) = rest.split_first_chunk::<8>() {
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(chunk) = body.get(..size) else {
            return Err("the recording is cut short".to_owned());
        };
        match &header[..4] {
            b"fmt " => {
                check_format(chunk)?;
                format_seen = true;
            }
            b"data" if !format_seen => {
                return Err("the recording's sound comes before its format".to_owned());
            }
            b"data" => return Ok(()),
            _ => {}
        }
        rest = body.get(size + size % 2..).unwrap_or_default();
    }
    Err("the recording has no sound".to_owned())
}

fn check_format(chunk: &[u8]) -> Result<(), String> {
    let number = |at: usize| {
        chunk
            .get(at..at + 2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
    };
    let (Some(kind), Some(channels), Some(low), Some(high), Some(bits)) =
        (number(0), number(2), number(4), number(6), number(14))
    else {
        return Err("the recording's format is cut short".to_owned());
    };
    let rate = u32::from(high) << 16 | u32::from(low);
    if !matches!((kind, bits), (PCM, 8 | 16) | (A_LAW | MU_LAW, 8)) {
        return Err("a recording is PCM of 8 or 16 bits, or G.711".to_owned());
    }
    if channels != 1 {
        return Err("a recording is mono".to_owned());
    }
    if rate != 8_000 && rate != 16_000 {
        return Err("a recording has 8 or 16 kHz".to_owned());
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn wav(kind: u16, channels: u16, rate: u32, bits: u16, sound: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * u32::from(bits) / 8).to_le_bytes());
        bytes.extend((bits / 8).to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(u32::try_from(sound.len()).expect("short").to_le_bytes());
        bytes.extend(sound);
        bytes
    }

    #[test]
    fn headers() {
        for (kind, bits) in [(PCM, 8), (PCM, 16), (A_LAW, 8), (MU_LAW, 8)] {
            for rate in [8_000, 16_000] {
                assert_eq!(check(&wav(kind, 1, rate, bits, b"sound")), Ok(()));
            }
        }
        for bad in [
            wav(PCM, 2, 8_000, 8, b""),
            wav(PCM, 1, 44_100, 16, b""),
            wav(3, 1, 8_000, 32, b""),
            wav(A_LAW, 1, 8_000, 16, b""),
            b"RIFF".to_vec(),
            Vec::new(),
            b"ID3 mp3 and so on".to_vec(),
        ] {
            assert!(check(&bad).is_err());
        }
        let good = wav(PCM, 1, 8_000, 8, b"sound");
        for length in 0..good.len() {
            assert!(check(&good[..length]).is_err(), "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..80_usize) {
            let _ = check(&bytes);
            let mut header = wav(PCM, 1, 8_000, 8, b"sound");
            header.truncate(cut);
            header.extend(bytes);
            let _ = check(&header);
        }
    }
}
