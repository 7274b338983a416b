//! By what the bundles of a stack are verified.

use std::path::PathBuf;

use crate::Stack;

impl Stack {
    /// Where its anchors lie.
    pub fn anchors(&self) -> PathBuf {
        self.folder.path().join("anchors")
    }

    /// Of the key that has signed.
    pub async fn fingerprint(&self) -> String {
        let checkpointer = self.system.checkpointer().expect("it has a folder for anchors");
        let key = checkpointer.public_key().await.expect("the log is there");
        key.expect("the key is there").fingerprint()
    }
}
