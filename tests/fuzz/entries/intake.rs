//! What comes in as a file: data sets and weights.

use std::fs;

use pellucid_intake::model_folder::provenance::{NAME, Provenance};
use pellucid_intake::model_folder::weights::ModelWeights;
use pellucid_intake::model_folder::weights_file::WeightsFile;
use pellucid_intake::rows::{LabelNeed, Rows, read_rows};
use pellucid_intake::survey::survey;
use pellucid_protocol::data_report::words;
use pellucid_protocol::settings::reading::{ColumnNames, Delimiter, Header, Reading};

use super::file::{file, folder};

const ENDINGS: [&str; 8] =
    ["rows.jsonl", "rows.csv", "rows.tsv", "rows.json", "rows.parquet", "rows.arrow", "rows.csv.gz", "rows.jsonl.zst"];

/// Rows of a data file are whole, or a line of it is named.
pub(crate) fn rows(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = ENDINGS[usize::from(*first & 0x7f) % ENDINGS.len()];
    let need = if first & 0x80 == 0 { LabelNeed::Required } else { LabelNeed::Optional };
    match read_rows(&file(name, rest), &Reading::default(), need) {
        Ok(rows) => check_rows(&rows),
        Err(error) => assert!(error.to_string().contains(name)),
    }
}

/// Each row has a text, and what is marked of it lies within.
fn check_rows(rows: &Rows) {
    for row in (0..rows.len()).map(|row| rows.row(row)) {
        let length = row.text.chars().count();
        assert!(!row.text.trim().is_empty() && !row.text.contains('\0') && row.line > 0);
        assert!(row.rationale.iter().all(|span| span.start < span.end && span.end <= length));
    }
}

/// Endings of the names of data files that [`rows`] does not have, or has without what can be asked for here.
const MORE_ENDINGS: [&str; 8] =
    ["rows.csv", "rows.tsv", "rows.jsonl", "rows.txt", "rows.feather", "rows.parquet", "rows.tsv.zst", "rows.json.gz"];
/// Encodings that a user may name.
const ENCODINGS: [&str; 8] =
    ["utf-8", "utf-16le", "utf-16be", "latin1", "shift_jis", "gb18030", "iso-2022-jp", "x-user-defined"];
/// What a user may say to stand between fields.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'#'];

/// Whatever is asked for, rows are whole, what is left out is counted, and they can be surveyed; or it is refused in one
/// line.
pub(crate) fn reading(bytes: &[u8]) {
    let Some((&[format, flags, how], rest)) = bytes.split_first_chunk() else { return };
    let name = MORE_ENDINGS[usize::from(format) % MORE_ENDINGS.len()];
    let is = |bit: u8| flags & (1 << bit) != 0;
    let column = |number: u8| Some(number.to_string()).filter(|_| is(0));
    let reading = Reading {
        columns: ColumnNames {
            text: column(1 + how % 3),
            label: column(2),
            group: column(3),
            ..ColumnNames::default()
        },
        header: if is(1) { Header::None } else { Header::Auto },
        delimiter: is(2).then(|| Delimiter(DELIMITERS[usize::from(how >> 2) % DELIMITERS.len()])),
        encoding: is(3).then(|| ENCODINGS[usize::from(how >> 4) % ENCODINGS.len()].to_owned()),
        skip_bad: if is(4) { 3 } else { 0 },
        ..Reading::default()
    };
    let need = if is(5) { LabelNeed::Required } else { LabelNeed::Optional };
    match read_rows(&file(name, rest), &reading, need) {
        Ok(rows) => {
            check_rows(&rows);
            assert!(rows.skipped().len() as u64 <= reading.skip_bad);
            assert!(need == LabelNeed::Optional || (0..rows.len()).all(|row| rows.label(row).is_some()));
            let report = survey(&[("first".to_owned(), &rows), ("second".to_owned(), &rows)]);
            assert!(words::lines(&report).len() > 2 && report.parts[0].rows == rows.len());
        }
        Err(error) => assert!(error.to_string().contains(name) && error.to_string().lines().count() == 1),
    }
}

/// What stands between the files of a folder in an input.
const NEXT_FILE: &[u8] = b"\n----\n";

/// A folder that datasets has saved is read as it says, or refused in one line; nothing outside of it is read.
pub(crate) fn saved(bytes: &[u8]) {
    let place = folder().join("saved");
    fs::create_dir_all(&place).unwrap();
    let mut rest = bytes;
    for name in ["state.json", "dataset_info.json", "dataset_dict.json", "data-00000.arrow"] {
        let end =
            rest.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE).filter(|_| !name.ends_with("arrow"));
        let (content, behind) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + NEXT_FILE.len()..]));
        let path = place.join(name);
        // Some folders have no such file.
        if content.is_empty() {
            drop(fs::remove_file(path));
        } else {
            fs::write(path, content).unwrap();
        }
        rest = behind;
    }
    match read_rows(&place, &Reading::default(), LabelNeed::Optional) {
        Ok(rows) => check_rows(&rows),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1),
    }
}

/// The header of a weights file fits the file, or it is refused.
pub(crate) fn weights(bytes: &[u8]) {
    let Ok(weights) = WeightsFile::open(&file("model.safetensors", bytes)) else { return };
    let mut total = 0;
    for name in weights.names() {
        let (_, shape) = weights.info(&name).unwrap();
        let data = weights.bytes(&name).unwrap();
        total += data.len();
        assert!(shape.iter().all(|&size| size >= 0) && data.len() <= bytes.len());
    }
    assert!(total < bytes.len());
}

/// An index names files of its own folder, or it is refused in one line.
pub(crate) fn shards(bytes: &[u8]) {
    file("model.safetensors.index.json", bytes);
    match ModelWeights::open(&folder()) {
        Ok(weights) => assert!(weights.files().all(|path| path.parent() == Some(&folder()))),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1),
    }
}

/// What a saved folder says of itself is read and written again as the same, or refused in one line.
pub(crate) fn provenance(bytes: &[u8]) {
    file(NAME, bytes);
    match Provenance::of(&folder()) {
        Ok(said) => {
            let said = said.unwrap();
            let again: Provenance = serde_json::from_str(&serde_json::to_string(&said).unwrap()).unwrap();
            assert_eq!(again, said);
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1),
    }
}
