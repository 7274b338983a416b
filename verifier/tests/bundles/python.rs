//! The Python verifier beside the Rust one.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use verifier::{Report, verify};

use crate::{files::Files, world::World};

/// Verifies what it is given, one JSON line for each; one process for all, since its start takes longer than its work.
const DRIVER: &str = "
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import casebook_verify as verifier
folder, fingerprint = pathlib.Path(sys.argv[2]), bytes.fromhex(sys.argv[3])
for bundle in sorted(folder.glob('*.zip')):
    for anchors in (None, folder / 'anchors'):
        try:
            report = verifier.verify(bundle, fingerprint, anchors)
        except verifier.Unusable:
            report = {'outcome': 'unusable'}
        print(json.dumps(report))
";

/// A folder of bundles and the anchors of their installation.
pub struct Bench {
    folder: TempDir,
    fingerprint: String,
    bundles: usize,
}

/// What both say of a bundle: without anchors, and with them.
pub type Said = [Value; 2];

impl Bench {
    /// Whose anchors and key are those of an honest world.
    pub fn of(honest: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let anchors = folder.path().join("anchors");
        fs::create_dir(&anchors).unwrap();
        for (name, content) in honest.anchors() {
            fs::write(anchors.join(name), content).unwrap();
        }
        Self { folder, fingerprint: honest.fingerprint(), bundles: 0 }
    }

    pub fn add(&mut self, files: &Files) {
        let path = self.next();
        files.write(&path);
    }

    pub fn next(&mut self) -> std::path::PathBuf {
        self.bundles += 1;
        self.folder.path().join(format!("{:06}.zip", self.bundles))
    }

    /// What is said of each, once both verifiers have said the same.
    #[track_caller]
    pub fn verify(self) -> Vec<Said> {
        let python = self.ask_python();
        assert_eq!(python.len(), 2 * self.bundles);
        let mut said = Vec::new();
        for (n, python) in (1..=self.bundles).zip(python.chunks(2)) {
            let bundle = self.folder.path().join(format!("{n:06}.zip"));
            let anchors = self.folder.path().join("anchors");
            let rust = [None, Some(anchors.as_path())].map(|anchors| self.ask_rust(&bundle, anchors));
            assert_eq!(rust.as_slice(), python, "bundle {n}: on the left Rust, on the right Python");
            said.push(rust);
        }
        said
    }

    fn ask_rust(&self, bundle: &Path, anchors: Option<&Path>) -> Value {
        match verify(bundle, &self.fingerprint, anchors) {
            Ok(report) => {
                let json = serde_json::to_value(&report).unwrap();
                assert_eq!(serde_json::from_value::<Report>(json.clone()).unwrap(), report);
                json
            }
            Err(_) => serde_json::json!({"outcome": "unusable"}),
        }
    }

    fn ask_python(&self) -> Vec<Value> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python");
        let mut python = Command::new("python3");
        python.args(["-B", "-c", DRIVER, script]).arg(self.folder.path()).arg(&self.fingerprint);
        let output = python.output().expect("python3 is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
