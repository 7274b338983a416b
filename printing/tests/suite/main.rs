//! What stands on the sheets, read out of the PDF again.

mod sheets;

use printing::{AllergyNotice, Document, Fonts, Logo, Mark, Printer, Unprintable};
use proptest::prelude::*;
use sheets::{every_kind, invoice, lab_report, plain, prescription, prescription_of};

fn printer() -> Printer {
    Printer::new(Fonts::embedded())
}

/// The text of a page, as it can be copied from it.
#[derive(Debug, PartialEq, Eq)]
struct Text(String);

impl Text {
    fn contains(&self, part: &str) -> bool {
        self.0.contains(&plain(part))
    }
}

fn pages(document: &Document) -> Vec<Text> {
    let bytes = printer().print(document).expect("it can be printed");
    let pages = pdf_extract::extract_text_from_mem_by_pages(&bytes).expect("it can be read");
    pages.into_iter().map(|page| Text(plain(&page))).collect()
}

fn text(document: &Document) -> Text {
    Text(pages(document).into_iter().map(|page| page.0).collect())
}

#[test]
fn every_document_says_whose_it_is_and_who_printed_it() {
    for document in every_kind() {
        let text = text(&document);
        for said in ["Asha Clinic", "MH-2019/12345", "27AAAPA1234A1Z5", "Åsa Łukasik", "PT-2026-00042", "42 years"] {
            assert!(text.contains(said), "{said} in {text:?}");
        }
        assert!(text.contains("21 Nov 2026, 14:05 IST") && text.contains("Ravi Desai"), "{text:?}");
        assert!(text.contains(&document.sheet().number) && text.contains("Page 1 of 1"), "{text:?}");
    }
}

#[test]
fn a_prescription_says_what_is_taken_and_how_and_warns_of_allergies() {
    let said = text(&prescription());
    let parts = ["Mox 500", "amoxicillin 500mg", "1 tablet, oral, twice a day", "for 5 days", "10 tablets"];
    for part in parts.into_iter().chain(["Do not substitute", "penicillin (rash)", "Licence MMC-4711"]) {
        assert!(said.contains(part), "{part} in {said:?}");
    }
    let Document::Prescription(mut sheet) = prescription() else { panic!("a prescription") };
    let notices = [
        (AllergyNotice::NotAsked, "nothing is recorded"),
        (AllergyNotice::None { since: "3 Mar 2026".into() }, "No known allergies"),
        (AllergyNotice::Withheld, "not shown"),
    ];
    for (notice, words) in notices {
        sheet.allergies = notice;
        assert!(text(&Document::Prescription(sheet.clone())).contains(words), "{words}");
    }
}

#[test]
fn amounts_and_taxes_of_an_invoice_are_printed_as_they_are_written() {
    let said = text(&invoice());
    let parts = ["2,83,201.18", "₹ 2,83,701.18", "18 %", "Payment, UPI", "−1,00,000.00", "CN-2026-00003"];
    for part in parts.into_iter().chain(["₹ 1,83,700.18"]) {
        assert!(said.contains(part), "{part} in {said:?}");
    }
}

#[test]
fn a_corrected_result_stands_with_what_was_reported_before_and_why() {
    let said = text(&lab_report());
    for part in ["182", "mg/dL", "70 – 100", "HH", "Corrected.", "82 mg/dL", "a digit was left out"] {
        assert!(said.contains(part), "{part} in {said:?}");
    }
}

#[test]
fn many_items_go_on_over_pages_that_each_say_whose_they_are() {
    let pages = pages(&prescription_of(60));
    assert!(pages.len() >= 3, "{} pages", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains("Asha Clinic") && page.contains("Åsa Łukasik") && page.contains("RX-20261121-001"));
        assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "{page:?}");
    }
    assert!(pages[1].contains("How to take it"), "the head of the table is repeated: {:?}", pages[1]);
}

#[test]
fn what_does_not_stand_says_so_on_every_page() {
    let mut document = prescription_of(60);
    let mark = Mark { stamp: Some("CANCELLED".into()), title: "Cancelled".into(), text: Some("A mistake.".into()) };
    document.sheet_mut().marks.push(mark);
    for page in pages(&document) {
        assert!(page.contains("CANCELLED"), "{page:?}");
    }
    assert!(text(&document).contains("A mistake."));
}

#[test]
fn markup_is_printed_and_not_obeyed() {
    let typed =
        "#panic() *bold* _it_ `raw` $x^2$ = Head \\ ~ @ref <label> #let x = 1 -- \"q\" #read(\"/logo\") // no /* no */";
    let mut document = prescription();
    document.sheet_mut().patient.name = typed.to_owned();
    let said = text(&document);
    assert!(said.contains(typed), "{said:?}");
}

#[test]
fn the_same_data_give_the_same_bytes() {
    for document in every_kind() {
        assert!(printer().print(&document) == printer().print(&document), "{}", document.sheet().title);
    }
}

#[test]
fn devanagari_is_printed_with_its_own_letters() {
    let has = |document: &Document, name: &[u8]| {
        let bytes = printer().print(document).unwrap();
        bytes.windows(name.len()).any(|window| window == name)
    };
    let mut document = prescription();
    assert!(!has(&document, b"NotoSansDevanagari"), "only where it is needed");
    document.sheet_mut().patient.name = "श्रीमती अनिता कुलकर्णी".to_owned();
    assert!(has(&document, b"NotoSansDevanagari"), "its font is embedded");
    assert!(text(&document).contains("श्रीम"), "it can be copied");
}

/// A box for each: a glyph is drawn, so that nobody overlooks that something is missing.
#[test]
fn what_no_font_has_leaves_a_box() {
    let (mut with, mut without) = (prescription(), prescription());
    with.sheet_mut().patient.name = "漢字🙂".to_owned();
    without.sheet_mut().patient.name = String::new();
    assert!(printer().print(&with) != printer().print(&without));
}

#[test]
fn a_logo_that_is_none_is_left_out() {
    let mut document = prescription();
    document.sheet_mut().clinic.logo = Some(Logo(b"\x89PNG\r\n\x1a\n and no more".to_vec()));
    assert_eq!(text(&document), text(&prescription()));
    document.sheet_mut().clinic.logo = Some(Logo(sheets::PNG.to_vec()));
    assert!(printer().print(&document) != printer().print(&prescription()));
}

#[test]
fn a_long_text_is_printed_and_one_without_end_refused() {
    let instructions = |text: String, items: usize| {
        let Document::Prescription(mut sheet) = prescription_of(items) else { panic!("a prescription") };
        sheet.items.iter_mut().for_each(|item| item.instructions = Some(text.clone()));
        Document::Prescription(sheet)
    };
    let long = "take care ".repeat(1_000);
    assert!(text(&instructions(long.clone() + "to the end", 1)).contains("to the end"));
    assert_eq!(printer().print(&instructions(long, 60)), Err(Unprintable::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_unprintable(typed in "\\PC{0,60}|(?s:.){0,200}|[\\x{590}-\\x{6ff}]{0,40}|[\\x{900}-\\x{97f}]{0,40}|\\S{200}") {
        for mut document in every_kind() {
            sheets::fill(&mut document, &typed);
            prop_assert!(printer().print(&document).is_ok());
        }
    }
}
