//! The chart of one person, with the proofs that each of its rows is in a ledger and that none is missing.

use std::collections::{HashMap, HashSet};

use event_store::{StoredRow, checkpoint::SignedLeaf};
use events::{ClinicId, Ledger, PatientId, Position};
use proof::{
    bundle::{ChartProof, EventProof, Extent, Hex32, ProofLine, files},
    charts::{BUCKETS, bucket_of, bucket_tree, charts_tree},
    checkpoint::ledger_leaf_hash,
    merkle::{Frontier, Node, cover, empty_root, inclusion_path, join},
    row::Hash,
};

use super::{Begun, ExportError, Exporter, LEDGERS, Sight, Sights, index::Index, ledgers::file_of, pack::Pack};

const PAGE_HASHES: u32 = 20_000;

impl Exporter {
    pub(super) async fn person(
        &self,
        clinic: ClinicId,
        patients: &[PatientId],
        begun: &Begun,
        pack: &mut Pack,
        index: &mut Index,
        sights: &dyn Sights,
    ) -> Result<[Extent; 2], ExportError> {
        let (mut proofs, mut extents) = (Vec::new(), Vec::new());
        for (ledger, head) in LEDGERS.into_iter().zip(begun.heads) {
            let mut rows = self.store.rows_of_patients(clinic, ledger, patients).await?;
            rows.retain(|row| row.position <= head);
            // Accesses that are not for the reader's eyes are left out: nobody proves that all of them are there.
            let mut seen = sights.look(&rows).await.map_err(ExportError::Sight)?.into_iter();
            rows.retain(|_| seen.next() != Some(Sight::Withheld));
            let signed = self.signed.leaf(clinic, ledger, begun.last_checkpoint).await?;
            if let Some(signed) = signed {
                proofs.extend(self.prove_rows(clinic, ledger, &rows, signed).await?);
            }
            extents.push(Extent { rows: rows.len() as u64, range: None });
            pack.begin(file_of(ledger))?;
            self.pack_rows(clinic, rows, pack, index, sights).await?;
            if let Some(signed) = signed.filter(|_| ledger == Ledger::Record) {
                proofs.extend(self.prove_counts(clinic, patients, signed.size).await?);
            }
        }
        pack.begin(files::PROOFS)?;
        proofs.iter().try_for_each(|proof| pack.line(proof))?;
        Ok(extents.try_into().expect("there are two ledgers"))
    }

    /// One walk over the ledger's hashes keeps the subtrees that the proofs need.
    async fn prove_rows(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        rows: &[StoredRow],
        signed: SignedLeaf,
    ) -> Result<Vec<ProofLine>, ExportError> {
        let size = signed.size.cast_unsigned();
        let covered = rows.iter().map(|row| row.position).filter(|position| (1..=signed.size).contains(position));
        let paths: Vec<(Position, Vec<Vec<Node>>)> = covered
            .map(|position| {
                let path = inclusion_path(position.cast_unsigned() - 1, size);
                (position, path.into_iter().map(cover).collect())
            })
            .collect();
        let needed: HashSet<Node> = paths.iter().flat_map(|(_, path)| path.iter().flatten()).copied().collect();
        let kept = self.subtrees(clinic, ledger, signed.size, &needed).await?;
        // Where rows were dropped behind our back a subtree is not complete: then there is no proof, and it shows.
        let root = |cover: &Vec<Node>| {
            let roots: Option<Vec<Hash>> = cover.iter().map(|node| kept.get(node).copied()).collect();
            roots.map(|roots| Hex32(join(&roots)))
        };
        let proof = |(position, path): &(Position, Vec<Vec<Node>>)| {
            let path = path.iter().map(root).collect::<Option<_>>().unwrap_or_default();
            ProofLine::Event(EventProof { ledger: ledger as i16, position: *position, path })
        };
        Ok(paths.iter().map(proof).collect())
    }

    async fn subtrees(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        size: Position,
        needed: &HashSet<Node>,
    ) -> Result<HashMap<Node, Hash>, ExportError> {
        let (mut tree, mut kept, mut after) = (Frontier::default(), HashMap::new(), 0);
        while after < size && !needed.is_empty() {
            let page = self.store.chain_hashes(clinic, ledger, after, PAGE_HASHES).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, hash) in page.iter().filter(|(position, _)| *position <= size) {
                tree.push_with(ledger_leaf_hash(hash), |node, hash| {
                    if needed.contains(&node) {
                        kept.insert(node, *hash);
                    }
                });
            }
        }
        Ok(kept)
    }

    /// How many events each of the patients had at a size of the record.
    async fn prove_counts(
        &self,
        clinic: ClinicId,
        patients: &[PatientId],
        size: Position,
    ) -> Result<Vec<ProofLine>, ExportError> {
        let mut buckets: Vec<Vec<(PatientId, i64)>> = vec![Vec::new(); BUCKETS];
        for (patient, count) in self.store.chart_counts(clinic, size).await? {
            buckets[usize::from(bucket_of(patient))].push((patient, count));
        }
        let mut roots = [empty_root(); BUCKETS];
        for (root, bucket) in roots.iter_mut().zip(&buckets) {
            *root = bucket_tree(bucket.iter().copied()).root();
        }
        let charts = charts_tree(&roots);
        let prove = |patient: &PatientId| {
            let place = usize::from(bucket_of(*patient));
            let bucket = &buckets[place];
            let index = bucket.iter().position(|(id, _)| id == patient)?;
            let hex = |path: Vec<Hash>| path.into_iter().map(Hex32).collect();
            Some(ProofLine::Chart(ChartProof {
                patient: patient.0,
                count: bucket[index].1,
                index: index as u64,
                bucket_size: bucket.len() as u64,
                bucket_root: Hex32(roots[place]),
                path: hex(bucket_tree(bucket.iter().copied()).inclusion(index)),
                bucket_path: hex(charts.inclusion(place)),
            }))
        };
        Ok(patients.iter().filter_map(prove).collect())
    }
}
