//! The charts tree: how many events each patient of a clinic has, so that none of a patient's can be left out unseen.
//!
//! Patients lie in 256 buckets by the last byte of their id, so that one more event changes one small tree. A bucket's
//! leaves are sorted by the patients' bytes; the root is that of the tree over the roots of all buckets.

use events::PatientId;

use crate::{
    fields::FieldWriter,
    merkle::{Tree, leaf_hash},
    row::Hash,
};

/// The first field of a leaf.
pub const CHART_TAG: &str = "casebook/chart/1";
pub const BUCKETS: usize = 256;

/// The bucket of a patient.
pub fn bucket_of(patient: PatientId) -> u8 {
    patient.0.as_bytes()[15]
}

/// The hash of a patient's leaf; `count` is the highest `patient_version`.
pub fn chart_leaf_hash(patient: PatientId, count: i64) -> Hash {
    let mut fields = FieldWriter::default();
    fields.bytes(CHART_TAG).uuid(patient.0).integer(count);
    leaf_hash(&fields.into_bytes())
}

/// The tree of a bucket, from its patients, sorted, with their counts.
pub fn bucket_tree(charts: impl IntoIterator<Item = (PatientId, i64)>) -> Tree {
    Tree::new(charts.into_iter().map(|(patient, count)| chart_leaf_hash(patient, count)).collect())
}

/// The tree over the roots of all buckets, in order.
pub fn charts_tree(bucket_roots: &[Hash; BUCKETS]) -> Tree {
    Tree::new(bucket_roots.iter().map(|root| leaf_hash(root)).collect())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::merkle::{empty_root, verify_inclusion};

    #[test]
    fn a_count_is_proved_by_its_bucket_and_the_root() {
        let patients = [0x1_07, 0x2_07, 0x3_07].map(|id| PatientId(Uuid::from_u128(id)));
        assert!(patients.iter().all(|patient| bucket_of(*patient) == 7));
        let bucket = bucket_tree(patients.into_iter().zip([4, 9, 2]));
        let mut roots = [empty_root(); BUCKETS];
        roots[7] = bucket.root();
        let charts = charts_tree(&roots);
        let count = |count| chart_leaf_hash(patients[1], count);
        assert!(verify_inclusion(&count(9), 1, 3, &bucket.inclusion(1), &roots[7]));
        assert!(!verify_inclusion(&count(8), 1, 3, &bucket.inclusion(1), &roots[7]));
        assert!(verify_inclusion(&leaf_hash(&roots[7]), 7, 256, &charts.inclusion(7), &charts.root()));
    }
}
