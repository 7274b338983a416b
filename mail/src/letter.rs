//! A mail, written: headers, text, and the same as HTML.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::texts::{Text, texts};

/// As whom an installation sends.
#[derive(Clone, Debug)]
pub struct Sender {
    pub from: Address,
    /// Where people meet the clinic's pages: links lead there. Without it, mails have none.
    pub public_url: Option<Url>,
}

/// In whose name a mail is written.
#[derive(Clone, Debug)]
pub struct House {
    pub name: String,
    /// What one logs in with beside the user name; none for the platform itself.
    pub slug: Option<String>,
    /// Where answers go.
    pub email: Option<String>,
    pub zone: Tz,
}

/// What a mail says. Nothing medical is in any of them.
#[derive(Clone, Debug)]
pub enum Mail {
    Activation(OneTime),
    PasswordReset(OneTime),
    Reminder(Reminder),
}

/// A secret that is good once.
#[derive(Clone, Debug)]
pub struct OneTime {
    pub name: String,
    pub username: String,
    pub secret: SecretString,
    pub until: DateTime<Utc>,
    /// A portal account is asked for the birth date as well.
    pub is_portal: bool,
}

/// An appointment, told so that nobody who reads over a shoulder learns more than that there is one: neither of whom,
/// nor with whom (a specialist's name tells of what), nor why.
#[derive(Clone, Debug)]
pub struct Reminder {
    pub start: DateTime<Utc>,
    pub office: String,
    /// Lines.
    pub address: Vec<String>,
    pub phone: Option<String>,
}

/// The address to which a mail should go, or that of the clinic, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is none that a mail can go to")]
pub struct NotAnAddress;

/// A mail as it leaves.
pub struct Letter {
    id: Uuid,
    message: Message,
}

impl Letter {
    /// `id` is the mail's own: the Message-ID is made of it, so that a mail that is sent again is known to be the same.
    /// The language is an IETF tag; English where there is no table for it.
    ///
    /// # Errors
    /// The address is none.
    pub fn write(
        sender: &Sender,
        house: &House,
        to: &str,
        mail: &Mail,
        id: Uuid,
        language: Option<&str>,
    ) -> Result<Self, NotAnAddress> {
        let to: Address = to.parse().map_err(|_| NotAnAddress)?;
        let text = texts(language).write(sender, house, mail);
        let from = Mailbox::new(Some(one_line(&house.name)), sender.from.clone());
        let mut builder = Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(one_line(&text.subject))
            .message_id(Some(format!("<{id}@{}>", sender.from.domain())))
            .date_now()
            // RFC 3834: nobody's absence answers it.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(answers) = house.email.as_deref().and_then(|email| email.parse::<Address>().ok()) {
            builder = builder.reply_to(Mailbox::new(None, answers));
        }
        let parts = MultiPart::alternative_plain_html(text.plain(&house.name), text.html(&house.name));
        let message = builder.multipart(parts).map_err(|_| NotAnAddress)?;
        Ok(Self { id, message })
    }

    pub fn id(&self) -> Uuid {
        self.id
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.message.formatted()
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        self.message.envelope()
    }
}

/// What stands in a header stands on one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// How a text becomes lines for people without HTML, and HTML for the others: no picture, nothing from another host.
impl Text {
    fn plain(&self, signed: &str) -> String {
        let parts = self.parts.iter().map(crate::texts::Part::plain);
        let mut all: Vec<String> = parts.collect();
        all.push(format!("-- \n{}", one_line(signed)));
        all.join("\n\n") + "\n"
    }

