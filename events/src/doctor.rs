//! What can happen to a doctor: where and when they work, their licence, their leave.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::{
    LeaveId, OfficeId, Sealed,
    calendar::WorkingHours,
    claim::KeyedHash,
    values::{Money, Span},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorIdentity {
    pub name: String,
    pub licence_number: String,
    pub specialisation: Option<String>,
    pub qualification: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Licence {
    pub number: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorReason {
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum DoctorEvent {
    DoctorRegistered {
        licence_hash: KeyedHash,
        licence_expires: Option<NaiveDate>,
        years_of_experience: Option<i32>,
        /// The first is the primary one.
        offices: Vec<OfficeId>,
        #[serde(default)]
        sealed: Sealed<DoctorIdentity>,
    },
    OfficeAssigned {
        office: OfficeId,
    },
    OfficeUnassigned {
        office: OfficeId,
    },
    PrimaryOfficeSet {
        office: OfficeId,
    },
    /// Replaces all; empty: the doctor has the hours of each office.
    WorkingHoursSet {
        hours: Vec<WorkingHours>,
    },
    LeaveDeclared {
        leave: LeaveId,
        span: Span,
        #[serde(default)]
        sealed: Sealed<DoctorReason>,
    },
    LeaveCancelled {
        leave: LeaveId,
    },
    FeeSet {
        fee: Money,
    },
    LicenceRecorded {
        licence_hash: KeyedHash,
        expires: Option<NaiveDate>,
        #[serde(default)]
        sealed: Sealed<Licence>,
    },
    DoctorDeactivated {
        #[serde(default)]
        sealed: Sealed<DoctorReason>,
    },
}
