//! What mails say: a table for each language, and what all of them are made of.

mod english;
mod hindi;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::ExposeSecret;

use crate::letter::{House, Mail, OneTime, Reminder, Sender};

/// The first is what is taken where there is none.
const TABLES: [Texts; 2] = [english::TEXTS, hindi::TEXTS];

/// All that is said in one language.
pub(crate) struct Texts {
    /// Its primary subtag.
    language: &'static str,
    /// As `chrono` writes it.
    moment: &'static str,
    activation: fn(&Words<'_>, &OneTime) -> Said,
    password_reset: fn(&Words<'_>, &OneTime) -> Said,
    reminder: fn(&Words<'_>, &Reminder) -> Said,
}

/// Subject and parts.
type Said = (String, Vec<Part>);

/// What a table needs beside the mail itself.
pub(crate) struct Words<'a> {
    sender: &'a Sender,
    house: &'a House,
    moment: &'static str,
}

/// A mail in words.
pub(crate) struct Text {
    pub(crate) language: &'static str,
    pub(crate) subject: String,
    pub(crate) parts: Vec<Part>,
}

pub(crate) enum Part {
    Paragraph(String),
    /// With what each is called.
    Facts(Vec<(&'static str, String)>),
    Link {
        label: &'static str,
        url: String,
    },
}

/// The table of a language: `hi-IN` is `hi`.
pub(crate) fn texts(language: Option<&str>) -> &'static Texts {
    let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default().to_ascii_lowercase();
    TABLES.iter().find(|texts| texts.language == primary).unwrap_or(&TABLES[0])
}

impl Texts {
    pub(crate) fn write(&self, sender: &Sender, house: &House, mail: &Mail) -> Text {
        let words = Words { sender, house, moment: self.moment };
        let (subject, parts) = match mail {
            Mail::Activation(one_time) => (self.activation)(&words, one_time),
            Mail::PasswordReset(one_time) => (self.password_reset)(&words, one_time),
            Mail::Reminder(reminder) => (self.reminder)(&words, reminder),
        };
        Text { language: self.language, subject, parts }
    }
}

impl Words<'_> {
    /// In the clinic's zone.
    fn moment(&self, at: DateTime<Utc>) -> String {
        let local: DateTime<Tz> = at.with_timezone(&self.house.zone);
        local.format(self.moment).to_string()
    }

    /// The page that takes the secret. It comes behind the `#`, which no browser sends to a server.
    fn link(&self, page: &str, label: &'static str, one_time: &OneTime) -> Option<Part> {
        let mut url = self.sender.public_url.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(page);
        let slug = self.house.slug.iter().map(|slug| ("clinic", slug.as_str()));
        let rest = [("username", one_time.username.as_str()), ("secret", one_time.secret.expose_secret())];
        let fields = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(slug.chain(rest)).finish();
        url.set_fragment(Some(&fields));
        Some(Part::Link { label, url: url.into() })
    }
}

/// `name` on its first line, the lines of the address below it.
fn lines(name: &str, address: &[String]) -> String {
    std::iter::once(name).chain(address.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
}

impl Part {
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Paragraph(text) => text.clone(),
            Self::Facts(facts) => {
                let line = |(name, value): &(&str, String)| format!("{name}: {}", value.replace('\n', "\n  "));
                facts.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Self::Link { label, url } => format!("{label}:\n{url}"),
        }
    }

    pub(crate) fn html(&self) -> String {
        match self {
            Self::Paragraph(text) => format!("<p>{}</p>", escaped(text)),
            Self::Facts(facts) => {
                let row = |(name, value): &(&str, String)| {
                    format!(
                        "<tr><td style=\"padding:.25em 1em .25em 0;color:#5b6874;vertical-align:top\">{}</td>\
                         <td style=\"padding:.25em 0;font-weight:600;word-break:break-all\">{}</td></tr>",
                        escaped(name),
                        escaped(value).replace('\n', "<br>")
                    )
                };
                format!(
                    "<table style=\"border-collapse:collapse\">{}</table>",
                    facts.iter().map(row).collect::<String>()
                )
            }
            Self::Link { label, url } => format!(
                "<p><a href=\"{}\" style=\"display:inline-block;padding:.6em 1.2em;border-radius:.4em;background:#14532d;\
                 color:#fff;text-decoration:none\">{}</a></p>",
                escaped(url),
                escaped(label)
            ),
        }
    }
}

/// As HTML takes it, in a text and in an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
