//! Both ledgers of a clinic, or a stretch of them: by the chain, and by the roots that were signed.

use std::collections::BTreeMap;

use events::{Ledger, Position};
use proof::{
    Verdict,
    bundle::{Kind, Range},
    merkle::Frontier,
    walk::{Anchored, Walk},
};

use crate::{
    Unusable,
    anchors::Anchors,
    bundle::{Bundle, file_of},
    checkpoints::Checkpoints,
    points::Point,
    report::{Fault, Finding, Summary},
    row::{Opening, Row},
};

/// What was found in one ledger.
pub(crate) struct Walked {
    ledger: Ledger,
    pub(crate) summary: Summary,
    /// The first thing that is wrong.
    pub(crate) fault: Option<Fault>,
    /// The first row that does not open.
    not_opened: Option<Fault>,
}

impl Walked {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { ledger, summary: Summary::default(), fault: None, not_opened: None }
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let faults = self.fault.iter().chain(&self.not_opened).cloned();
        let ledger = Some(self.ledger.into());
        faults.map(move |fault| Finding { ledger, fault })
    }

    pub(crate) fn count(&mut self, row: &Row) {
        self.summary.rows += 1;
        self.summary.withheld += u64::from(row.is_withheld());
        self.summary.last = row.position();
        match row.opening() {
            Opening::Opened => self.summary.opened += 1,
            Opening::NothingToOpen => {}
            Opening::Fails => _ = self.not_opened.get_or_insert(Fault::not_opened(row.position())),
        }
    }
}

pub(crate) fn walk(
    bundle: &mut Bundle,
    ledger: Ledger,
    checkpoints: &Checkpoints,
    anchors: Option<&Anchors>,
) -> Result<Walked, Unusable> {
    let range = bundle.range(ledger).clone();
    let (clinic, kind) = (bundle.manifest.clinic, bundle.manifest.kind);
    let points = points(ledger, &range, kind, checkpoints, anchors);
    let mut walk = begin(&range);
    points.values().for_each(|point| walk.expect(Anchored { size: point.leaf.size, root: point.leaf.root }));
    let mut walked = Walked::new(ledger);
    walked.summary.last = range.from - 1;
    let mut verdict = Ok(());
    let mut lines = bundle.lines(file_of(ledger))?;
    while verdict.is_ok() {
        let Some(line) = lines.next()? else { break };
        let altered = Verdict::AlteredAt { position: walk.position() + 1 };
        let Some(row) = Row::read(line) else {
            verdict = Err(altered);
            break;
        };
        verdict = row.step(&mut walk, clinic, ledger);
        if matches!(verdict, Ok(()) | Err(Verdict::AlteredBetween { .. })) {
            walked.count(&row);
        }
    }
    let verdict = verdict.and_then(|()| end(&walk, range.to));
    walked.summary.covered_upto = covered(&points, &verdict, &walk, anchors);
    walked.fault = verdict.err().map(Fault::from);
    Ok(walked)
}

fn begin(range: &Range) -> Walk {
    let (size, peaks) = (range.from - 1, range.peaks.iter().map(|peak| peak.0).collect());
    let tree = Frontier::from_edge(size.unsigned_abs(), peaks).expect("a manifest with others was refused");
    Walk::of_stretch(range.previous_hash.0, tree)
}

/// What has to be met, by size: of the checkpoints that are trusted, and of the anchors, which come first.
fn points(
    ledger: Ledger,
    range: &Range,
    kind: Kind,
    checkpoints: &Checkpoints,
    anchors: Option<&Anchors>,
) -> BTreeMap<Position, Point> {
    let anchored = anchors.into_iter().flat_map(|anchors| anchors.points.of(ledger));
    let all = checkpoints.points.of(ledger).chain(anchored);
    // A clinic's bundle reaches to the end of its ledgers; a stretch says where it ends.
    let upto = if kind == Kind::Clinic { Position::MAX } else { range.to };
    let within = all.filter(|point| point.leaf.size >= range.from && point.leaf.size <= upto);
    within.map(|point| (point.leaf.size, *point)).collect()
}

fn end(walk: &Walk, to: Position) -> Result<(), Verdict> {
    match walk.end() {
        Verdict::Intact { .. } if walk.position() < to => Err(Verdict::CutOffAfter { position: walk.position() }),
        Verdict::Intact { .. } if walk.position() > to => Err(Verdict::AlteredAt { position: to + 1 }),
        Verdict::Intact { .. } => Ok(()),
        cut_off => Err(cut_off),
    }
}

/// The last size that was met and is signed, and anchored where there are anchors.
fn covered(
    points: &BTreeMap<Position, Point>,
    verdict: &Result<(), Verdict>,
    walk: &Walk,
    anchors: Option<&Anchors>,
) -> Position {
    let met = match verdict {
        Err(Verdict::AlteredBetween { after, .. }) => *after,
        _ => walk.position(),
    };
    let anchored = anchors.map_or(i64::MAX, |anchors| anchors.compared.last().copied().unwrap_or(0));
    let mut met = points.values().rev().filter(|point| point.leaf.size <= met && point.number <= anchored);
    met.next().map_or(0, |point| point.leaf.size)
}
