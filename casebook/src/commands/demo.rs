//! `casebook demo`.

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Url;
use service_kit::config::CommonConfig;

use crate::{
    demo::{self, DemoClinic},
    say::say,
};

/// Fill two clinics of a running Casebook with people, appointments and visits with all that comes of them, and say how to log in
#[derive(Args)]
pub struct Demo {
    /// Where Casebook runs; by default where `casebook up` would serve on this machine.
    #[arg(long)]
    url: Option<Url>,
}

impl Demo {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        let base = match self.url {
            Some(url) => url,
            None => format!("http://{}", config.listen).parse().context("the address of CASEBOOK_LISTEN")?,
        };
        for clinic in demo::fill(&base).await? {
            say(&describe(&clinic, &base))?;
        }
        Ok(())
    }
}

fn describe(clinic: &DemoClinic, base: &Url) -> String {
    let DemoClinic { name, slug, username, password, doctors, patients, appointments, visits } = clinic;
    let login = serde_json::json!({"clinic": slug, "username": username, "password": password});
    format!(
        "{name}: {doctors} doctors, {patients} patients, {appointments} appointments, {visits} visits\n  \
         clinic {slug}, user name {username} (or doctor1, receptionist, nurse, lab_technician, billing), password {password}\n  \
         curl -s {base}api/v1/auth/login -H 'content-type: application/json' -d '{login}'\n"
    )
}
