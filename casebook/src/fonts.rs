//! The fonts that documents are printed in: those that come along, and those of a folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use printing::Fonts;

const ENDINGS: [&str; 4] = ["ttf", "otf", "ttc", "otc"];
/// Of the whole folder: all of it is kept in memory.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Clone, Debug, Args)]
pub struct FontConfig {
    /// Folder with further fonts for printed documents (.ttf, .otf, .ttc, .otc), for scripts other than Latin, Greek,
    /// Cyrillic and Devanagari, which come along.
    #[arg(id = "fonts", long = "fonts", global = true, env = "CASEBOOK_FONTS")]
    folder: Option<PathBuf>,
}

impl FontConfig {
    /// # Errors
    /// The folder or a font in it cannot be read, or there is too much of it.
    pub fn open(&self) -> Result<Fonts> {
        let Some(folder) = &self.folder else { return Ok(Fonts::embedded()) };
        let mut files = files(folder).with_context(|| format!("reading the fonts in {}", folder.display()))?;
        // The same order everywhere: of two fonts with a character the first one is taken.
        files.sort();
        files.iter().try_fold(Fonts::embedded(), |fonts, file| {
            let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            fonts.and(bytes).with_context(|| file.display().to_string())
        })
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if ENDINGS.contains(&ending.as_str()) {
            bytes += path.metadata()?.len();
            files.push(path);
        }
    }
    ensure!(bytes <= BYTES_MAX, "more than {BYTES_MAX} bytes of fonts");
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_fonts_is_read_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let config = FontConfig { folder: Some(folder.path().to_owned()) };
        std::fs::write(folder.path().join("README.txt"), "not a font").unwrap();
        assert!(config.open().is_ok());
        std::fs::write(folder.path().join("broken.ttf"), "not a font either").unwrap();
        let error = format!("{:#}", config.open().err().unwrap());
        assert!(error.contains("broken.ttf") && error.contains("not a font"), "{error}");
        assert!(FontConfig { folder: Some(folder.path().join("absent")) }.open().is_err());
        assert!(FontConfig { folder: None }.open().is_ok());
    }
}
