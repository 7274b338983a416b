//! Reads the legacy book: each line becomes an entry, or is refused with its reason.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result};
use csv::{ByteRecord, Position, StringRecord};
use event_store::row::{Hash, sha256};
use flate2::read::MultiGzDecoder;

pub use super::entry::Entry;
use super::{
    entry::Columns,
    mapping::Mapping,
    report::{Refused, Stage},
};

pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub struct Book {
    /// SHA-256 of the text: what the ids and idempotency keys of its commands are made of.
    pub digest: Hash,
    pub entries: Vec<Entry>,
    pub refused: Vec<Refused>,
}

impl Book {
    /// Reads a CSV file, gzipped if its name ends in `.gz`.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks a column that the mapping names.
    pub fn open(path: &Path, mapping: &Mapping) -> Result<Self> {
        let bytes = read(path).with_context(|| format!("reading {path:?}"))?;
        Self::parse(&bytes, mapping).with_context(|| format!("in {path:?}"))
    }

    pub fn parse(bytes: &[u8], mapping: &Mapping) -> Result<Self> {
        let unmarked = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let mut lines = Lines::new(unmarked);
        let mut csv = csv::ReaderBuilder::new().flexible(true).delimiter(mapping.delimiter as u8).from_reader(unmarked);
        let header = text(csv.byte_headers()?.clone()).map_err(anyhow::Error::msg).context("line 1")?;
        let columns = Columns::find(&header, mapping)?;
        let mut book = Self { digest: sha256(bytes), entries: Vec::new(), refused: Vec::new() };
        let mut seen = HashMap::new();
        for record in csv.byte_records() {
            let record = record?;
            let line = lines.of(record.position().map_or(0, Position::byte));
            match text(record).and_then(|record| columns.entry(line, &record)).and_then(|entry| once(&mut seen, entry))
            {
                Ok(entry) => book.entries.push(entry),
                Err(reason) => {
                    book.refused.push(Refused { line, stage: Stage::Read, code: "unreadable".into(), reason })
                }
            }
        }
        Ok(book)
    }
}

/// The bytes of a file, unpacked if its name ends in `.gz`.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let (mut file, mut bytes) = (BufReader::new(File::open(path)?), Vec::new());
    if path.extension().is_some_and(|extension| extension == "gz") {
        MultiGzDecoder::new(file).read_to_end(&mut bytes)?;
    } else {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Counts lines, whatever ends them. Ids are made of the lines, so no two records may have one; the CSV reader's own
/// count is one behind where a line ends as on Windows.
pub struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Of the byte at `at`, from 1.
    line: u64,
}

impl<'b> Lines<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of the record that begins at the offset, or after the line ends there.
    pub fn of(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let ends = self.bytes[offset..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        while self.at < offset + ends {
            let windows = self.bytes[self.at] == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
            self.line += u64::from(matches!(self.bytes[self.at], b'\r' | b'\n') && !windows);
            self.at += 1;
        }
        self.line
    }
}

pub fn text(record: ByteRecord) -> Result<StringRecord, String> {
    StringRecord::from_byte_record(record).map_err(|_| "the line is not UTF-8".to_owned())
}

