//! Where mails go, and as whom they are sent.

use ::mail::{Address, Place, Post, Sender, Url};
use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::data_dir::DataDir;

/// Who sends mails that go to a folder, where nobody says otherwise.
const FROM_THIS_MACHINE: &str = "casebook@localhost";

#[derive(Clone, Debug, Args)]
pub struct MailConfig {
    /// Where mails go: smtps://user:password@host or smtp://user:password@host (with STARTTLS; without TLS on this
    /// machine alone), or a folder that gets a file for each; by default mail in the data folder. A password belongs into
    /// the environment: arguments can be seen by everybody on the machine.
    #[arg(id = "mail", long = "mail", global = true, env = "CASEBOOK_MAIL", hide_env_values = true)]
    place: Option<Place>,
    /// The address that mails come from; answers go to the clinic's own.
    #[arg(long, global = true, env = "CASEBOOK_MAIL_FROM")]
    mail_from: Option<Address>,
    /// Where people meet the clinics' pages, https://clinic.example.org: mails link to activate and reset-password below it.
    /// Without it, mails bring the code alone.
    #[arg(long, global = true, env = "CASEBOOK_PUBLIC_URL", value_parser = web)]
    public_url: Option<Url>,
}

/// What the mailer of a process is given.
#[derive(Clone)]
pub struct Outgoing {
    pub post: Post,
    pub sender: Sender,
}

impl MailConfig {
    /// # Errors
    /// Mails go to a server, and nobody says from which address they come.
    pub fn open(&self, data_dir: &DataDir) -> Result<Outgoing> {
        let place = self.place.clone().unwrap_or_else(|| Place::Folder(data_dir.mail()));
        let is_here = matches!(place, Place::Folder(_));
        ensure!(is_here || self.mail_from.is_some(), "CASEBOOK_MAIL_FROM must say from which address mails come");
        let from = match self.mail_from.clone() {
            Some(from) => from,
            None => FROM_THIS_MACHINE.parse().context("the usual address")?,
        };
        let post = Post::open(&place).with_context(|| format!("opening the way of mails to {place}"))?;
        Ok(Outgoing { post, sender: Sender { from, public_url: self.public_url.clone() } })
    }
}

fn web(text: &str) -> Result<Url> {
    let url: Url = text.parse()?;
    ensure!(matches!(url.scheme(), "http" | "https"), "it begins with https://");
    Ok(url)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        mail: MailConfig,
    }

    fn parse(arguments: &[&str]) -> Result<MailConfig> {
        let all = std::iter::once("casebook").chain(arguments.iter().copied());
        Ok(Program::try_parse_from(all)?.mail)
    }

    #[test]
    fn mails_go_to_a_folder_unless_somebody_says_otherwise() {
        let data_dir = DataDir::at("/data".as_ref());
        let outgoing = parse(&[]).unwrap().open(&data_dir).unwrap();
        assert!(matches!(outgoing.post, Post::Folder(_)));
        assert_eq!(outgoing.sender.from.to_string(), FROM_THIS_MACHINE);
    }

    #[test]
    fn a_server_needs_to_know_from_whom_and_its_password_is_never_shown() {
        let data_dir = DataDir::at("/data".as_ref());
        let server = ["--mail", "smtps://asha:hush@mail.example.org"];
        let nobody = parse(&server).unwrap();
        assert!(!format!("{nobody:?}").contains("hush"));
        assert!(nobody.open(&data_dir).err().unwrap().to_string().contains("CASEBOOK_MAIL_FROM"));
        let all =
            [&server[..], &["--mail-from", "no-reply@example.org", "--public-url", "https://c.example.org"]].concat();
        assert!(matches!(parse(&all).unwrap().open(&data_dir).unwrap().post, Post::Smtp(_)));
        for wrong in [["--mail", "http://u:hush@h"], ["--public-url", "ftp://x.example"], ["--mail-from", "nobody"]] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
