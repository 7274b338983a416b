//! `index.html`: the bundle for people. No script, nothing from elsewhere; it proves nothing, and says so.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Read, Seek, Write},
};

use chrono_tz::Tz;
use event_store::{Store, StoredRow};
use events::{
    ClinicId, Ledger,
    audit::{Told, meaning},
};
use proof::bundle::instant_text;
use serde_json::Value;
use uuid::Uuid;

use super::{Begun, ExportError, Of, Sight, What, pack::Pack};

/// Rows of one ledger that are told; a browser shows no more with ease.
const ROWS_TOLD_MAX: u64 = 10_000;
const COPY_BYTES: usize = 64 * 1024;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
    <style>body{font:15px/1.5 sans-serif;margin:2rem;max-width:75rem}table{border-collapse:collapse}\
    td,th{border:1px solid #ccc;padding:.2rem .5rem;text-align:left;vertical-align:top}code{background:#eee}</style>\n";
const TABLE: &str = "<table>\n<tr><th>Ledger<th>Position<th>When (UTC)<th>Who did what<th>Patient</tr>\n";

pub(super) struct Index {
    file: BufWriter<File>,
    told: [u64; 2],
}

impl Index {
    pub(super) fn new(of: &Of, what: &What, begun: &Begun) -> io::Result<Self> {
        let mut file = BufWriter::new(tempfile::tempfile()?);
        let title = match what {
            What::Clinic => "Everything that was recorded",
            What::Range { .. } => "A stretch of what was recorded",
            What::Person(_) => "The chart of one patient",
        };
        let (slug, made_at) = (escaped(&of.slug), instant_text(begun.made_at));
        write!(
            file,
            "{HEAD}<title>{title}: {slug}</title>\n<h1>{title}</h1>\n\
             <p>Clinic {slug} (<code>{}</code>), made at {made_at}, with checkpoint {} as the last.\n\
             <p><strong>This page proves nothing.</strong> Whether what it tells is what was recorded, and whether all \
             of it is here, is for a program of your own to say: <code>casebook-verify bundle.zip --fingerprint \
             &lt;fingerprint&gt; --anchors &lt;folder&gt;</code>, or <code>casebook_verify.py</code> with the same \
             arguments. Take the fingerprint and the anchors from somewhere else than this bundle.\n{TABLE}",
            of.clinic, begun.last_checkpoint,
        )?;
        Ok(Self { file, told: [0; 2] })
    }

    pub(super) async fn tell(
        &mut self,
        store: &Store,
        clinic: ClinicId,
        rows: &[StoredRow],
        seen: &[Sight],
    ) -> Result<(), ExportError> {
        let Some(first) = rows.first() else { return Ok(()) };
        let told = &mut self.told[usize::from(first.ledger == Ledger::Access)];
        let room = usize::try_from(ROWS_TOLD_MAX - *told).unwrap_or(usize::MAX);
        *told += rows.len().min(room) as u64;
        let (rows, seen) = (&rows[..rows.len().min(room)], &seen[..seen.len().min(room)]);
        let patients: Vec<Uuid> = rows.iter().filter_map(|row| row.patient).map(|patient| patient.0).collect();
        let numbers = store.patient_numbers(clinic, &patients).await?;
        for (row, seen) in rows.iter().zip(seen) {
            self.file.write_all(told_row(row, *seen, &numbers).as_bytes())?;
        }
        Ok(())
    }

    /// Ends the page and puts it into the bundle.
    pub(super) fn write_to(mut self, pack: &mut Pack) -> io::Result<()> {
        self.file.write_all(b"</table>\n")?;
        if self.told.contains(&ROWS_TOLD_MAX) {
            writeln!(self.file, "<p>Of each ledger {ROWS_TOLD_MAX} rows are told here; the files hold all of them.")?;
        }
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut block = vec![0; COPY_BYTES];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(()),
                read => pack.write(&block[..read])?,
            }
        }
    }
}

fn told_row(row: &StoredRow, seen: Sight, numbers: &HashMap<Uuid, String>) -> String {
    let ledger = if row.ledger == Ledger::Access { "access" } else { "record" };
    let mut html = format!("<tr><td>{ledger}<td>{}<td>", row.position);
    if seen == Sight::Withheld {
        html.push_str("<td><em>withheld</em><td></tr>\n");
        return html;
    }
    let patient = row.patient.map(|patient| numbers.get(&patient.0).cloned().unwrap_or(patient.to_string()));
    let (sentence, patient) = (escaped(&sentence(row, numbers)), escaped(&patient.unwrap_or_default()));
    writeln!(html, "{}<td>{sentence}<td>{patient}</tr>", row.recorded_at.format("%Y-%m-%d %H:%M:%S"))
        .expect("a String can be written to");
    html
}

/// As in the audit trail; of a row that somebody made unreadable, what there is.
fn sentence(row: &StoredRow, numbers: &HashMap<Uuid, String>) -> String {
    let payload: Value = serde_json::from_slice(&row.payload).unwrap_or_default();
    let told = Told {
        event: &row.event_type,
        payload: &payload,
        patient: row.patient.map(|patient| patient.0),
        resource: row.stream_id,
        operation: &row.command,
        zone: Tz::UTC,
        label: &|id| numbers.get(id).cloned(),
    };
    match row.actor() {
        Ok(actor) => told.sentence(&actor, meaning(&row.event_type, &row.payload)),
        Err(_) => format!("{} {}", row.actor_name, row.event_type),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_anybody_typed_becomes_markup() {
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }
}
