//! The ZIP while it is written.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
};

use aws_lc_rs::digest::{Context, SHA256};
use event_store::Hash;
use proof::bundle::{FileEntry, Hex32, Manifest, files, manifest_sha256};
use serde::Serialize;
use zip::{ZipWriter, result::ZipError, write::SimpleFileOptions};

const BLOCK_BYTES: usize = 64 * 1024;

/// Its files are begun in the order of [`files::LISTED`]; one that is not is empty.
pub(super) struct Pack {
    zip: ZipWriter<File>,
    entries: Vec<FileEntry>,
    open: Option<Open>,
}

struct Open {
    name: &'static str,
    bytes: u64,
    digest: Context,
}

impl Pack {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { zip: ZipWriter::new(tempfile::tempfile()?), entries: Vec::new(), open: None })
    }

    /// The next file.
    pub(super) fn begin(&mut self, name: &'static str) -> io::Result<()> {
        self.end();
        self.zip.start_file(name, options()).map_err(into_io)?;
        self.open = Some(Open { name, bytes: 0, digest: Context::new(&SHA256) });
        Ok(())
    }

    pub(super) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().expect("a file was begun");
        open.bytes += content.len() as u64;
        open.digest.update(content);
        self.zip.write_all(content)
    }

    /// A line of JSON.
    pub(super) fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.write(&line)
    }

    fn end(&mut self) {
        let ended = self.open.take().map(|open| FileEntry {
            name: open.name.to_owned(),
            bytes: open.bytes,
            sha256: Hex32(finished(open.digest)),
        });
        self.entries.extend(ended);
    }

    /// The file at its beginning, its length and hash.
    pub(super) fn finish(mut self, manifest: Manifest) -> io::Result<(File, u64, Hash)> {
        self.end();
        let place = |entry: &FileEntry| files::LISTED.iter().position(|name| *name == entry.name);
        self.entries.sort_by_key(place);
        let manifest = serde_json::to_vec_pretty(&Manifest { files: self.entries, ..manifest })?;
        let sum = manifest_sha256(&manifest);
        for (name, content) in [(files::MANIFEST, manifest.as_slice()), (files::MANIFEST_SHA256, sum.as_bytes())] {
            self.zip.start_file(name, options()).map_err(into_io)?;
            self.zip.write_all(content)?;
        }
        let mut file = self.zip.finish().map_err(into_io)?;
        file.rewind()?;
        let (mut digest, mut bytes, mut block) = (Context::new(&SHA256), 0, vec![0; BLOCK_BYTES]);
        loop {
            match file.read(&mut block)? {
                0 => break,
                read => {
                    digest.update(&block[..read]);
                    bytes += read as u64;
                }
            }
        }
        file.rewind()?;
        Ok((file, bytes, finished(digest)))
    }
}

fn finished(digest: Context) -> Hash {
    digest.finish().as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

/// Of any length.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().large_file(true)
}

fn into_io(error: ZipError) -> io::Error {
    io::Error::other(error)
}
