//! A medicine as somebody writes it down, and the entry that it becomes: its ingredients under the names that the
//! platform knows them by, with the allergy classes that they belong to.

use std::collections::BTreeSet;

use events::medicine::{Coding, DoseRange, Ingredient, MedicineEntry, substance_key};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::composition;
use crate::{
    Facts, Read, Refusal, substance,
    values::{Name, Price, Text},
};

/// No medicine has so many.
const INGREDIENTS_MAX: usize = 60;
const CODES_MAX: usize = 20;
const CLASSES_MAX: usize = 20;

/// All that a catalogue says of a medicine. What is not given is not known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MedicineDraft {
    /// As it stands on the pack.
    pub name: Name,
    #[serde(default)]
    pub generic_name: Option<Name>,
    /// `Amoxycillin (500mg) + Clavulanic Acid (125mg)`: taken apart where `ingredients` are not given.
    #[serde(default)]
    pub composition: Option<Text<2000>>,
    #[serde(default)]
    pub ingredients: Vec<IngredientDraft>,
    /// Allergy classes beyond those that the platform knows of the ingredients: `penicillins`.
    #[serde(default)]
    pub classes: Vec<Name>,
    /// `tablet`, `syrup`, `injection`, …
    #[serde(default)]
    pub form: Option<Name>,
    /// `oral`, `topical`, `intravenous`, …
    #[serde(default)]
    pub route: Option<Name>,
    /// What is counted when it is given out (UCUM): `{tablet}`, `mL`, `g`.
    #[serde(default)]
    pub unit: Option<Text<40>>,
    #[serde(default)]
    pub strength: Option<Text<200>>,
    #[serde(default)]
    pub manufacturer: Option<Name>,
    /// `strip of 10 tablets`
    #[serde(default)]
    pub pack: Option<Name>,
    /// Of a pack.
    #[serde(default)]
    pub price: Option<Price>,
    #[serde(default)]
    pub codes: Vec<Coding>,
    /// Between which doses an adult is usually given it.
    #[serde(default)]
    pub doses: Option<DoseRange>,
}

/// A part of a medicine that acts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IngredientDraft {
    pub name: Name,
    /// Its RxNorm code.
    #[serde(default)]
    pub rxnorm: Option<Text<64>>,
    /// `500mg`, `125mg/5ml`
    #[serde(default)]
    pub strength: Option<Text<100>>,
}

impl MedicineDraft {
    /// A name alone.
    pub fn named(name: Name) -> Self {
        Self {
            name,
            generic_name: None,
            composition: None,
            ingredients: Vec::new(),
            classes: Vec::new(),
            form: None,
            route: None,
            unit: None,
            strength: None,
            manufacturer: None,
            pack: None,
            price: None,
            codes: Vec::new(),
            doses: None,
        }
    }

    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let written = self.written();
        substance::reads(written.iter().map(|ingredient| ingredient.name.as_str()), facts)
    }

    /// The entry of a catalogue; asks for [`MedicineDraft::reads`].
    pub(super) fn entry(self, facts: &Facts) -> Result<MedicineEntry, Refusal> {
        let written = self.written();
        at_most(written.len(), INGREDIENTS_MAX, "/ingredients")?;
        at_most(self.classes.len(), CLASSES_MAX, "/classes")?;
        at_most(self.codes.len(), CODES_MAX, "/codes")?;
        if let Some(doses) = &self.doses {
            check_doses(doses)?;
        }
        let mut classes: BTreeSet<String> = self.classes.iter().map(|class| substance_key(class.as_str())).collect();
        let mut ingredients: Vec<Ingredient> = Vec::with_capacity(written.len());
        for ingredient in written {
            let known = facts.substance(&ingredient.name);
            classes.extend(known.classes);
            ingredients.push(Ingredient {
                rxnorm: ingredient.rxnorm.or(known.rxnorm),
                name: known.name,
                also: known.also,
                strength: ingredient.strength,
            });
        }
        let strength = self.strength.map(String::from).or_else(|| only_strength(&ingredients));
        Ok(MedicineEntry {
            name: self.name.into(),
            generic_name: self.generic_name.map(Into::into),
            ingredients,
            classes: classes.into_iter().collect(),
            form: self.form.map(Into::into),
            route: self.route.map(Into::into),
            unit: self.unit.map(Into::into),
            strength,
            manufacturer: self.manufacturer.map(Into::into),
            pack: self.pack.map(Into::into),
            price: self.price.map(Into::into),
            codes: self.codes,
            doses: self.doses,
        })
    }

    /// The ingredients as they are written down, before anybody looked them up.
    fn written(&self) -> Vec<Ingredient> {
        if self.ingredients.is_empty() {
            return self.composition.as_ref().map(|text| composition::parse(text.as_str())).unwrap_or_default();
        }
        let plain = |draft: &IngredientDraft| Ingredient {
            name: draft.name.to_string(),
            rxnorm: draft.rxnorm.as_ref().map(ToString::to_string),
            strength: draft.strength.as_ref().map(ToString::to_string),
            also: Vec::new(),
        };
        self.ingredients.iter().map(plain).collect()
    }
}

