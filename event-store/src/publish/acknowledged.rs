//! What the stream has acknowledged, as publishers tell the relay.

use std::ops::RangeInclusive;

use events::{ClinicId, Position};
use indexmap::IndexMap;

use crate::fields::{FieldError, FieldReader, FieldWriter};

/// Positions of one clinic, all of them acknowledged.
pub type Span = (ClinicId, RangeInclusive<Position>);

/// Acknowledged positions, gathered into spans.
#[derive(Default)]
pub struct Acknowledged {
    spans: IndexMap<ClinicId, Vec<RangeInclusive<Position>>>,
    events: usize,
}

impl Acknowledged {
    pub fn add(&mut self, clinic: ClinicId, position: Position) {
        self.events += 1;
        let spans = self.spans.entry(clinic).or_default();
        match spans.last_mut() {
            Some(last) if *last.end() + 1 == position => *last = *last.start()..=position,
            _ => spans.push(position..=position),
        }
    }

    pub fn events(&self) -> usize {
        self.events
    }

    /// The number of spans, then clinic, first and last position of each, as [fields](crate::fields).
    pub fn to_bytes(&self) -> Vec<u8> {
        let spans = || self.spans.iter().flat_map(|(clinic, spans)| spans.iter().map(move |span| (clinic, span)));
        let mut fields = FieldWriter::default();
        fields.integer(spans().count() as i64);
        for (clinic, span) in spans() {
            fields.uuid(clinic.0).integer(*span.start()).integer(*span.end());
        }
        fields.into_bytes()
    }

    pub fn spans_of(message: &[u8]) -> Result<Vec<Span>, FieldError> {
        let mut fields = FieldReader::new(message);
        let count = fields.integer()?;
        let spans = (0..count)
            .map(|_| Ok((ClinicId(fields.uuid()?), fields.integer()?..=fields.integer()?)))
            .collect::<Result<_, FieldError>>()?;
        fields.end()?;
        Ok(spans)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn positions_travel_as_spans() {
        let clinics = [1, 2].map(|n| ClinicId(Uuid::from_u128(n)));
        let mut acknowledged = Acknowledged::default();
        for (clinic, position) in [(0, 5), (1, 1), (0, 6), (0, 9)] {
            acknowledged.add(clinics[clinic], position);
        }
        let spans = Acknowledged::spans_of(&acknowledged.to_bytes()).unwrap();
        assert_eq!(spans, [(clinics[0], 5..=6), (clinics[0], 9..=9), (clinics[1], 1..=1)]);
        assert_eq!(acknowledged.events(), 4);
    }

    #[test]
    fn a_message_that_was_cut_is_refused() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.add(ClinicId::PLATFORM, 1);
        let message = acknowledged.to_bytes();
        assert!(Acknowledged::spans_of(&message[..message.len() - 1]).is_err());
    }
}
