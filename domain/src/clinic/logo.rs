//! The picture that stands for the clinic on what it prints.

use events::{ClinicEvent, clinic::ClinicLogo};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, values::Picture};

/// Sets the logo that is printed on documents, in the place of the one before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLogo {
    pub picture: Picture,
}

impl SetLogo {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        let picture = self.picture;
        let logo = ClinicLogo {
            media_type: picture.media_type().to_owned(),
            sha256: picture.sha256(),
            data: picture.base64(),
        };
        if clinic.logo_sha256.as_ref() == Some(&logo.sha256) {
            return Decision::already_so();
        }
        did(context, ClinicEvent::ClinicLogoSet { logo })
    }
}

/// Prints documents with the clinic's name alone from now on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveLogo {}

impl RemoveLogo {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        match clinic.logo_sha256 {
            Some(_) => did(context, ClinicEvent::ClinicLogoRemoved {}),
            None => Decision::already_so(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body};

    /// A PNG of 16 by 16 pixels, as far as its head goes; `salt` makes it another one.
    fn picture(salt: &str) -> SetLogo {
        let head = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9h";
        body(json!({"picture": format!("{head}{salt}")}))
    }

    #[test]
    fn a_logo_is_set_replaced_and_removed_each_once() {
        let mut world = World::registered();
        let events = world.when::<Clinic>(world.clinic, picture("")).unwrap();
        let [events::DomainEvent::Clinic(ClinicEvent::ClinicLogoSet { logo })] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(logo.media_type, "image/png");
        assert!(world.when::<Clinic>(world.clinic, picture("")).unwrap().is_empty());
        assert_eq!(world.when::<Clinic>(world.clinic, picture("AAAA")).unwrap().len(), 1);
        assert_eq!(world.when::<Clinic>(world.clinic, RemoveLogo {}).unwrap().len(), 1);
        assert!(world.when::<Clinic>(world.clinic, RemoveLogo {}).unwrap().is_empty());
    }
}
