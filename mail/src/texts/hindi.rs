//! Hindi.

use secrecy::ExposeSecret;

use super::{Part, Said, Texts, Words, lines};
use crate::letter::{OneTime, Reminder};

pub(super) const TEXTS: Texts =
    Texts { language: "hi", moment: "%d/%m/%Y, %H:%M (%Z)", activation, password_reset, reminder };

const UNEXPECTED: &str = "यदि आपको इस मेल की अपेक्षा नहीं थी, तो आपको कुछ करने की ज़रूरत नहीं है।";

fn activation(words: &Words<'_>, one_time: &OneTime) -> Said {
    let house = &words.house.name;
    let until = words.moment(one_time.until);
    let mut parts = vec![
        Part::Paragraph(format!("नमस्ते {},", one_time.name)),
        Part::Paragraph(format!(
            "{house} में आपके लिए एक लॉगिन बनाया गया है। नीचे दिए गए कोड से अपना पासवर्ड बनाएँ। यह कोड एक ही बार काम करता है \
             और {until} तक मान्य है।"
        )),
        facts(words, one_time),
    ];
    parts.extend(words.link("activate", "पासवर्ड बनाएँ", one_time));
    parts.extend(portal(one_time));
    parts.push(Part::Paragraph(UNEXPECTED.to_owned()));
    (format!("{house} में आपका लॉगिन"), parts)
}

fn password_reset(words: &Words<'_>, one_time: &OneTime) -> Said {
    let house = &words.house.name;
    let until = words.moment(one_time.until);
    let mut parts = vec![
        Part::Paragraph(format!("नमस्ते {},", one_time.name)),
        Part::Paragraph(format!(
            "{house} में आपके लॉगिन के लिए नया पासवर्ड माँगा गया है। नीचे दिए गए कोड से नया पासवर्ड बनाएँ। यह कोड एक ही बार काम \
             करता है और {until} तक मान्य है; तब तक मौजूदा पासवर्ड चलता रहेगा।"
        )),
        facts(words, one_time),
    ];
    parts.extend(words.link("reset-password", "नया पासवर्ड बनाएँ", one_time));
    parts.extend(portal(one_time));
    parts.push(Part::Paragraph(UNEXPECTED.to_owned()));
    (format!("{house} के लिए नया पासवर्ड"), parts)
}

fn reminder(words: &Words<'_>, reminder: &Reminder) -> Said {
    let call = match &reminder.phone {
        Some(phone) => format!("यदि आप नहीं आ सकते, तो कृपया {phone} पर फ़ोन करें या इस मेल का उत्तर दें।"),
        None => "यदि आप नहीं आ सकते, तो कृपया इस मेल का उत्तर दें।".to_owned(),
    };
    let parts = vec![
        Part::Paragraph("यह आपके अपॉइंटमेंट की याद दिलाने के लिए है।".to_owned()),
        Part::Facts(vec![
            ("समय", words.moment(reminder.start)),
            ("स्थान", lines(&format!("{}, {}", words.house.name, reminder.office), &reminder.address)),
        ]),
        Part::Paragraph(call),
    ];
    ("आपके अपॉइंटमेंट की याद".to_owned(), parts)
}

fn facts(words: &Words<'_>, one_time: &OneTime) -> Part {
    let clinic = words.house.slug.iter().map(|slug| ("क्लिनिक", slug.clone()));
    let login = [("यूज़र नाम", one_time.username.clone()), ("कोड", one_time.secret.expose_secret().to_owned())];
    Part::Facts(clinic.chain(login).collect())
}

fn portal(one_time: &OneTime) -> Option<Part> {
    one_time.is_portal.then(|| Part::Paragraph("आपसे आपकी जन्मतिथि भी पूछी जाएगी।".to_owned()))
}
