//! What can happen to a department of a clinic. It is no person: nothing here is sealed. Who belongs to it stands in the
//! streams of the logins, so that a login that ends belongs to none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::UserId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum DepartmentEvent {
    DepartmentCreated {
        name: String,
    },
    DepartmentHeadAssigned {
        head: UserId,
        from: Option<UserId>,
    },
    /// For good; the name is free again.
    DepartmentClosed {},
}
