//! Where something is.

use events::values::Address;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CountryCode, Name, Text};

/// A postal address; every part may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PostalAddress {
    /// House, street, district; may have several lines.
    pub line: Option<Text<300>>,
    pub city: Option<Name>,
    /// State or province.
    pub state: Option<Name>,
    pub postal_code: Option<Text<20>>,
    pub country: Option<CountryCode>,
}

impl From<PostalAddress> for Address {
    fn from(address: PostalAddress) -> Self {
        Self {
            line: address.line.map(Into::into),
            city: address.city.map(Into::into),
            state: address.state.map(Into::into),
            postal_code: address.postal_code.map(Into::into),
            country: address.country.map(Into::into),
        }
    }
}
