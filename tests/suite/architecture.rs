//! Who may import whom, held against what cargo knows.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// The arrows of ARCHITECTURE.md; `casebook` and `tests` compose all and are not listed.
const MAY_IMPORT: [(&str, &[&str]); 14] = [
    ("events", &[]),
    ("domain", &["events"]),
    ("read-models", &["events"]),
    ("proof", &["events"]),
    ("printing", &["events"]),
    ("event-store", &["events", "proof"]),
    ("attachments", &["events", "event-store"]),
    ("verifier", &["events", "proof"]),
    ("service-kit", &["events"]),
    ("local-servers", &[]),
    ("mail", &[]),
    ("projector", &["events", "event-store", "read-models", "service-kit"]),
    ("command-api", &["attachments", "domain", "events", "event-store", "service-kit"]),
    (
        "query-api",
        &["attachments", "events", "event-store", "printing", "projector", "proof", "read-models", "service-kit"],
    ),
];

const PURE: [&str; 3] = ["events", "domain", "read-models"];
const IMPURE_CRATES: [&str; 8] = ["tokio", "sqlx", "axum", "async-nats", "reqwest", "rand", "tracing", "aws-lc-rs"];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).exec().unwrap()
}

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let metadata = metadata();
    let members: BTreeMap<String, BTreeSet<String>> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            (package.name.to_string(), normal.map(|dependency| dependency.name.clone()).collect())
        })
        .collect();
    for (name, allowed) in MAY_IMPORT {
        let imports = members[name].iter().filter(|import| members.contains_key(*import));
        for import in imports {
            assert!(allowed.contains(&import.as_str()), "{name} must not import {import}");
        }
    }
    let listed = MAY_IMPORT.len() + ["casebook", "tests"].len();
    assert_eq!(members.len(), listed, "a new crate needs its arrows here and in ARCHITECTURE.md");
}

#[test]
fn the_pure_crates_reach_no_runtime_no_database_and_no_randomness() {
    let metadata = metadata();
    for name in PURE {
        let reached = reached_from(&metadata, name);
        for impure in IMPURE_CRATES {
            assert!(!reached.contains(impure), "{name} reaches {impure}");
        }
    }
}

#[test]
fn the_offline_verifier_reaches_no_runtime_no_database_and_no_network() {
    let reached = reached_from(&metadata(), "verifier");
    for impure in ["tokio", "sqlx", "axum", "async-nats", "reqwest", "rustls"] {
        assert!(!reached.contains(impure), "the verifier reaches {impure}");
    }
}

/// The typesetter brings a random number generator along, for filler text that no template asks for.
#[test]
fn printing_reaches_no_runtime_no_database_and_no_network() {
    let reached = reached_from(&metadata(), "printing");
    for impure in ["tokio", "sqlx", "axum", "async-nats", "reqwest", "rustls", "typst-kit"] {
        assert!(!reached.contains(impure), "printing reaches {impure}");
    }
}

/// Every package that is built into the crate, at any depth.
fn reached_from(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root = metadata.packages.iter().find(|package| *package.name == name).unwrap();
    let (mut seen, mut todo) = (BTreeSet::new(), vec![&root.id]);
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let normal =
            nodes[id].deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        todo.extend(normal.map(|dep| &dep.pkg));
    }
    let names: BTreeMap<&PackageId, &str> = metadata.packages.iter().map(|p| (&p.id, p.name.as_str())).collect();
    seen.into_iter().map(|id| names[id].to_owned()).collect()
}