/// The strength of a medicine with one ingredient is the ingredient's.
fn only_strength(ingredients: &[Ingredient]) -> Option<String> {
    match ingredients {
        [only] => only.strength.clone(),
        _ => None,
    }
}

fn at_most(count: usize, most: usize, pointer: &'static str) -> Result<(), Refusal> {
    match count <= most {
        true => Ok(()),
        false => Err(Refusal::rule("too-many", format!("At most {most} are kept.")).at(pointer)),
    }
}

fn check_doses(doses: &DoseRange) -> Result<(), Refusal> {
    let given = [doses.min_single, doses.max_single, doses.max_daily];
    let given: Vec<Decimal> = given.into_iter().flatten().collect();
    if given.iter().all(|dose| *dose > Decimal::ZERO) && given.is_sorted() {
        return Ok(());
    }
    let detail = "Doses are above zero, and min_single is not above max_single, nor that above max_daily.";
    Err(Refusal::rule("impossible-doses", detail).at("/doses"))
}

#[cfg(test)]
mod tests {
    use events::SubstanceEvent;
    use serde_json::json;

    use super::*;
    use crate::{
        Medicine,
        medicine::AddMedicine,
        testing::{World, body, id},
    };

    fn added(world: &mut World, medicine: serde_json::Value) -> Result<MedicineEntry, Refusal> {
        world.when::<Medicine>(id::<events::MedicineId>(1), body::<AddMedicine>(medicine))?;
        Ok(world.state::<Medicine>(id::<events::MedicineId>(1)).unwrap().entry.clone().unwrap())
    }

    fn world() -> World {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        for entry in [
            json!({"name": "amoxicillin", "also": ["amoxycillin"], "classes": ["penicillins"],
                "codes": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "723"}]}),
            json!({"name": "amoxycillin", "same_as": "amoxicillin"}),
        ] {
            let entry: events::substance::SubstanceEntry = body(entry);
            let stream = events::SubstanceId::of(&entry.name);
            world.given_on_platform(stream, SubstanceEvent::SubstanceDescribed { entry, source: "a table".into() });
        }
        world
    }

    #[test]
    fn an_ingredient_gets_the_name_the_code_and_the_classes_that_the_platform_knows() {
        let composition = json!({"name": "Augmentin", "composition": "Amoxycillin  (500mg) + Clavulanic Acid (125mg)"});
        let entry = added(&mut world(), composition).unwrap();
        let [amoxicillin, clavulanate] = &entry.ingredients[..] else { panic!("{entry:?}") };
        assert_eq!((amoxicillin.name.as_str(), amoxicillin.strength.as_deref()), ("amoxicillin", Some("500mg")));
        assert_eq!((amoxicillin.rxnorm.as_deref(), &amoxicillin.also[..]), (Some("723"), &["amoxycillin".into()][..]));
        assert_eq!(clavulanate.name, "clavulanic acid");
        assert_eq!((entry.classes, entry.strength), (vec!["penicillins".to_owned()], None));
    }

    #[test]
    fn given_ingredients_are_not_taken_from_the_composition() {
        let medicine = json!({"name": "X", "composition": "Y (1mg)", "classes": ["Sulfonamides"],
            "ingredients": [{"name": "Zincum", "strength": "5 mg"}]});
        let entry = added(&mut world(), medicine).unwrap();
        assert_eq!(entry.ingredients[0].name, "zincum");
        assert_eq!((entry.classes, entry.strength), (vec!["sulfonamides".to_owned()], Some("5 mg".to_owned())));
    }

    #[test]
    fn doses_that_cannot_be_are_refused() {
        let with = |doses| json!({"name": "X", "doses": doses});
        added(&mut world(), with(json!({"unit": "mg", "min_single": 250, "max_single": "500", "max_daily": 2000.5})))
            .unwrap();
        for doses in [
            json!({"unit": "mg", "min_single": 0}),
            json!({"unit": "mg", "min_single": 500, "max_single": 250}),
            json!({"unit": "mg", "max_single": 500, "max_daily": 250}),
        ] {
            assert_eq!(added(&mut world(), with(doses)).unwrap_err().code, "impossible-doses");
        }
    }
}
