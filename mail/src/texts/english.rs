//! English.

use secrecy::ExposeSecret;

use super::{Part, Said, Texts, Words, lines};
use crate::letter::{OneTime, Reminder};

pub(super) const TEXTS: Texts =
    Texts { language: "en", moment: "%A, %-d %B %Y, %H:%M (%Z)", activation, password_reset, reminder };

const UNEXPECTED: &str = "If you did not expect this mail, you need not do anything.";

fn activation(words: &Words<'_>, one_time: &OneTime) -> Said {
    let house = &words.house.name;
    let until = words.moment(one_time.until);
    let mut parts = vec![
        Part::Paragraph(format!("Hello {},", one_time.name)),
        Part::Paragraph(format!(
            "There is a login for you at {house}. This code sets its password. It is good once, until {until}."
        )),
        facts(words, one_time),
    ];
    parts.extend(words.link("activate", "Set your password", one_time));
    parts.extend(portal(one_time));
    parts.push(Part::Paragraph(UNEXPECTED.to_owned()));
    (format!("Your login at {house}"), parts)
}

fn password_reset(words: &Words<'_>, one_time: &OneTime) -> Said {
    let house = &words.house.name;
    let until = words.moment(one_time.until);
    let mut parts = vec![
        Part::Paragraph(format!("Hello {},", one_time.name)),
        Part::Paragraph(format!(
            "Somebody, and we hope it was you, asked for a new password of your login at {house}. This code sets one. It \
             is good once, until {until}; the present password stays good until then."
        )),
        facts(words, one_time),
    ];
    parts.extend(words.link("reset-password", "Set a new password", one_time));
    parts.extend(portal(one_time));
    parts.push(Part::Paragraph(UNEXPECTED.to_owned()));
    (format!("A new password for {house}"), parts)
}

fn reminder(words: &Words<'_>, reminder: &Reminder) -> Said {
    let call = match &reminder.phone {
        Some(phone) => format!("If you cannot come, please call {phone} or answer this mail."),
        None => "If you cannot come, please answer this mail.".to_owned(),
    };
    let parts = vec![
        Part::Paragraph("This is a reminder of your appointment.".to_owned()),
        Part::Facts(vec![
            ("When", words.moment(reminder.start)),
            ("Where", lines(&format!("{}, {}", words.house.name, reminder.office), &reminder.address)),
        ]),
        Part::Paragraph(call),
    ];
    ("Reminder of your appointment".to_owned(), parts)
}

fn facts(words: &Words<'_>, one_time: &OneTime) -> Part {
    let clinic = words.house.slug.iter().map(|slug| ("Clinic", slug.clone()));
    let login = [("User name", one_time.username.clone()), ("Code", one_time.secret.expose_secret().to_owned())];
    Part::Facts(clinic.chain(login).collect())
}

fn portal(one_time: &OneTime) -> Option<Part> {
    one_time.is_portal.then(|| Part::Paragraph("You are asked for your birth date as well.".to_owned()))
}
