//! Whether bytes may be of the media type that was announced: what pretends to be a report and is a program is not
//! taken. Not a proof: whoever opens a file from somebody else has to be careful all the same.

/// Media types that always begin in a way of their own.
const KNOWN: [&str; 12] = [
    "application/pdf",
    "application/dicom",
    "application/zip",
    "image/bmp",
    "image/gif",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "video/mp4",
    "video/webm",
];
/// Office documents are ZIP archives, and some writers put the parts in an order that hides it.
const ZIPPED: &str = "application/vnd.openxmlformats-officedocument.";
const DICOM: (usize, &[u8]) = (128, b"DICM");

/// Whether content that begins with these bytes may be of this media type.
pub fn fits(media_type: &str, beginning: &[u8]) -> bool {
    let seen = seen(beginning);
    match seen {
        Some(seen) if seen == media_type => true,
        Some("application/zip") => media_type.starts_with(ZIPPED),
        Some(seen) if seen.starts_with(ZIPPED) => media_type.starts_with(ZIPPED),
        // What a person writes is never taken for a program or a picture.
        Some(_) => false,
        None if media_type.starts_with("text/") => !beginning.contains(&0),
        None => !KNOWN.contains(&media_type) && !media_type.starts_with(ZIPPED),
    }
}

fn seen(beginning: &[u8]) -> Option<&'static str> {
    let is_dicom = beginning.get(DICOM.0..).is_some_and(|rest| rest.starts_with(DICOM.1));
    if is_dicom {
        return Some("application/dicom");
    }
    infer::get(beginning).map(|kind| kind.mime_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_no_report() {
        let program = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00";
        let elf = b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00";
        for media_type in ["application/pdf", "text/plain", "image/png", "application/x-unheard-of"] {
            assert!(!fits(media_type, program) && !fits(media_type, elf), "{media_type}");
        }
    }

    #[test]
    fn a_report_is_what_it_says() {
        let dicom = [&[0; 128][..], b"DICM\x02\x00"].concat();
        assert!(fits("application/pdf", b"%PDF-1.7\n%...") && !fits("image/jpeg", b"%PDF-1.7\n"));
        assert!(fits("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF") && !fits("image/png", b"\xff\xd8\xff\xe0"));
        assert!(fits("application/dicom", &dicom) && !fits("application/pdf", &dicom));
        assert!(fits("text/plain", b"Hb 13.2 g/dl") && fits("text/csv", "Größe,1".as_bytes()));
        assert!(!fits("text/plain", b"a\0b") && !fits("application/pdf", b"Hb 13.2 g/dl"));
        assert!(fits("application/x-unheard-of", b"whatever"));
        let docx = format!("{ZIPPED}wordprocessingml.document");
        assert!(fits(&docx, b"PK\x03\x04\x14\x00\x00\x00\x08\x00") && !fits(&docx, b"%PDF-1.7"));
    }
}
