//! Weekly hours and the arithmetic of free time, in a clinic's zone. Pure, and here because the rules
//! (may this be booked?) and the queries (what is free?) must never disagree about it.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OfficeId, values::Span};

/// A day of the week as clients write it: `mon` … `sun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// Wall-clock time of a day, `09:00`; `24:00` is written `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Clock(pub NaiveTime);

impl Clock {
    /// Whether it stands for the end of the day.
    fn is_midnight(self) -> bool {
        (self.0.hour(), self.0.minute()) == (23, 59)
    }
}

impl Serialize for Clock {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.format("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a time of day is written as 09:00"))
    }
}

impl JsonSchema for Clock {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clock".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "examples": ["09:00"]
        })
    }
}

/// Opening hours of an office on one day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenHours {
    pub weekday: Day,
    pub from: Clock,
    pub to: Clock,
}

/// Opening hours of an office; a day may appear more than once (a break at noon).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WeeklyHours(pub Vec<OpenHours>);

impl Default for WeeklyHours {
    /// 09:00 to 18:00 from Monday to Saturday.
    fn default() -> Self {
        let at = |hour| Clock(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
        let days = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat];
        Self(days.map(|weekday| OpenHours { weekday, from: at(9), to: at(18) }).to_vec())
    }
}

/// When a doctor works, where, and how the time is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    pub office_id: OfficeId,
    pub weekday: Day,
    pub from: Clock,
    pub to: Clock,
    #[serde(default = "default_slot_minutes")]
    pub slot_minutes: i64,
    /// Minutes kept free after each appointment.
    #[serde(default)]
    pub buffer_minutes: i64,
}

/// Length of an appointment where nobody says otherwise.
pub const DEFAULT_SLOT_MINUTES: i64 = 15;

fn default_slot_minutes() -> i64 {
    DEFAULT_SLOT_MINUTES
}

impl WorkingHours {
    /// A doctor without hours of their own has the office's.
    pub fn of_office(office_id: OfficeId, hours: &WeeklyHours) -> Vec<Self> {
        let like = |open: &OpenHours| Self {
            office_id,
            weekday: open.weekday,
            from: open.from,
            to: open.to,
            slot_minutes: DEFAULT_SLOT_MINUTES,
            buffer_minutes: 0,
        };
        hours.0.iter().map(like).collect()
    }

    /// The hours as a span of that very date; `None` where the date is another day of the week.
    pub fn on(&self, date: NaiveDate, zone: Tz) -> Option<Span> {
        (self.weekday == date.weekday().into()).then(|| Span {
            from: instant(date, self.from.0, zone),
            to: if self.to.is_midnight() { whole_day(date, zone).to } else { instant(date, self.to.0, zone) },
        })
    }
}

/// The instant of a wall-clock time. Where clocks jump forward over it, the first instant after the gap;
/// where they repeat it, the earlier one.
pub fn instant(date: NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let mut local = date.and_time(time);
    loop {
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => return at.with_timezone(&Utc),
            MappedLocalTime::None => local += TimeDelta::minutes(15),
        }
    }
}

/// The day of an instant in a zone.
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// A whole day of a zone, `[midnight, next midnight)`.
pub fn whole_day(date: NaiveDate, zone: Tz) -> Span {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    Span { from: instant(date, NaiveTime::MIN, zone), to: instant(next, NaiveTime::MIN, zone) }
}

/// The slots of one block of working time that nothing in `busy` touches and that start at `not_before`
/// or later. A slot starts every `slot + buffer` minutes from the block's beginning.
pub fn free_slots(hours: &WorkingHours, block: Span, busy: &[Span], not_before: DateTime<Utc>) -> Vec<Span> {
    let step = TimeDelta::minutes((hours.slot_minutes + hours.buffer_minutes).max(1));
    let length = TimeDelta::minutes(hours.slot_minutes);
    let held = TimeDelta::minutes(hours.slot_minutes + hours.buffer_minutes);
    std::iter::successors(Some(block.from), |start| Some(*start + step))
        .take_while(|start| *start + length <= block.to)
        .filter(|start| *start >= not_before)
        .filter(|start| !busy.iter().any(|taken| taken.overlaps(&Span { from: *start, to: *start + held })))
        .map(|start| Span { from: start, to: start + length })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::Europe::Berlin;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(from: &str, to: &str) -> WorkingHours {
        serde_json::from_value(serde_json::json!({
            "office_id": uuid::Uuid::nil(), "weekday": "mon", "from": from, "to": to, "slot_minutes": 30
        }))
        .unwrap()
    }

    #[test]
    fn a_time_inside_the_gap_of_spring_is_the_first_after_it() {
        let at = instant(date("2026-03-29"), NaiveTime::from_hms_opt(2, 30, 0).unwrap(), ZONE);
        assert_eq!(at.to_rfc3339(), "2026-03-29T01:00:00+00:00");
    }

    #[test]
    fn a_day_of_autumn_has_twenty_five_hours() {
        let day = whole_day(date("2026-10-25"), ZONE);
        assert_eq!(day.to - day.from, TimeDelta::hours(25));
    }

    #[test]
    fn a_day_without_an_end_runs_to_midnight() {
        let monday = date("2026-03-02");
        let block = hours("18:00", "23:59").on(monday, ZONE).unwrap();
        assert_eq!(block.to, whole_day(monday, ZONE).to);
    }

    #[test]
    fn a_taken_half_hour_is_not_offered() {
        let monday = date("2026-03-02");
        let block = hours("09:00", "11:00").on(monday, ZONE).unwrap();
        let busy = [Span { from: block.from + TimeDelta::minutes(45), to: block.from + TimeDelta::minutes(60) }];
        let free = free_slots(&hours("09:00", "11:00"), block, &busy, block.from);
        let starts: Vec<_> = free.iter().map(|slot| (slot.from - block.from).num_minutes()).collect();
        assert_eq!(starts, [0, 60, 90]);
    }
}
