//! What no compiler asks for: each source file says what it is, nothing is left for later, no path of somebody's machine.

use crate::run::{Outcome, root};
use std::fs;
use std::path::{Path, PathBuf};

/// Longest line of a Rust source, in characters; the formatter leaves long strings and comments alone.
const LINE_CHARACTERS_MAX: usize = 160;
/// Folders that hold nothing of ours.
const FOREIGN: [&str; 4] = ["target", ".git", "node_modules", "data"];
/// Files that are looked at.
const TEXTS: [&str; 14] = [
    "rs", "toml", "md", "sql", "mjs", "js", "py", "sh", "json", "yml", "yaml", "html", "css", "csv",
];
/// Words that say that something is not done; written so that this file does not hold them.
const UNDONE: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("db", "g!("),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];
/// What draws the system's randomness; clippy cannot forbid it, because a module has the same name.
const SYSTEM_CHANCE: &str = concat!("rand::r", "ng()");
/// The one file that may.
const CHANCE_FILE: &str = "server/src/chance.rs";
/// Beginnings of paths that are only there on one machine.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// Looks at every text of the repository.
pub fn tidy() -> Outcome {
    let root = root();
    let mut files = Vec::new();
    gather(&root, &mut files)?;
    let mut findings = Vec::new();
    for file in &files {
        let shown = file
            .strip_prefix(&root)
            .unwrap_or(file)
            .display()
            .to_string();
        match fs::read_to_string(file) {
            Ok(text) => examine(&shown, &text, &mut findings),
            Err(error) => findings.push(format!("{shown}: {error}")),
        }
    }
    eprintln!("tidy: {} files", files.len());
    if findings.is_empty() {
        Ok(())
    } else {
        Err(findings.join("\n"))
    }
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_ref()) {
                gather(&path, files)?;
            }
        } else if TEXTS.contains(&extension.as_ref()) {
            files.push(path);
        }
    }
    Ok(())
}

fn examine(file: &str, text: &str, findings: &mut Vec<String>) {
    let is_rust = file.ends_with(".rs");
    if is_rust && !text.starts_with("//! ") {
        findings.push(format!(
            "{file}:1: does not begin with //! and what the file is"
        ));
    }
    for (index, line) in text.lines().enumerate() {
        let mut tell = |what: &str| findings.push(format!("{file}:{}: {what}", index + 1));
        if let Some(word) = UNDONE.iter().find(|word| line.contains(*word)) {
            tell(&format!("{word} is left"));
        }
        if is_rust && line.contains(SYSTEM_CHANCE) && !file.ends_with(CHANCE_FILE) {
            tell("randomness is an argument; only the server's chance.rs draws the system's");
        }
        if let Some(path) = MACHINE_PATHS.iter().find(|path| line.contains(*path)) {
            tell(&format!("a path of one machine: {path}"));
        }
        // A long text in quotes reads better whole than cut; tests hold whole answers.
        let is_text = line.contains('"') || file.contains("/tests/");
        if is_rust && !is_text && line.chars().count() > LINE_CHARACTERS_MAX {
            tell(&format!("longer than {LINE_CHARACTERS_MAX} characters"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(file: &str, text: &str) -> usize {
        let mut findings = Vec::new();
        examine(file, text, &mut findings);
        findings.len()
    }

    #[test]
    fn untidiness_is_found() {
        let long = format!("//! A file.\n// {}\n", "x".repeat(LINE_CHARACTERS_MAX));
        for (file, text, count) in [
            ("a.rs", "//! A file.\nfn a() {}\n", 0),
            ("a.rs", "fn a() {}\n", 1),
            ("a.rs", concat!("//! A file.\n// TO", "DO: more\n"), 1),
            (
                "a.rs",
                concat!("//! A file.\nlet x = rand::r", "ng();\n"),
                1,
            ),
            ("a.md", concat!("see /ho", "me/ann\n"), 1),
            ("a.rs", long.as_str(), 1),
            ("a.md", long.as_str(), 0),
        ] {
            assert_eq!(findings(file, text), count, "{file}: {text}");
        }
    }
}
