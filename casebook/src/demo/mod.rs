//! Fills two clinics of a running Casebook over HTTP, as any client would.

mod clinic;
mod desk;
mod http;
mod people;
mod ward;

use anyhow::Result;
use rand::{SeedableRng, rngs::StdRng};
use reqwest::Url;

pub use clinic::DemoClinic;

use http::Http;

/// Patients, times and kinds are the same at every run; slugs and passwords are not.
const SEED: u64 = 20_260_314;
const CLINICS: [&str; 2] = ["Asha Family Clinic", "Lakeside Dental"];

/// Registers the clinics, each with people, a week of appointments and a morning of visits with all that comes of them.
///
/// # Errors
/// When nothing answers at `base`, or an answer is not the expected one.
pub async fn fill(base: &Url) -> Result<Vec<DemoClinic>> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut clinics = Vec::new();
    for name in CLINICS {
        clinics.push(clinic::fill(Http::new(base.clone())?, name, &mut random).await?);
    }
    Ok(clinics)
}
