//! Keys and certificates in PEM files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The blocks of a file: the label and the bytes of each.
pub(super) fn blocks(text: &str) -> Result<Vec<(String, Vec<u8>)>, &'static str> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines().map(str::trim) {
        let label = |prefix: &str| {
            let label = line.strip_prefix(prefix)?.strip_suffix("-----")?;
            Some(label.to_owned())
        };
        if let Some(label) = label("-----BEGIN ") {
            open = Some((label, String::new()));
        } else if let Some(end) = label("-----END ") {
            let (label, data) = open.take().ok_or("an END without its BEGIN")?;
            if label != end {
                return Err("BEGIN and END do not match");
            }
            let bytes = BASE64.decode(data).map_err(|_| "a block is not base64")?;
            blocks.push((label, bytes));
        } else if let Some((_, data)) = &mut open {
            data.push_str(line);
        }
    }
    match open {
        Some(_) => Err("a BEGIN without its END"),
        None => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read() {
        let text = "comment\n-----BEGIN A B-----\r\nAAEC\r\nAw==\n-----END A B-----\n";
        assert_eq!(blocks(text), Ok(vec![("A B".to_owned(), vec![0, 1, 2, 3])]));
        assert_eq!(blocks(""), Ok(Vec::new()));
        for bad in [
            "-----BEGIN A-----\nAA",
            "-----END A-----",
            "-----BEGIN A-----\n!\n-----END A-----",
            "-----BEGIN A-----\n-----END B-----",
        ] {
            assert!(blocks(bad).is_err(), "{bad}");
        }
    }
}
