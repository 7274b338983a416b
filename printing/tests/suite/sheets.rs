//! Documents to be printed.

use printing::{
    AllergyNotice, DiagnosisLine, Document, EarlierResult, Fact, Imprint, InvoiceSheet, InvoicedLine, LabReportSheet,
    Letterhead, Listed, Mark, MeasuredSet, Movement, Person, PrescribedItem, PrescriptionSheet, ReportedResult,
    ResultMark, Sheet, Sign, Signatory, TaxSum, VisitSheet,
};

pub const PNG: &[u8] = include_bytes!("logo.png");

/// Without spaces, of which a reader of PDFs finds more or fewer than were written, and without the places at which long
/// words may break.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn sheet(title: &str, number: &str) -> Sheet {
    let contacts = [("Reg. no.", "MH-2019/12345"), ("Tax id", "27AAAPA1234A1Z5")];
    Sheet {
        title: title.to_owned(),
        number: number.to_owned(),
        clinic: Letterhead {
            name: "Asha Clinic".to_owned(),
            address: vec!["12 Residency Road".to_owned(), "Pune 411001".to_owned()],
            contacts: contacts.map(|(label, value)| Fact::new(label, value)).to_vec(),
            logo: None,
        },
        patient: Person {
            name: "Åsa Łukasik".to_owned(),
            number: "PT-2026-00042".to_owned(),
            born: some("12 Mar 1984, 42 years"),
            sex: "Female".to_owned(),
        },
        marks: Vec::new(),
        imprint: Imprint {
            at: "21 Nov 2026, 14:05 IST".to_owned(),
            by: "Ravi Desai".to_owned(),
            reflects: "version 4".to_owned(),
            copy: None,
        },
    }
}

fn doctor() -> Signatory {
    Signatory { name: "Dr Meera Iyer".to_owned(), lines: vec!["MBBS".to_owned(), "Licence MMC-4711".to_owned()] }
}

pub fn prescription() -> Document {
    prescription_of(1)
}

pub fn prescription_of(items: usize) -> Document {
    let item = PrescribedItem {
        medicine: "Mox 500".to_owned(),
        composition: some("amoxicillin 500mg"),
        dose: some("1 tablet, oral"),
        when: some("twice a day"),
        course: some("for 5 days"),
        instructions: some("With water."),
        quantity: "10 tablets".to_owned(),
        substitution: false,
    };
    Document::Prescription(PrescriptionSheet {
        sheet: sheet("Prescription", "RX-20261121-001"),
        facts: vec![Fact::new("Issued", "21 Nov 2026")],
        prescriber: doctor(),
        allergies: AllergyNotice::Some { to: vec!["penicillin (rash)".to_owned()] },
        items: vec![item; items],
    })
}

pub fn invoice() -> Document {
    let line = InvoicedLine {
        description: "Consultation".to_owned(),
        quantity: "1".to_owned(),
        unit_price: "2,40,001.00".to_owned(),
        rate: "18 %".to_owned(),
        net: "2,40,001.00".to_owned(),
        tax: "43,200.18".to_owned(),
        total: "2,83,201.18".to_owned(),
    };
    let movement = |what: &str, amount: &str| Movement {
        day: "21 Nov 2026".to_owned(),
        what: what.to_owned(),
        detail: None,
        amount: amount.to_owned(),
    };
    Document::Invoice(InvoiceSheet {
        sheet: sheet("Invoice", "INV-2026-00017"),
        facts: vec![Fact::new("Date", "21 Nov 2026")],
        bill_to: vec!["Åsa Łukasik".to_owned()],
        currency: "INR".to_owned(),
        lines: vec![line],
        taxes: vec![TaxSum { rate: "18 %".to_owned(), net: "2,40,001.00".to_owned(), tax: "43,200.18".to_owned() }],
        net: "2,40,501.00".to_owned(),
        tax: "43,200.18".to_owned(),
        total: "₹\u{a0}2,83,701.18".to_owned(),
        movements: vec![movement("Payment, UPI", "−1,00,000.00"), movement("Credit note CN-2026-00003", "−1.00")],
        settled: vec![Fact::new("Paid", "1,00,000.00")],
        due: "₹\u{a0}1,83,700.18".to_owned(),
    })
}

