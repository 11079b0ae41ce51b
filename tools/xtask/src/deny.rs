//! Which crates may be in the build: none that is banned, only with licences that are allowed, only from the registry,
//! and one version of each. The rules stand in `deny.toml`, which `cargo deny check bans licenses sources` reads too; this
//! task judges the same rules from `cargo metadata` in a second, where building cargo-deny takes minutes.

use crate::licence;
use crate::run::{Outcome, cargo, output, root};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The rules of `deny.toml` that are judged here.
struct Rules {
    targets: Vec<String>,
    banned: BTreeSet<String>,
    licences: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
    registries: BTreeSet<String>,
    /// `name@version` that may stand beside another version.
    duplicates: BTreeSet<String>,
}

/// A package of the build that comes from elsewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    source: String,
}

/// Judges the build for every target of `deny.toml`.
pub fn deny() -> Outcome {
    let text = fs::read_to_string(root().join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let rules = Rules::read(&text)?;
    let mut packages = BTreeSet::new();
    for target in &rules.targets {
        let arguments = [
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            target,
        ];
        packages.append(&mut packages_of(&output(cargo(&arguments))?)?);
    }
    let findings = rules.judge(&packages)?;
    eprintln!("deny: {} crates", packages.len());
    if findings.is_empty() {
        Ok(())
    } else {
        Err(findings.join("\n"))
    }
}

fn packages_of(metadata: &[u8]) -> Result<BTreeSet<Package>, String> {
    let metadata: Json =
        serde_json::from_slice(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .ok_or("cargo metadata: no resolve")?;
    let in_build: BTreeSet<&str> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let listed = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata: no packages")?;
    let packages = listed.iter().filter(|package| {
        package["id"]
            .as_str()
            .is_some_and(|id| in_build.contains(id))
    });
    let foreign = packages.filter_map(|package| {
        Some(Package {
            name: text(&package["name"])?,
            version: text(&package["version"])?,
            licence: text(&package["license"]),
            source: text(&package["source"])?,
        })
    });
    Ok(foreign.collect())
}

impl Rules {
    fn read(text: &str) -> Result<Self, String> {
        let document: toml::Table = text
            .parse()
            .map_err(|error| format!("deny.toml: {error}"))?;
        let section = |name: &str| {
            document
                .get(name)
                .and_then(toml::Value::as_table)
                .cloned()
                .unwrap_or_default()
        };
        let (graph, bans, licences, sources) = (
            section("graph"),
            section("bans"),
            section("licenses"),
            section("sources"),
        );
        let exception = |value: &toml::Value| {
            let table = value.as_table()?;
            Some((
                crate_of(value)?,
                texts(table, "allow").into_iter().collect(),
            ))
        };
        let rules = Self {
            targets: texts(&graph, "targets"),
            banned: entries(&bans, "deny").iter().filter_map(crate_of).collect(),
            licences: texts(&licences, "allow").into_iter().collect(),
            exceptions: entries(&licences, "exceptions")
                .iter()
                .filter_map(exception)
                .collect(),
            registries: texts(&sources, "allow-registry").into_iter().collect(),
            duplicates: entries(&bans, "skip").iter().filter_map(crate_of).collect(),
        };
        let is_empty =
            rules.targets.is_empty() || rules.banned.is_empty() || rules.licences.is_empty();
        if is_empty || rules.registries.is_empty() {
            return Err("deny.toml: targets, bans, licences or registries are missing".to_owned());
        }
        Ok(rules)
    }

    fn judge(&self, packages: &BTreeSet<Package>) -> Result<Vec<String>, String> {
        let mut findings = Vec::new();
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in packages {
            let Package {
                name,
                version,
                source,
                ..
            } = package;
            if self.banned.contains(name) {
                findings.push(format!("{name} {version} is banned"));
            }
            let registry = source.strip_prefix("registry+").unwrap_or(source);
            if !self.registries.contains(registry) {
                findings.push(format!("{name} {version} comes from {source}"));
            }
            if !self.licence_is_allowed(package)? {
                let licence = package.licence.as_deref().unwrap_or("none");
                findings.push(format!("{name} {version} has the licence {licence}"));
            }
            if !self.duplicates.contains(&format!("{name}@{version}")) {
                versions.entry(name).or_default().push(version);
            }
        }
        for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
            findings.push(format!(
                "{name} is there in several versions: {}",
                versions.join(", ")
            ));
        }
        findings.extend(self.needless(packages));
        Ok(findings)
    }

    fn licence_is_allowed(&self, package: &Package) -> Result<bool, String> {
        let exceptions = self.exceptions.get(&package.name);
        let allowed = |licence: &str| {
            self.licences.contains(licence) || exceptions.is_some_and(|more| more.contains(licence))
        };
        match &package.licence {
            Some(expression) => licence::is_allowed(expression, &allowed)
                .map_err(|error| format!("{}: {error}", package.name)),
            None => Ok(false),
        }
    }

    /// Exceptions for crates that are not there any more.
    fn needless(&self, packages: &BTreeSet<Package>) -> Vec<String> {
        let there: BTreeSet<String> = packages
            .iter()
            .map(|package| format!("{}@{}", package.name, package.version))
            .collect();
        let needless = self
            .duplicates
            .iter()
            .filter(|skipped| !there.contains(*skipped));
        needless
            .map(|skipped| format!("deny.toml: {skipped} is not there any more"))
            .collect()
    }
}

fn entries(table: &toml::Table, name: &str) -> Vec<toml::Value> {
    table
        .get(name)
        .and_then(toml::Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn texts(table: &toml::Table, name: &str) -> Vec<String> {
    entries(table, name)
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// An entry is `"name"` or `{ crate = "name", … }`.
fn crate_of(value: &toml::Value) -> Option<String> {
    let name = value.as_str().or_else(|| value.get("crate")?.as_str());
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [graph]
        targets = ["x86_64-unknown-linux-gnu"]
        [bans]
        deny = [{ crate = "openssl", reason = "one TLS" }]
        skip = [{ crate = "old@1.0.0", reason = "soon gone" }]
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "odd", allow = ["Odd-1.0"] }]
        [sources]
        allow-registry = ["https://registry"]
    "#;

    fn package(name: &str, version: &str, licence: Option<&str>, source: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.map(str::to_owned),
            source: source.to_owned(),
        }
    }

    fn findings(more: Vec<Package>) -> Vec<String> {
        let registry = "registry+https://registry";
        let mut packages: BTreeSet<Package> = [
            package("old", "1.0.0", Some("MIT"), registry),
            package("old", "2.0.0", Some("MIT OR Apache-2.0"), registry),
            package("odd", "1.0.0", Some("Odd-1.0"), registry),
        ]
        .into();
        packages.extend(more);
        Rules::read(RULES)
            .expect("good rules")
            .judge(&packages)
            .expect("good licences")
    }

    #[test]
    fn rules_are_judged() {
        let registry = "registry+https://registry";
        assert_eq!(findings(vec![]), Vec::<String>::new());
        for (package, finding) in [
            (
                package("openssl", "1.0.0", Some("MIT"), registry),
                "openssl 1.0.0 is banned",
            ),
            (
                package("a", "1.0.0", Some("MIT"), "git+https://b"),
                "a 1.0.0 comes from git+https://b",
            ),
            (
                package("a", "1.0.0", Some("Odd-1.0"), registry),
                "a 1.0.0 has the licence Odd-1.0",
            ),
            (
                package("a", "1.0.0", None, registry),
                "a 1.0.0 has the licence none",
            ),
            (
                package("old", "3.0.0", Some("MIT"), registry),
                "old is there in several versions: 2.0.0, 3.0.0",
            ),
        ] {
            assert_eq!(findings(vec![package]), [finding]);
        }
    }

    #[test]
    fn needless_exceptions_are_told() {
        let rules = Rules::read(RULES).expect("good rules");
        assert_eq!(
            rules.judge(&BTreeSet::new()),
            Ok(vec![
                "deny.toml: old@1.0.0 is not there any more".to_owned()
            ])
        );
    }
}
