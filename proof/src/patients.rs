//! The patients of a list, as its access record proves them.

use events::PatientId;

use crate::row::{Hash, sha256};

/// SHA-256 over the ids: 16 bytes each, sorted, each once.
pub fn digest(patients: impl IntoIterator<Item = PatientId>) -> Hash {
    let mut ids: Vec<_> = patients.into_iter().map(|patient| patient.0.into_bytes()).collect();
    ids.sort_unstable();
    ids.dedup();
    sha256(&ids.concat())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn order_and_repetition_do_not_matter_and_everything_else_does() {
        let [a, b] = [1, 2].map(|n| PatientId(Uuid::from_u128(n)));
        assert_eq!(digest([a, b, a]), digest([b, a]));
        assert_ne!(digest([a]), digest([a, b]));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(digest([])), empty);
    }
}
