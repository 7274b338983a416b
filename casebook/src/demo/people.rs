//! The people of the demo. Nobody of them exists.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

const FIRST_NAMES: [(&str, &str); 16] = [
    ("Asha", "female"),
    ("Vikram", "male"),
    ("Meera", "female"),
    ("Rohan", "male"),
    ("Lakshmi", "female"),
    ("Imran", "male"),
    ("Grace", "female"),
    ("Arjun", "male"),
    ("Fatima", "female"),
    ("Suresh", "male"),
    ("Priya", "female"),
    ("Thomas", "male"),
    ("Kavita", "female"),
    ("Anil", "male"),
    ("Zoya", "female"),
    ("Dev", "male"),
];
const LAST_NAMES: [&str; 10] = ["Rao", "Menon", "Khan", "Fernandes", "Iyer", "Patel", "Das", "Nair", "Shaikh", "Bose"];
const DOCTORS: [(&str, &str); 3] = [
    ("Dr Nandini Kulkarni", "General medicine"),
    ("Dr Joseph Mathew", "Paediatrics"),
    ("Dr Rehana Siddiqui", "Dentistry"),
];

/// The others who work in a clinic: the user name, which is the role too, and the name.
pub(super) const STAFF: [(&str, &str); 4] = [
    ("receptionist", "Anita Pawar"),
    ("nurse", "Sister Elizabeth"),
    ("lab_technician", "Ravi Deshmukh"),
    ("billing", "Sunita Joshi"),
];

/// What somebody comes with.
pub(super) struct Complaint {
    pub words: &'static str,
    /// Degrees Celsius.
    pub temperature: f64,
    /// ICD-10.
    pub code: &'static str,
    pub diagnosis: &'static str,
}

pub(super) const COMPLAINTS: [Complaint; 3] = [
    Complaint { words: "Fever since two days", temperature: 38.6, code: "R50.9", diagnosis: "Fever, unspecified" },
    Complaint { words: "Sore throat", temperature: 37.9, code: "J03.9", diagnosis: "Acute tonsillitis" },
    Complaint { words: "Cough at night", temperature: 37.2, code: "J20.9", diagnosis: "Acute bronchitis" },
];

/// The bodies that register the doctors of a clinic.
pub(super) fn doctors<'a>(slug: &'a str, office: &'a str) -> impl Iterator<Item = Value> + 'a {
    DOCTORS.iter().enumerate().map(move |(n, (name, specialisation))| {
        json!({
            "name": name, "username": format!("doctor{}", n + 1), "email": format!("doctor{}@{slug}.example", n + 1),
            "licence_number": format!("MH-{}", 10_001 + n), "specialisation": specialisation, "office_ids": [office]
        })
    })
}

/// The body that registers the `n`-th patient.
pub(super) fn patient(n: usize, random: &mut StdRng) -> Value {
    let (first_name, gender) = pick(random, &FIRST_NAMES);
    let (year, month, day) = (random.random_range(1945..2024), random.random_range(1..13), random.random_range(1..29));
    json!({
        "first_name": first_name, "last_name": pick(random, &LAST_NAMES), "gender": gender,
        "birth_date": format!("{year}-{month:02}-{day:02}"), "phone": format!("+9198{:08}", 20_000_000 + n)
    })
}

pub(super) fn pick<T: Copy>(random: &mut StdRng, from: &[T]) -> T {
    *from.choose(random).expect("there is something to choose from")
}