/// An appointment's id names one appointment of a clinic.
fn once(seen: &mut HashMap<(String, String), u64>, entry: Entry) -> Result<Entry, String> {
    match seen.get(&(entry.clinic_key(), entry.appointment.clone())) {
        Some(earlier) => Err(format!("the appointment's id is that of line {earlier}")),
        None => {
            seen.insert((entry.clinic_key(), entry.appointment.clone()), entry.line);
            Ok(entry)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::import::mapping::Outcome;

    const HEADER: &str = "PatientId,AppointmentID,Gender,ScheduledDay,AppointmentDay,Age,Neighbourhood,No-show\n";
    const ROW: &str = "9377952927E-5,7,F,2016-05-18T09:12:29Z,2016-05-20T00:00:00Z,33,FORTE SÃO JOÃO,No\n";

    fn mapping() -> Mapping {
        Mapping::parse(include_str!("../../mappings/medical-appointment-no-shows.toml")).unwrap()
    }

    fn book(lines: &str) -> Book {
        Book::parse(format!("{HEADER}{lines}").as_bytes(), &mapping()).unwrap()
    }

    /// The reason for which a line is refused that differs from a good one.
    fn refused(from: &str, to: &str) -> String {
        assert!(ROW.contains(from));
        let book = book(&ROW.replacen(from, to, 1));
        assert!(book.entries.is_empty(), "{to}");
        assert_eq!((book.refused[0].line, book.refused[0].stage), (2, Stage::Read));
        book.refused[0].reason.clone()
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let book = book(ROW);
        let entry = &book.entries[0];
        assert!(book.refused.is_empty());
        assert_eq!((entry.line, entry.clinic.as_str(), entry.patient.as_str()), (2, "FORTE SÃO JOÃO", "9377952927E-5"));
        assert_eq!(entry.first_name.as_str(), "Patient 9377952927E-5");
        assert_eq!(entry.scheduled_at.to_rfc3339(), "2016-05-18T09:12:29+00:00");
        assert_eq!((entry.day.to_string(), entry.start), ("2016-05-20".to_owned(), None));
        assert_eq!(entry.birth_date.unwrap().to_string(), "1983");
        assert_eq!(entry.outcome, Outcome::Fulfilled);
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_reason_and_without_the_value() {
        for (from, to, reason) in [
            ("2016-05-20T00:00:00Z", "2016-05-32T00:00:00Z", "`AppointmentDay` is not a date in the form %+"),
            ("2016-05-18T09:12:29Z", "18/05/2016", "`ScheduledDay` is not a date in the form %+"),
            ("33", "-1", "the age is not a whole number from 0 to 130"),
            ("33", "abc", "the age is not a whole number from 0 to 130"),
            (",No", ",Perhaps", "the mapping does not know this word in `No-show`"),
            (",F,", ",X,", "the mapping does not know this word in `Gender`"),
            ("FORTE SÃO JOÃO", " ", "`Neighbourhood` is empty"),
            ("9377952927E-5", "", "`PatientId` is empty"),
            (",7,", ",,", "`AppointmentID` is empty"),
            (",No", "", "the line has 7 fields and the header 8"),
            (",No", ",No,", "the line has 9 fields and the header 8"),
            ("9377952927E-5", "\"1\n2\"", "a name has no line breaks and no control characters"),
            ("FORTE", "\"FORTE\n\"", "a name has no line breaks and no control characters"),
        ] {
            assert!(refused(from, to).contains(reason), "{from} → {to}: {}", refused(from, to));
        }
    }

    #[test]
    fn what_may_be_unknown_may_be_empty() {
        let book = book(&ROW.replace(",F,", ",,").replace("33", ""));
        assert_eq!((book.entries[0].gender, book.entries[0].birth_date), (events::values::Gender::Unknown, None));
    }

    #[test]
    fn an_appointment_is_booked_after_its_day_and_twice_under_two_ids_but_not_under_one() {
        let late = ROW.replace("2016-05-18T", "2016-05-28T").replace(",7,", ",8,");
        let elsewhere = ROW.replace("FORTE", "MONTE");
        let same_clinic = ROW.replace("FORTE", " Forte");
        let book = book(&format!("{ROW}{late}{elsewhere}{same_clinic}"));
        assert_eq!(book.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(book.refused[0].reason, "the appointment's id is that of line 2");
    }

    #[test]
    fn a_field_may_hold_a_line_break_and_lines_are_counted_all_the_same() {
        let header = HEADER.replace('\n', ",Note\n");
        let row = |note: &str| ROW.replace('\n', &format!(",{note}\n"));
        let text = format!("{header}{}{}", row("\"first\nsecond, \"\"third\"\"\""), row("").replace(",7,", ",8,"));
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let book = Book::parse(text.as_bytes(), &mapping()).unwrap();
            assert_eq!(book.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 4]);
        }
    }

    #[test]
    fn a_byte_order_mark_windows_lines_and_other_delimiters_do_no_harm() {
        let rows = (7..10).map(|id| ROW.replace(",7,", &format!(",{id},"))).collect::<String>();
        let text = format!("\u{feff}{HEADER}{rows}").replace(',', ";");
        let mapping = Mapping { delimiter: ';', ..mapping() };
        for (ends, expected) in [("\n", [2, 3, 4]), ("\r\n", [2, 3, 4]), ("\r", [2, 3, 4]), ("\r\n\n", [3, 5, 7])] {
            let book = Book::parse(text.replace('\n', ends).as_bytes(), &mapping).unwrap();
            assert_eq!(book.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), expected, "{ends:?}");
            assert_eq!(book.entries[0].clinic.as_str(), "FORTE SÃO JOÃO");
        }
    }

    #[test]
    fn a_line_in_another_encoding_is_refused_alone() {
        let mut bytes = HEADER.as_bytes().to_vec();
        bytes.extend(ROW.replace("SÃO JOÃO", "S?O").bytes().map(|byte| if byte == b'?' { 0xC3 } else { byte }));
        bytes.extend(ROW.bytes());
        let book = Book::parse(&bytes, &mapping()).unwrap();
        assert_eq!((book.refused[0].line, book.refused[0].reason.as_str()), (2, "the line is not UTF-8"));
        assert_eq!(book.entries[0].line, 3);
    }

    #[test]
    fn a_file_without_a_column_is_no_such_book() {
        for (header, says) in [
            (HEADER.replace("Gender", "Sex"), "the file has no column `Gender`"),
            (HEADER.replace("Gender", "Age"), "the file has 2 columns `Age`"),
            (String::new(), "the file has no column"),
        ] {
            let error = Book::parse(header.as_bytes(), &mapping()).err().unwrap();
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
    }

    #[test]
    fn a_gzipped_file_is_the_same_book_and_a_broken_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("book.csv"), folder.path().join("book.csv.gz"));
        std::fs::write(&plain, format!("{HEADER}{ROW}")).unwrap();
        let mut encoder = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
        encoder.write_all(format!("{HEADER}{ROW}").as_bytes()).unwrap();
        encoder.finish().unwrap();
        let (plain, packed_book) = (Book::open(&plain, &mapping()).unwrap(), Book::open(&packed, &mapping()).unwrap());
        assert_eq!((plain.digest, &plain.entries), (packed_book.digest, &packed_book.entries));
        std::fs::write(&packed, "no gzip").unwrap();
        assert!(Book::open(&packed, &mapping()).is_err());
    }
}
