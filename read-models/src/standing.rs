//! How a clinic stands, and what of it falls due with time: looked through over all clinics.

use chrono::{DateTime, Utc};
use events::{ClinicEvent, ClinicId, DomainEvent, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.standing_1`: one row per clinic.
pub struct Standings;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StandingRow {
    pub id: ClinicId,
    /// When the trial ends, or what was paid for.
    pub ends_at: DateTime<Utc>,
    /// When it was recorded that it is over; `null` while it lasts.
    pub expired_at: Option<DateTime<Utc>>,
    pub suspended_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Since when its people can work without a break: since it was registered, resumed, or paid for late.
    pub works_since: DateTime<Utc>,
    /// Minutes after the start at which no-shows are marked; `null`: only by people.
    pub no_shows_after_minutes: Option<i64>,
    pub position: i64,
}

impl Projection for Standings {
    const NAME: &'static str = "standing";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.standing_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = StandingRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Clinic(
                ClinicEvent::ClinicRegistered { .. }
                | ClinicEvent::SettingsChanged { .. }
                | ClinicEvent::SubscriptionActivated { .. }
                | ClinicEvent::TrialExpired { .. }
                | ClinicEvent::SubscriptionExpired { .. }
                | ClinicEvent::ClinicSuspended { .. }
                | ClinicEvent::ClinicResumed {}
                | ClinicEvent::ClinicClosed { .. },
            ) => vec![event.clinic.0],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<StandingRow>, _: &Uuid, event: &Recorded) -> Option<StandingRow> {
        let DomainEvent::Clinic(change) = &event.event else { return row };
        let at = event.occurred_at;
        let mut row = match (row, change) {
            (None, ClinicEvent::ClinicRegistered { trial_ends_at, .. }) => registered(event.clinic, *trial_ends_at, at),
            (row, _) => row?,
        };
        match change {
            ClinicEvent::SettingsChanged { settings } => {
                row.no_shows_after_minutes = settings.no_shows_marked_after_minutes();
            }
            ClinicEvent::SubscriptionActivated { paid_until, .. } => {
                // Late, whether or not it was recorded that the time before was over.
                if row.expired_at.is_some() || row.ends_at <= at {
                    row.works_since = at;
                }
                (row.ends_at, row.expired_at) = (*paid_until, None);
            }
            ClinicEvent::TrialExpired { .. } | ClinicEvent::SubscriptionExpired { .. } => row.expired_at = Some(at),
            ClinicEvent::ClinicSuspended { .. } => row.suspended_at = Some(at),
            ClinicEvent::ClinicResumed {} => (row.suspended_at, row.works_since) = (None, at),
            ClinicEvent::ClinicClosed { .. } => row.closed_at = Some(at),
            _ => {}
        }
        row.position = event.position;
        Some(row)
    }
}

fn registered(id: ClinicId, ends_at: DateTime<Utc>, at: DateTime<Utc>) -> StandingRow {
    StandingRow {
        id,
        ends_at,
        expired_at: None,
        suspended_at: None,
        closed_at: None,
        works_since: at,
        no_shows_after_minutes: None,
        position: 0,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use events::clinic::{Plan, Settings};

    use super::*;
    use crate::sample::History;

    fn row(history: &History) -> StandingRow {
        history.row::<Standings>(history.clinic.0).unwrap()
    }

    #[test]
    fn an_end_stands_until_something_is_paid_for() {
        let mut history = History::new();
        history.clinic_registered();
        let ended_at = row(&history).ends_at;
        history.clinic(ClinicEvent::TrialExpired { ended_at });
        assert!(row(&history).expired_at.is_some());
        let paid_until = ended_at + TimeDelta::days(30);
        history.clinic(ClinicEvent::SubscriptionActivated { plan: Plan::Basic, paid_until });
        let after = row(&history);
        assert_eq!((after.ends_at, after.expired_at), (paid_until, None));
    }

    #[test]
    fn work_goes_on_from_where_it_was_resumed_and_not_from_a_renewal_in_time() {
        let mut history = History::new();
        history.clinic_registered();
        let (began, paid_until) = (row(&history).works_since, row(&history).ends_at + TimeDelta::days(30));
        history.clinic(ClinicEvent::SubscriptionActivated { plan: Plan::Basic, paid_until });
        assert_eq!(row(&history).works_since, began);
        history.clinic(ClinicEvent::ClinicSuspended { reason: "unpaid".into() });
        assert!(row(&history).suspended_at.is_some());
        history.clinic(ClinicEvent::ClinicResumed {});
        let resumed = row(&history);
        assert!(resumed.works_since > began && resumed.suspended_at.is_none(), "{resumed:?}");
    }

    #[test]
    fn no_shows_are_marked_when_the_settings_say_so_and_not_before_the_grace_time() {
        let mut history = History::new();
        history.clinic_registered();
        for (minutes, expected) in [(None, None), (Some(60), Some(60)), (Some(5), Some(15))] {
            let settings = Settings { mark_no_shows_after_minutes: minutes, ..Settings::default() };
            history.clinic(ClinicEvent::SettingsChanged { settings });
            assert_eq!(row(&history).no_shows_after_minutes, expected);
        }
    }
}
