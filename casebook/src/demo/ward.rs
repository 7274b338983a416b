//! A morning in the consulting room: patients who walk in, are triaged, seen, prescribed for, tested and charged.

use anyhow::{Context, Result};
use events::note::{ContentHash, NoteKind};
use serde_json::{Value, json};

use super::{
    http::{Http, text},
    people::{self, Complaint},
};

/// So many of the patients come.
const SEEN: usize = 10;

/// Who works in the morning; each is logged in.
pub(super) struct Ward<'a> {
    /// `/clinic/{slug}/api/v1`
    pub home: &'a str,
    pub office: &'a str,
    pub admin: &'a Http,
    pub desk: Http,
    pub doctor: Http,
    pub nurse: Http,
    pub technician: Http,
    pub cashier: Http,
}

impl Ward<'_> {
    /// How many were seen.
    pub async fn receive(&self, patients: &[String]) -> Result<usize> {
        let medicine = self.prepare().await?;
        let seen = &patients[..SEEN.min(patients.len())];
        for (patient, complaint) in seen.iter().zip(people::COMPLAINTS.iter().cycle()) {
            let visit = self.see(patient, complaint).await?;
            self.prescribe(patient, &visit).await?;
            self.test(patient, &visit).await?;
            self.write(patient, &visit, complaint).await?;
            self.doctor.post(&self.path(&format!("/visits/{visit}/finish")), &json!({})).await?;
            self.charge(patient, &visit).await?;
        }
        // The first is allergic to what the short key holds: whoever prescribes it next is warned.
        let allergy = json!({"substance": medicine, "criticality": "high"});
        self.nurse.post(&self.path(&format!("/patients/{}/allergies", seen[0])), &allergy).await?;
        self.chart_teeth(&seen[0]).await?;
        Ok(seen.len())
    }

    fn path(&self, below: &str) -> String {
        format!("{}{below}", self.home)
    }

    /// A medicine, and a short key that prescribes it; the name of its ingredient.
    async fn prepare(&self) -> Result<&'static str> {
        let entry = json!({"name": "Dolo 650", "generic_name": "paracetamol", "form": "tablet", "unit": "{tablet}",
            "ingredients": [{"name": "paracetamol", "strength": "650 mg"}], "route": "oral"});
        let medicine = text(&self.admin.post(&self.path("/medicines"), &entry).await?, "id")?;
        let line = json!({"medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
            "frequency": {"times": 3, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
            "quantity": {"value": 15, "unit": "{tablet}"}});
        let key = json!({"code": "FEVER", "title": "Fever in adults", "owner": "clinic", "items": [line]});
        self.admin.post(&self.path("/short-keys"), &key).await?;
        Ok("paracetamol")
    }

    async fn see(&self, patient: &str, complaint: &Complaint) -> Result<String> {
        let opens = json!({"patient_id": patient, "office_id": self.office, "chief_complaint": complaint.words});
        let visit = text(&self.desk.post(&self.path("/visits"), &opens).await?, "id")?;
        let on = |action: &str| self.path(&format!("/visits/{visit}/{action}"));
        let vitals = json!({"body_temperature": {"value": complaint.temperature}, "heart_rate": {"value": 88}});
        self.nurse.post(&on("vitals"), &vitals).await?;
        self.nurse.post(&on("triage"), &json!({"priority": "less-urgent"})).await?;
        self.doctor.post(&on("start"), &json!({})).await?;
        let diagnosis = json!({"code": complaint.code, "text": complaint.diagnosis, "certainty": "confirmed"});
        self.doctor.post(&on("diagnoses"), &diagnosis).await?;
        Ok(visit)
    }

    async fn prescribe(&self, patient: &str, visit: &str) -> Result<()> {
        let draft = json!({"patient_id": patient, "visit_id": visit});
        let prescription = text(&self.doctor.post(&self.path("/prescriptions"), &draft).await?, "id")?;
        let on = |action: &str| self.path(&format!("/prescriptions/{prescription}/{action}"));
        self.doctor.post(&on("expand-short-key"), &json!({"code": "FEVER"})).await?;
        self.doctor.post(&on("issue"), &json!({})).await.map(drop)
    }

    async fn test(&self, patient: &str, visit: &str) -> Result<()> {
        let tests = json!([{"code": "718-7", "text": "Haemoglobin", "kind": "blood"}]);
        let order = json!({"patient_id": patient, "visit_id": visit, "tests": tests, "reason": "fever"});
        let order = text(&self.doctor.post(&self.path("/lab-orders"), &order).await?, "id")?;
        let specimen = json!({"barcode": format!("B-{}", &order[24..])});
        self.technician.post(&self.path(&format!("/lab-orders/{order}/collect-specimen")), &specimen).await?;
        let report = self.technician.post(&self.path("/lab-reports"), &json!({"order_id": order})).await?;
        let report = text(&report, "id")?;
        let on = |action: &str| self.path(&format!("/lab-reports/{report}/{action}"));
        let found = json!({"code": "718-7", "text": "Haemoglobin", "range": {"low": 12.0, "high": 16.0},
            "value": {"type": "quantity", "value": 13.4, "unit": "g/dL"}});
        let recorded = self.technician.post(&on("results"), &json!({"result": found})).await?;
        let result = text(&recorded, "result_id")?;
        self.doctor.post(&on("verify-result"), &json!({"result_id": result})).await?;
        self.technician.post(&on("release"), &json!({})).await.map(drop)
    }

    async fn write(&self, patient: &str, visit: &str, complaint: &Complaint) -> Result<()> {
        let content = format!("S: {}\nA: {}\nP: rest, paracetamol", complaint.words, complaint.diagnosis);
        let draft = json!({"patient_id": patient, "visit_id": visit, "kind": "soap", "content": content});
        let note = text(&self.doctor.post(&self.path("/notes"), &draft).await?, "id")?;
        let hash = ContentHash::of_note(note.parse().context("an id")?, NoteKind::Soap, None, &content);
        let signed = self.path(&format!("/notes/{note}/sign"));
        self.doctor.post(&signed, &json!({"content_sha256": hash})).await.map(drop)
    }

    async fn charge(&self, patient: &str, visit: &str) -> Result<()> {
        let fee = json!({"minor": 50_000, "currency": "INR"});
        let charge =
            json!({"patient_id": patient, "visit_id": visit, "description": "Consultation", "unit_price": fee});
        let charge = text(&self.cashier.post(&self.path("/charges"), &charge).await?, "id")?;
        let invoice = json!({"patient_id": patient, "charge_ids": [charge]});
        let invoice = text(&self.cashier.post(&self.path("/invoices"), &invoice).await?, "id")?;
        let payment = json!({"amount": fee, "method": "upi"});
        self.cashier.post(&self.path(&format!("/invoices/{invoice}/payments")), &payment).await.map(drop)
    }

    async fn chart_teeth(&self, patient: &str) -> Result<()> {
        let on = |action: &str| self.path(&format!("/dental-charts/{patient}/{action}"));
        let seen: Value = json!({"tooth": 16, "surfaces": ["occlusal"], "condition": "cavity", "severity": "moderate"});
        self.doctor.post(&on("observations"), &seen).await?;
        let plan = json!({"code": "D2391", "teeth": [16], "surfaces": ["occlusal"]});
        self.doctor.post(&on("plan-procedure"), &plan).await.map(drop)
    }
}
