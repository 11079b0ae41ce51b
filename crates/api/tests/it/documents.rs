//! The committed documents are those the registry prints, and every code has its page.

use carillon_api::fault::Code;
use carillon_api::{generate, registry};
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn generated_documents_are_committed() {
    let folder = docs().join("reference");
    if std::env::var_os("CARILLON_WRITE_DOCUMENTS").is_some() {
        for (path, text) in generate() {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, text).expect("writable");
        }
    }
    for (path, text) in generate() {
        let committed = std::fs::read_to_string(folder.join(&path)).unwrap_or_default();
        assert!(
            committed == text,
            "docs/reference/{path} is not what the registry prints: run this test with CARILLON_WRITE_DOCUMENTS=1"
        );
    }
}

#[test]
fn every_code_has_a_page_with_cause_and_remedy() {
    for code in Code::ALL {
        let path = docs().join("faults").join(format!("{}.md", code.text()));
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            page.contains("## Cause") && page.contains("## What to do"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn addresses_and_names_are_unique() {
    let mut names = std::collections::HashSet::new();
    for method in registry::ALL {
        assert!(names.insert(method.name), "{} twice", method.name);
        assert!(
            !method.doc.is_empty() && method.doc.ends_with('.'),
            "{}",
            method.name
        );
    }
}

#[test]
fn wsdl_names_every_type_it_uses() {
    for (path, text) in generate() {
        if !path.ends_with(".wsdl") {
            continue;
        }
        for piece in text.split("type=\"ns:").skip(1) {
            let name = &piece[..piece.find('"').expect("an attribute ends")];
            let declared = text.contains(&format!("complexType name=\"{name}\""))
                || text.contains(&format!("portType name=\"{name}\""));
            assert!(declared, "{path}: {name}");
        }
    }
}