pub fn lab_report() -> Document {
    let result = ReportedResult {
        test: "Glucose".to_owned(),
        code: some("2345-7"),
        value: "182".to_owned(),
        unit: some("mg/dL"),
        range: some("70 – 100"),
        flag: Some(ResultMark { short: "HH".to_owned(), word: "critically high".to_owned(), critical: true }),
        note: None,
        provenance: "Recorded by Tara Shah".to_owned(),
        earlier: vec![EarlierResult {
            value: "82 mg/dL".to_owned(),
            corrected: "Transcription: a digit was left out.".to_owned(),
        }],
    };
    Document::LabReport(LabReportSheet {
        sheet: sheet("Laboratory report", "LR-20261121-001"),
        facts: vec![Fact::new("Ordered by", "Dr Meera Iyer")],
        results: vec![result],
        released: Some(doctor()),
    })
}

fn visit() -> Document {
    let listed = |title: &str| Listed { title: title.to_owned(), lines: vec!["Chest X-ray".to_owned()] };
    let sign = Sign { name: "Heart rate".to_owned(), value: "96 /min".to_owned(), flag: some("high") };
    Document::Visit(VisitSheet {
        sheet: sheet("Visit summary", "VIS-20261121-004"),
        facts: vec![Fact::new("Date", "21 Nov 2026")],
        complaint: some("A cough"),
        triage: vec![Fact::new("Priority", "Urgent")],
        vitals: Some(vec![MeasuredSet { at: "13:15".to_owned(), signs: vec![sign], note: None }]),
        diagnoses: Some(vec![DiagnosisLine {
            text: "Pneumonia".to_owned(),
            code: some("J18.9"),
            certainty: "Confirmed".to_owned(),
            earlier: vec!["Bronchitis".to_owned()],
        }]),
        prescribed: Some(vec![listed("RX-20261121-001")]),
        ordered: Some(vec![listed("LAB-20261121-002")]),
        follow_up: vec![Fact::new("On", "28 Nov 2026")],
        doctor: Some(doctor()),
    })
}

/// Each of the four.
pub fn every_kind() -> Vec<Document> {
    vec![prescription(), invoice(), lab_report(), visit()]
}

/// Puts a text wherever people's words go.
pub fn fill(document: &mut Document, text: &str) {
    let said = || text.to_owned();
    let sheet = document.sheet_mut();
    sheet.clinic.name = said();
    sheet.clinic.address = vec![said()];
    sheet.clinic.contacts = vec![Fact::new(said(), said())];
    sheet.patient = Person { name: said(), number: said(), born: Some(said()), sex: said() };
    sheet.marks = vec![Mark { stamp: Some("STOPPED".to_owned()), title: said(), text: Some(said()) }];
    sheet.imprint.by = said();
    match document {
        Document::Prescription(sheet) => {
            sheet.prescriber.name = said();
            sheet.allergies = AllergyNotice::Some { to: vec![said()] };
            sheet.items[0].medicine = said();
            sheet.items[0].instructions = Some(said());
        }
        Document::Invoice(sheet) => {
            sheet.bill_to = vec![said()];
            sheet.lines[0].description = said();
            sheet.movements[0].detail = Some(said());
        }
        Document::LabReport(sheet) => {
            let result = &mut sheet.results[0];
            (result.test, result.value) = (said(), said());
            (result.range, result.note) = (Some(said()), Some(said()));
        }
        Document::Visit(sheet) => {
            sheet.complaint = Some(said());
            sheet.triage = vec![Fact::new(said(), said())];
            sheet.follow_up = vec![Fact::new(said(), said())];
            sheet.diagnoses.iter_mut().flatten().for_each(|diagnosis| diagnosis.text = said());
        }
    }
}
