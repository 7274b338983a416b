//! How a mail leaves.

use uuid::Uuid;

use crate::{
    folder::Folder,
    letter::Letter,
    place::{Place, WrongPlace},
    smtp::Smtp,
};

/// Why a mail did not leave, as a code: neither an address nor what a server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct Undelivered {
    pub code: &'static str,
    /// The mail itself is refused: another try would end alike.
    pub is_final: bool,
}

impl Undelivered {
    pub(crate) fn for_now(code: &'static str) -> Self {
        Self { code, is_final: false }
    }

    pub(crate) fn for_good(code: &'static str) -> Self {
        Self { code, is_final: true }
    }
}

/// What hands mails over.
#[derive(Clone)]
pub enum Post {
    Folder(Folder),
    Smtp(Box<Smtp>),
}

impl Post {
    /// # Errors
    /// The host's name cannot be one.
    pub fn open(place: &Place) -> Result<Self, WrongPlace> {
        Ok(match place {
            Place::Folder(path) => Self::Folder(Folder::at(path)),
            Place::Smtp { tls, host, port, login } => {
                Self::Smtp(Box::new(Smtp::at(*tls, host, *port, login.as_ref())?))
            }
        })
    }

    /// Hands a mail over. One that is sent again is the same mail: a folder keeps it once, and a mail system knows it by
    /// its Message-ID.
    ///
    /// # Errors
    /// It was not handed over, or nobody can say whether it was.
    pub async fn send(&self, letter: &Letter) -> Result<(), Undelivered> {
        match self {
            Self::Folder(folder) => folder.keep(letter).await,
            Self::Smtp(smtp) => smtp.send(letter).await,
        }
    }

    /// Takes away what is kept of a mail here: nothing, once it has gone to a server.
    ///
    /// # Errors
    /// It is there, and cannot be taken away.
    pub async fn forget(&self, mail: Uuid) -> std::io::Result<()> {
        match self {
            Self::Folder(folder) => folder.forget(mail).await,
            Self::Smtp(_) => Ok(()),
        }
    }
}