    fn html(&self, signed: &str) -> String {
        let parts: String = self.parts.iter().map(crate::texts::Part::html).collect();
        format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{}</title></head><body style=\"margin:0;background:#f4f5f7\">\
             <div style=\"max-width:34em;margin:0 auto;padding:2em 1.5em;background:#fff;color:#1c2733;\
             font:16px/1.5 system-ui,sans-serif\">{parts}<p style=\"margin:2em 0 0;color:#5b6874\">{}</p></div></body></html>\n",
            self.language,
            crate::texts::escaped(&self.subject),
            crate::texts::escaped(&one_line(signed)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "q8Zr-secret";

    fn sender(public_url: Option<&str>) -> Sender {
        let public_url = public_url.map(|url| url.parse().unwrap());
        Sender { from: "no-reply@casebook.example".parse().unwrap(), public_url }
    }

    fn house(name: &str) -> House {
        House {
            name: name.to_owned(),
            slug: Some("asha".to_owned()),
            email: Some("hello@asha.example".to_owned()),
            zone: chrono_tz::Asia::Kolkata,
        }
    }

    fn activation(name: &str) -> Mail {
        Mail::Activation(OneTime {
            name: name.to_owned(),
            username: "ravi".to_owned(),
            secret: SECRET.into(),
            until: "2026-03-05T04:30:00Z".parse().unwrap(),
            is_portal: false,
        })
    }

    fn reminder() -> Mail {
        Mail::Reminder(Reminder {
            start: "2026-03-02T04:30:00Z".parse().unwrap(),
            office: "Main office".to_owned(),
            address: vec!["1 MG Road".to_owned(), "411001 Pune".to_owned()],
            phone: Some("+919822000001".to_owned()),
        })
    }

    /// Headers, and the parts decoded.
    fn written(house: &House, mail: &Mail, public_url: Option<&str>, language: Option<&str>) -> (String, String) {
        let sender = sender(public_url);
        let letter = Letter::write(&sender, house, "ravi@asha.example", mail, Uuid::from_u128(7), language).unwrap();
        let text = texts(language).write(&sender, house, mail);
        let headers = String::from_utf8(letter.bytes()).unwrap();
        let (headers, _) = headers.split_once("\r\n\r\n").unwrap();
        (headers.to_owned(), text.plain(&house.name) + &text.html(&house.name))
    }

    #[test]
    fn an_activation_comes_in_the_clinics_name_and_brings_the_secret() {
        let (headers, text) = written(&house("Asha Clinic"), &activation("Ravi"), None, None);
        for line in [
            "From: \"Asha Clinic\" <no-reply@casebook.example>",
            "To: ravi@asha.example",
            "Reply-To: hello@asha.example",
            "Subject: Your login at Asha Clinic",
            "Message-ID: <00000000-0000-0000-0000-000000000007@casebook.example>",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(headers.lines().any(|header| header == line), "{line} is missing in {headers}");
        }
        assert!(!headers.contains(SECRET));
        for word in [SECRET, "ravi", "asha", "Thursday, 5 March 2026, 10:00 (IST)"] {
            assert!(text.contains(word), "{word} is missing in {text}");
        }
        assert!(!text.contains("http"), "{text}");
    }

    #[test]
    fn a_link_carries_the_secret_where_no_server_writes_it_down() {
        let (_, text) = written(&house("Asha"), &activation("Ravi"), Some("https://clinic.example/app"), None);
        let link = format!("https://clinic.example/app/activate#clinic=asha&username=ravi&secret={SECRET}");
        assert!(text.contains(&link), "{text}");
        assert!(text.contains(&link.replace('&', "&amp;")), "{text}");
    }

    #[test]
    fn no_name_makes_a_header_or_a_tag() {
        let evil = "Asha\r\nBcc: all@evil.example\r\n\r\n<script>alert(1)</script>";
        let (headers, text) = written(&house(evil), &activation(evil), None, None);
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        assert!(headers.contains("Subject:") && headers.contains("Message-ID:"), "{headers}");
        assert!(!text.split_once("<!doctype").unwrap().1.contains("<script>"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for wrong in ["", "nobody", "a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example"] {
            let letter = Letter::write(&sender(None), &house("Asha"), wrong, &reminder(), Uuid::nil(), None);
            assert_eq!(letter.err(), Some(NotAnAddress), "{wrong:?}");
        }
    }

    #[test]
    fn a_reminder_says_when_and_where_and_nothing_else() {
        let (headers, text) = written(&house("Asha"), &reminder(), None, Some("en-IN"));
        assert!(headers.contains("Subject: Reminder of your appointment"), "{headers}");
        for word in ["Monday, 2 March 2026, 10:00 (IST)", "Main office", "1 MG Road", "+919822000001"] {
            assert!(text.contains(word), "{word} is missing in {text}");
        }
    }

    #[test]
    fn a_language_without_a_table_is_english_and_hindi_has_one() {
        let (_, french) = written(&house("Asha"), &reminder(), None, Some("fr"));
        assert!(french.contains("reminder"));
        let (headers, hindi) = written(&house("आशा"), &reminder(), None, Some("hi-IN"));
        assert!(hindi.contains("02/03/2026, 10:00") && hindi.contains("अपॉइंटमेंट") && hindi.contains("lang=\"hi\""));
        assert!(headers.is_ascii(), "{headers}");
    }
}
