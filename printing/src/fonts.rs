//! The fonts that documents are set in. Latin, Greek, Cyrillic and Devanagari come with the program; further scripts by
//! further fonts.

use std::sync::Arc;

use typst::{
    foundations::Bytes,
    text::{Font, FontBook},
    utils::LazyHash,
};

/// Noto Sans and Noto Sans Devanagari, regular and bold (`fonts/OFL.txt`).
const EMBEDDED: [&[u8]; 4] = [
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../fonts/NotoSansDevanagari-Bold.ttf"),
];

/// A set of fonts. A character that none of them has is shown as a box.
#[derive(Clone)]
pub struct Fonts(Arc<Set>);

struct Set {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a font: TrueType, OpenType or a collection of them is expected")]
pub struct NotAFont;

impl Fonts {
    /// Those that come with the program.
    pub fn embedded() -> Self {
        Self::of(EMBEDDED.into_iter().flat_map(|file| Font::iter(Bytes::new(file))).collect())
    }

    /// These as well: the content of a TrueType or OpenType file, or of a collection.
    ///
    /// # Errors
    /// It is none.
    pub fn and(self, file: Vec<u8>) -> Result<Self, NotAFont> {
        let further: Vec<Font> = Font::iter(Bytes::new(file)).collect();
        if further.is_empty() {
            return Err(NotAFont);
        }
        Ok(Self::of(self.0.fonts.iter().cloned().chain(further).collect()))
    }

    fn of(fonts: Vec<Font>) -> Self {
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Self(Arc::new(Set { book, fonts }))
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.0.book
    }

    pub(crate) fn get(&self, index: usize) -> Option<Font> {
        self.0.fonts.get(index).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fonts_that_come_along_can_be_read_and_text_is_no_font() {
        assert_eq!(Fonts::embedded().0.fonts.len(), EMBEDDED.len());
        let further = Fonts::embedded().and(EMBEDDED[2].to_vec()).unwrap();
        assert_eq!(further.0.fonts.len(), EMBEDDED.len() + 1);
        assert_eq!(Fonts::embedded().and(b"OTTO is not enough".to_vec()).err(), Some(NotAFont));
    }
}
