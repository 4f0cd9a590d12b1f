//! Every format on files that other programs wrote; `fixtures/make.py` says how.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use pellucid_intake::Result;
use pellucid_intake::rows::{LabelNeed, Rows, read_rows};
use pellucid_protocol::explanation::Span;
use pellucid_protocol::settings::reading::{ColumnNames, Reading};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(path: &Path) -> Result<Rows> {
    read_rows(path, &Reading::default(), LabelNeed::Required)
}

/// What is wrong with a file, from its name on.
fn refused(name: &str, reading: &Reading) -> String {
    let told = read_rows(&fixture(name), reading, LabelNeed::Required).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told[told.find(name).unwrap()..].to_owned()
}

fn columns(text: &str, label: &str) -> Reading {
    let columns = ColumnNames { text: Some(text.to_owned()), label: Some(label.to_owned()), ..ColumnNames::default() };
    Reading { columns, ..Reading::default() }
}

/// Text and label of all rows.
fn all(rows: &Rows) -> Vec<(String, Option<String>)> {
    (0..rows.len()).map(|row| rows.row(row)).map(|row| (row.text, row.label)).collect()
}

/// The labels of a column, `-` where there is none.
fn labels(name: &str, column: &str) -> String {
    let rows = read_rows(&fixture(name), &columns("text", column), LabelNeed::Optional).unwrap();
    let label = |row: usize| rows.row(row).label.unwrap_or_else(|| "-".to_owned());
    (0..rows.len()).map(label).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_file_holds_the_rows_of_the_plain_one() {
    let plain = read(&fixture("plain.csv")).unwrap();
    assert_eq!((plain.len(), plain.id(1), plain.text(1)), (5, Some("r1"), "Kopfschmerz, köstlich 😀"));
    for name in ["members.csv.gz", "frames.csv.zst"] {
        assert_eq!(all(&read(&fixture(name)).unwrap()), all(&plain), "{name}");
    }
    for name in [
        "none.parquet",
        "snappy.parquet",
        "gzip.parquet",
        "zstd.parquet",
        "lz4.parquet",
        "brotli.parquet",
        "second.parquet",
        "lengths.parquet",
        "lengths2.parquet",
        "file.arrow",
        "stream.arrow",
        "dictionary.arrow",
        "polars.arrow",
        "views.ipc",
        "lz4.feather",
        "zstd.feather",
        "uncompressed.feather",
    ] {
        let rows = read(&fixture(name)).unwrap();
        assert_eq!(all(&rows), all(&plain), "{name}");
        assert_eq!((rows.id(4), rows.line(0), rows.line(4)), (Some("r4"), 1, 5), "{name}");
    }
}

#[test]
fn numbers_that_stand_for_classes_are_their_names() {
    let rows = read(&fixture("hub.parquet")).unwrap();
    assert_eq!(rows.labels().iter().map(|label| label.name.as_str()).collect::<Vec<_>>(), ["routine", "urgent"]);
    assert_eq!(rows.rationale(0), [Span { start: 0, end: 2 }]);
    let saved = read(&fixture("saved/data-00001-of-00002.arrow")).unwrap();
    assert_eq!((saved.len(), saved.row(1).label.as_deref()), (2, Some("urgent")), "of dataset_info.json, or the file");
    let told = refused("hub_unlabelled.parquet", &Reading::default());
    assert_eq!(told, "hub_unlabelled.parquet:3: the label is empty");
    assert_eq!(labels("hub_unlabelled.parquet", "label"), "routine urgent - routine urgent");
    let lenient = Reading { skip_bad: 1, ..Reading::default() };
    let rows = read_rows(&fixture("hub_unlabelled.parquet"), &lenient, LabelNeed::Required).unwrap();
    assert_eq!((rows.len(), rows.line(2), rows.skipped().len()), (4, 4, 1));
}

#[test]
fn values_of_all_plain_types_are_labels() {
    for name in ["kinds.parquet", "kinds.arrow"] {
        assert_eq!(labels(name, "dictionary"), "routine urgent routine routine urgent", "{name}");
        assert_eq!(labels(name, "int"), "0 1 - -3 4", "{name}");
        assert_eq!(labels(name, "unsigned"), "0 1 2 3 18446744073709551615", "{name}");
        assert_eq!(labels(name, "float"), "0 1 - 0.5 -", "{name}");
        assert_eq!(labels(name, "single"), "0.1 1 - 0.5 1000000000000000000000000000000", "{name}");
        assert_eq!(labels(name, "bool"), "true false - true true", "{name}");
        assert_eq!(labels(name, "decimal"), "1.5 1.5 1.5 1.5 1.5", "{name}");
        assert_eq!(labels(name, "nothing"), "- - - - -", "{name}");
        let rows = read_rows(&fixture(name), &columns("text", "int"), LabelNeed::Optional).unwrap();
        assert_eq!(rows.rationale(3), [Span { start: 0, end: 3 }, Span { start: 4, end: 8 }], "{name}");
    }
    assert_eq!(labels("kinds.parquet", "half"), "0 1 - 0.5 2");
}

#[test]
fn columns_of_other_types_are_refused_by_name() {
    for name in ["kinds.parquet", "kinds.arrow"] {
        for (column, holds) in [
            ("struct", "objects"),
            ("bytes", "bytes"),
            ("time", "times"),
            ("objects", "lists of what is no text and no number"),
        ] {
            let told = refused(name, &columns("text", column));
            assert!(told.starts_with(&format!("{name}: column `{column}` holds {holds}; only texts")), "{told}");
        }
        assert_eq!(
            refused(name, &columns("text", "list")),
            format!("{name}:1: the label is a list; a text with several labels cannot be read")
        );
        let told = refused(name, &Reading::default());
        let told = told.replace("`half`: 4 different values; ", "");
        assert!(told.contains("no column is called `label`; there are `text`: 4 values; `dictionary`: 2 v"), "{told}");
        assert!(told.contains("`struct`: no texts or numbers"), "{told}");
    }
}

#[test]
fn spans_of_time_are_no_numbers_in_parquet_either() {
    let told = refused("duration.parquet", &Reading::default());
    assert!(told.starts_with("duration.parquet: column `label` holds times; only texts, numbers"), "{told}");
}

#[test]
fn a_text_that_ends_within_a_character_is_no_text() {
    // Two texts of three bytes in all, of which the library looks at both together.
    let mut bytes = std::fs::read(fixture("character.parquet")).unwrap();
    let at = bytes.windows(4).position(|window| window == "aéb".as_bytes()).unwrap();
    bytes[at..at + 4].copy_from_slice("éab".as_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("character.parquet");
    std::fs::write(&path, bytes).unwrap();
    let told = read(&path).unwrap_err().to_string();
    assert!(told.ends_with("character.parquet:1: has a text that is not UTF-8"), "{told}");
}

#[test]
fn what_is_not_read_is_said_in_one_line() {
    let told = refused("delta.parquet", &Reading::default());
    assert_eq!(
        told,
        "delta.parquet: has the encoding DELTA_BYTE_ARRAY, which is not read; write it with the usual ones"
    );
    for name in ["repeated.parquet", "repeated.arrow", "wide.parquet"] {
        let told = refused(name, &Reading::default());
        assert!(told.contains(": expands to more than 200 times its size; it is damaged, or made"), "{told}");
    }
    let told = refused("bomb.csv.zst", &Reading::default());
    assert_eq!(told, "bomb.csv.zst:2: has more than 16777216 bytes; cut it into rows");
    let told = refused("window.csv.zst", &Reading::default());
    assert!(told.starts_with("window.csv.zst: is damaged or cut off: "), "{told}");
    let told = refused("first.feather", &Reading::default());
    assert_eq!(
        told,
        "first.feather: is Feather of version 1, which is not read; write it with version 2, or as Parquet"
    );
}

#[test]
fn the_lz4_of_hadoop_is_refused_by_name() {
    let mut bytes = std::fs::read(fixture("lz4.parquet")).unwrap();
    // In the description of each column: the codec, which becomes 5 from 7, behind which the number of values stands.
    let codecs: Vec<usize> = (0..bytes.len() - 2).filter(|at| bytes[*at..*at + 3] == [0x15, 14, 0x16]).collect();
    assert_eq!(codecs.len(), 6, "three columns in two row groups");
    codecs.into_iter().for_each(|at| bytes[at + 1] = 10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hadoop.parquet");
    std::fs::write(&path, bytes).unwrap();
    let told = read(&path).unwrap_err().to_string();
    assert!(
        told.ends_with("hadoop.parquet: is compressed with LZ4, which is not read; write it with snappy or zstd"),
        "{told}"
    );
}

#[test]
fn an_encoding_is_nothing_for_files_that_have_types() {
    let reading = Reading { encoding: Some("latin1".to_owned()), ..Reading::default() };
    let told = refused("snappy.parquet", &reading);
    assert_eq!(told, "snappy.parquet: has texts in UTF-8, as its format says; leave --encoding out");
}

#[test]
fn files_that_were_put_behind_one_another_are_not_read_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    for name in ["snappy.parquet", "none.parquet", "file.arrow", "polars.arrow", "lz4.feather", "stream.arrow"] {
        let one = std::fs::read(fixture(name)).unwrap();
        let twice = told(name, one.repeat(2));
        assert!(twice.contains("several files in one"), "{twice}");
    }
    // A damaged length looks like the end.
    let mut stream = std::fs::read(fixture("stream.arrow")).unwrap();
    let half = stream.len() / 2;
    stream[half..].fill(0);
    assert!(told("stream.arrow", stream).contains("bytes behind the end of its rows: it is damaged"));
}
