//! Departments: who leads them, and who belongs to them.

use chrono::{DateTime, Utc};
use events::{DepartmentEvent, DepartmentId, DomainEvent, Recorded, StaffEvent, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.department_1`: one row per department; who belongs to it stands in the streams of the logins.
pub struct Departments;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DepartmentRow {
    pub id: DepartmentId,
    pub name: String,
    pub head_id: Option<UserId>,
    /// In the order in which they came.
    pub staff_ids: Vec<UserId>,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

impl Projection for Departments {
    const NAME: &'static str = "department";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.department_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = DepartmentRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Department(_) => vec![event.stream.id],
            DomainEvent::Staff(
                StaffEvent::DepartmentAssigned { department } | StaffEvent::DepartmentUnassigned { department },
            ) => vec![department.0],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<DepartmentRow>, key: &Uuid, event: &Recorded) -> Option<DepartmentRow> {
        let mut row = match (&event.event, row) {
            (DomainEvent::Department(DepartmentEvent::DepartmentCreated { name }), None) => created(*key, name, event),
            (_, row) => row?,
        };
        match &event.event {
            DomainEvent::Department(change) => row.take(change, event),
            DomainEvent::Staff(change) => row.take_staff(change, UserId(event.stream.id)),
            _ => return Some(row),
        }
        row.position = event.position;
        Some(row)
    }
}

fn created(id: Uuid, name: &str, event: &Recorded) -> DepartmentRow {
    DepartmentRow {
        id: DepartmentId(id),
        name: name.to_owned(),
        head_id: None,
        staff_ids: Vec::new(),
        created_at: event.occurred_at,
        closed_at: None,
        version: event.version,
        position: event.position,
    }
}

impl DepartmentRow {
    fn take(&mut self, change: &DepartmentEvent, event: &Recorded) {
        self.version = event.version;
        match change {
            DepartmentEvent::DepartmentCreated { .. } => {}
            DepartmentEvent::DepartmentHeadAssigned { head, .. } => self.head_id = Some(*head),
            DepartmentEvent::DepartmentClosed {} => self.closed_at = Some(event.occurred_at),
        }
    }

    fn take_staff(&mut self, change: &StaffEvent, login: UserId) {
        self.staff_ids.retain(|known| *known != login);
        if matches!(change, StaffEvent::DepartmentAssigned { .. }) {
            self.staff_ids.push(login);
        }
    }
}

#[cfg(test)]
mod tests {
    use events::Role;

    use super::*;
    use crate::sample::History;

    #[test]
    fn people_come_and_go_and_the_department_is_the_same() {
        let mut history = History::new();
        let department = DepartmentId(history.fresh());
        let [meera, ravi] = [(); 2].map(|()| history.invited(&[Role::Nurse]));
        history.push(department.into(), DepartmentEvent::DepartmentCreated { name: "Cardiology".into() });
        history.push(department.into(), DepartmentEvent::DepartmentHeadAssigned { head: meera, from: None });
        for login in [meera, ravi] {
            history.staff(login, StaffEvent::DepartmentAssigned { department });
        }
        history.staff(meera, StaffEvent::DepartmentUnassigned { department });
        let row = history.row::<Departments>(department.0).unwrap();
        assert_eq!((row.name.as_str(), row.head_id, row.staff_ids), ("Cardiology", Some(meera), vec![ravi]));
        assert_eq!((row.version, row.closed_at), (2, None));
        history.push(department.into(), DepartmentEvent::DepartmentClosed {});
        assert!(history.row::<Departments>(department.0).unwrap().closed_at.is_some());
    }
}
