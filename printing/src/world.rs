//! What a template can see: the templates beside it, the data of one document, the clinic's logo, the fonts. No files, no
//! clock, no network.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt, World, comemo,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::{Unprintable, fonts::Fonts};

const TEMPLATES: [(&str, &str); 5] = [
    ("/sheet.typ", include_str!("../templates/sheet.typ")),
    ("/prescription.typ", include_str!("../templates/prescription.typ")),
    ("/invoice.typ", include_str!("../templates/invoice.typ")),
    ("/lab-report.typ", include_str!("../templates/lab-report.typ")),
    ("/visit.typ", include_str!("../templates/visit.typ")),
];
/// The names under which a template finds them.
const DATA: &str = "/data.json";
const LOGO: &str = "/logo";

static SOURCES: LazyLock<Vec<Source>> =
    LazyLock::new(|| TEMPLATES.iter().map(|(path, text)| Source::new(id(path), (*text).to_owned())).collect());
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::builder().build()));

/// Ids are kept for ever, so that only these few names ever get one.
fn id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("the names above are paths");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

struct Desk<'a> {
    fonts: &'a Fonts,
    main: FileId,
    data: Bytes,
    logo: Option<Bytes>,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, asked: FileId) -> FileResult<Source> {
        SOURCES.iter().find(|source| source.id() == asked).cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, asked: FileId) -> FileResult<Bytes> {
        match asked {
            asked if asked == id(DATA) => Ok(self.data.clone()),
            asked if asked == id(LOGO) => self.logo.clone().ok_or(FileError::AccessDenied),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index)
    }

    /// What day it is is part of the data.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Sets a template with its data.
pub(crate) fn pdf(fonts: &Fonts, template: &str, data: String, logo: Option<&[u8]>) -> Result<Vec<u8>, Unprintable> {
    let logo = logo.map(|logo| Bytes::new(logo.to_vec()));
    let desk = Desk { fonts, main: id(template), data: Bytes::from_string(data), logo };
    let set = typst::compile::<PagedDocument>(&desk).output;
    let bytes = set.and_then(|document| typst_pdf::pdf(&document, &PdfOptions::default()));
    // What was set is somebody's record: nothing of it stays in the library's memory.
    comemo::evict(0);
    bytes.map_err(|problems| Unprintable::NotSet(said(&problems)))
}

/// In the words of the library, which name places in a template and no data.
fn said(problems: &[SourceDiagnostic]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}
