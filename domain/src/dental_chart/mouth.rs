//! All dental charts of one person. A merge leaves each of them as it is; a command on what lies in one of them is
//! recorded there, under whichever of the person's ids it was given.

use events::{DentalChartId, DentalExtractionId, DentalObservationId, DentalProcedureId, PatientId, tooth::Tooth};

use super::{DentalChart, Extraction, Observation, Procedure};
use crate::{Facts, Read, Refusal, patient::Group};

pub struct Mouth<'a> {
    /// Under which the command was given.
    pub id: DentalChartId,
    pub person: Group<'a>,
    charts: Vec<(DentalChartId, &'a DentalChart)>,
}

impl<'a> Mouth<'a> {
    pub fn reads(id: PatientId, facts: &Facts) -> Vec<Read> {
        let mut reads = Group::reads(id, facts);
        if let Ok(person) = Group::find(id, facts) {
            reads.extend(person.ids().map(|member| Read::Stream(DentalChartId::from(member).into())));
        }
        reads
    }

    /// 404 for nobody of this clinic, 410 for who is erased.
    pub fn of(id: PatientId, facts: &'a Facts) -> Result<Self, Refusal> {
        let person = Group::find(id, facts)?;
        let ids = person.ids().map(DentalChartId::from);
        let charts = ids.filter_map(|chart| Some((chart, facts.get::<DentalChart>(chart)?))).collect();
        Ok(Self { id: id.into(), person, charts })
    }

    pub fn is_missing(&self, tooth: Tooth) -> bool {
        self.charts.iter().any(|(_, chart)| chart.is_missing(tooth))
    }

    /// Refuses treatment where a tooth is missing.
    pub(super) fn has_all(&self, teeth: &[Tooth]) -> Result<(), Refusal> {
        match teeth.iter().find(|tooth| self.is_missing(**tooth)) {
            None => Ok(()),
            Some(tooth) => Err(missing(*tooth)),
        }
    }

    /// The observation, and the chart in which it lies.
    pub(crate) fn observation(&self, id: DentalObservationId) -> Result<(DentalChartId, Observation), Refusal> {
        let found = self.holding(|chart| chart.observations.get(&id));
        let (holder, seen) = found.ok_or_else(|| Refusal::not_found("observation").at("/observation_id"))?;
        if seen.struck_out {
            let detail = "The observation was struck out as entered in error; record it anew if it is there.";
            return Err(Refusal::conflict("struck-out", detail).at("/observation_id"));
        }
        Ok((holder, *seen))
    }

    pub(crate) fn procedure(&self, id: DentalProcedureId) -> Result<(DentalChartId, &'a Procedure), Refusal> {
        let found = self.holding(|chart| chart.procedures.get(&id));
        found.ok_or_else(|| Refusal::not_found("procedure").at("/procedure_id"))
    }

    pub(super) fn extraction(&self, id: DentalExtractionId) -> Result<(DentalChartId, Extraction), Refusal> {
        let found = self.holding(|chart| chart.extractions.get(&id));
        let (holder, pulled) = found.ok_or_else(|| Refusal::not_found("extraction").at("/extraction_id"))?;
        Ok((holder, *pulled))
    }

    fn holding<T>(&self, what: impl Fn(&'a DentalChart) -> Option<&'a T>) -> Option<(DentalChartId, &'a T)> {
        self.charts.iter().find_map(|(id, chart)| Some((*id, what(chart)?)))
    }
}

pub(super) fn missing(tooth: Tooth) -> Refusal {
    let detail = format!(
        "Tooth {tooth} is missing: only implants and prostheses are done there. If it is there, correct the chart first."
    );
    Refusal::rule("tooth-missing", detail).with("tooth", tooth.0)
}
