//! Data sets of several files: folders, patterns, and what datasets has saved.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_intake::rows::{LabelNeed, Rows, read_alike, read_rows};
use pellucid_protocol::settings::reading::{ColumnNames, Reading};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn read(path: &Path) -> Result<Rows, String> {
    let read = read_rows(path, &Reading::default(), LabelNeed::Required);
    read.map_err(|error| {
        let told = error.to_string();
        assert_eq!(told.lines().count(), 1, "{told}");
        told
    })
}

/// What is wrong, without the folder before it.
fn refused(folder: &tempfile::TempDir, name: &str) -> String {
    let told = read(&folder.path().join(name)).unwrap_err();
    told.replace(&format!("{}/", folder.path().display()), "")
}

fn texts(rows: &Rows) -> String {
    (0..rows.len()).map(|row| rows.text(row)).collect::<Vec<_>>().join(" ")
}

/// A copy of a saved data set, with its state changed.
fn saved(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture("saved")).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let state = folder.path().join("state.json");
    fs::write(&state, change(&fs::read_to_string(&state).unwrap())).unwrap();
    folder
}

#[test]
fn shards_are_read_in_the_order_of_their_numbers() {
    let shards = folder(&[
        ("part-10.csv", "text,label\ng h,1\n"),
        ("part-2.csv", "label,text,more\n1,c d,x\n0,e f,y\n"),
        ("part-1.csv", "text,label\na b,0\n"),
        (".hidden.csv", "x"),
        ("README.md", "x"),
        ("LICENSE.txt", "x"),
    ]);
    let rows = read(shards.path()).unwrap();
    assert_eq!((texts(&rows).as_str(), rows.path()), ("a b c d e f g h", shards.path()));
    let place = |row: usize| (rows.place(row).0.file_name().unwrap().to_str().unwrap().to_owned(), rows.place(row).1);
    let places: Vec<(String, u64)> = (0..4).map(place).collect();
    let expected = [("part-1.csv", 2), ("part-2.csv", 2), ("part-2.csv", 3), ("part-10.csv", 2)];
    assert_eq!(places, expected.map(|(name, line)| (name.to_owned(), line)));
    assert!(rows.notes()[0].ends_with("not read: LICENSE.txt, README.md"), "{:?}", rows.notes());
    let some = read(&shards.path().join("part-?.csv")).unwrap();
    assert_eq!(texts(&some), "a b c d e f");
}

#[test]
fn what_does_not_belong_together_is_named() {
    let mixed = folder(&[
        ("formats/a.csv", "text,label\na b,0\n"),
        ("formats/b.jsonl", "{}"),
        ("splits/train-1.csv", "text,label\na b,0\n"),
        ("splits/test-1.csv", "text,label\na b,0\n"),
        ("columns/a.csv", "text,label\na b,0\n"),
        ("columns/b.csv", "text,class\na b,0\n"),
        ("line/a.csv", "text,label\na b,0\n"),
        ("line/b.csv", "text,label\na b,0\n,1\n"),
        ("widths/a.tsv", "a b\t0\nc d\t1\ne f\t0\n"),
        ("widths/b.tsv", "a b\t0\tx\nc d\t1\ty\n"),
        ("cut/a.csv", "text,label\na b,0\n"),
        ("cut/b.csv", "c d,1\ne f,1\n"),
        ("nothing/a.md", "x"),
        ("above/data/a.csv", "x"),
    ]);
    let told = refused(&mixed, "formats");
    assert_eq!(
        told,
        "formats: has files of several formats: a.csv and b.jsonl; name one file, or a pattern such as 'formats/*.csv'"
    );
    let told = refused(&mixed, "splits");
    assert!(
        told.starts_with("splits: has files of several splits: test-1.csv and train-1.csv; name one file"),
        "{told}"
    );
    assert!(told.ends_with("'splits/test*.csv'"), "{told}");
    assert!(refused(&mixed, "columns").starts_with("columns/b.csv: has no column `label`, which columns/a.csv has"));
    assert_eq!(refused(&mixed, "line"), "line/b.csv:3: the text is empty; remove the row");
    assert_eq!(refused(&mixed, "widths"), "widths/b.tsv: has 3 columns, and widths/a.tsv has 2");
    assert!(refused(&mixed, "cut").starts_with("cut/b.csv: has no column `text`"));
    assert!(
        refused(&mixed, "nothing").starts_with("nothing: is a folder without data files; put files in it that end")
    );
    assert_eq!(refused(&mixed, "above"), "above: is a folder without data files; name one of its folders: above/data");
    assert_eq!(refused(&mixed, "line/c*.csv"), "line/c*.csv: no file has that name, or matches it");
    assert!(refused(&mixed, "**/a.csv").contains("a pattern with ** is not read"));
    assert!(refused(&mixed, "line/[.csv").contains("is no pattern"));
}

#[test]
fn columns_that_only_later_files_have_are_no_secret() {
    let sets = folder(&[
        ("pair/0.jsonl", "{\"text\":\"a b\",\"label\":\"x\"}\n"),
        ("pair/1.jsonl", "{\"text\":\"c d\",\"text_pair\":\"e\",\"label\":\"y\"}\n"),
        ("id/0.csv", "text,label\na b,x\n"),
        ("id/1.csv", "guid,text,label\n7,c d,y\n"),
        ("more/0.csv", "text,label\na b,x\n"),
        ("more/1.csv", "text,note,label\na b,n,y\n"),
        ("ids/0.csv", "id,idx,text,label\n1,1,a b,x\n"),
        ("ids/1.csv", "id,idx,text,label\n2,2,c d,y\n"),
        ("twice/0.csv", "text,label\na b,x\n"),
        ("twice/1.csv", "text,text,label\na b,n,y\n"),
    ]);
    let told = refused(&sets, "pair");
    assert!(
        told.starts_with("pair/1.jsonl: has the column `text_pair`, a second text, and pair/0.jsonl has none;"),
        "{told}"
    );
    assert!(told.ends_with("--text-column, --pair-column"), "{told}");
    let told = refused(&sets, "id");
    assert!(told.starts_with("id/1.csv: has the column `guid`, ids, and id/0.csv has none;"), "{told}");
    assert!(read(&sets.path().join("more")).unwrap().notes().join("; ").ends_with("has not: note"));
    assert_eq!(refused(&sets, "twice"), "twice/1.csv: has two columns `text`; rename one");
    let columns = ColumnNames { text: Some("text".to_owned()), ..ColumnNames::default() };
    let named = Reading { columns, ..Reading::default() };
    let rows = read_rows(&sets.path().join("pair"), &named, LabelNeed::Required).unwrap();
    assert_eq!((rows.len(), rows.pair(1)), (2, None), "who names the text wants no second one");

    let (first, second) = (sets.path().join("pair/0.jsonl"), sets.path().join("pair/1.jsonl"));
    let alike = |reading: &Reading| {
        let train = read_rows(&first, reading, LabelNeed::Required).unwrap();
        read_alike(&second, &train, reading, LabelNeed::Required)
    };
    let told = alike(&Reading::default()).unwrap_err().to_string();
    assert!(told.contains("1.jsonl: has the column `text_pair`, a second text, and "), "{told}");
    assert_eq!(alike(&named).unwrap().len(), 1);
    // What the first file has as well, and is not used there either.
    let ids = sets.path().join("ids");
    let train = read(&ids).unwrap();
    assert!(train.id(0).is_none() && read_alike(&ids, &train, &Reading::default(), LabelNeed::Required).is_ok());
}

#[test]
fn a_pattern_reads_no_row_twice_and_no_hidden_file() {
    let table = "text,label\na b,x\n";
    let sets = folder(&[
        ("dots/a.csv", table),
        ("dots/.old.csv", "text,label\nhidden,x\n"),
        ("dots/._a.csv", "\0"),
        ("packed/a.csv", table),
        ("packed/a.csv.gz", "x"),
        ("formats/a.csv", table),
        ("formats/a.jsonl", "x"),
        ("links/a.csv", table),
        ("hard/a.csv", table),
        ("apart/1/data.csv", table),
        ("apart/2/data.csv", table),
    ]);
    std::os::unix::fs::symlink("a.csv", sets.path().join("links/b.csv")).unwrap();
    fs::hard_link(sets.path().join("hard/a.csv"), sets.path().join("hard/b.csv")).unwrap();
    assert_eq!(texts(&read(&sets.path().join("dots/*.csv")).unwrap()), "a b");
    assert_eq!(texts(&read(&sets.path().join("dots/.old*")).unwrap()), "hidden", "it is named");
    for name in ["packed/*", "packed"] {
        let told = refused(&sets, name);
        assert_eq!(
            told,
            format!("{name}: packed/a.csv and packed/a.csv.gz would be the same rows twice; name one of them")
        );
    }
    assert!(refused(&sets, "formats/a.*").contains("formats/a.csv and formats/a.jsonl would be the same rows twice"));
    for name in ["links/*.csv", "hard/*.csv", "hard"] {
        assert!(refused(&sets, name).contains("/a.csv and "), "{name}");
        assert!(refused(&sets, name).ends_with("/b.csv are one file; name one of them"), "{name}");
    }
    assert_eq!(read(&sets.path().join("apart/*/data.csv")).unwrap().len(), 2);
}

#[test]
fn a_file_with_the_name_of_a_pattern_is_that_file() {
    let folder = folder(&[("a*.csv", "text,label\na b,0\n"), ("ab.csv", "x")]);
    assert_eq!(read(&folder.path().join("a*.csv")).unwrap().len(), 1);
}

#[test]
fn links_in_a_folder_are_not_followed_and_those_that_are_named_are() {
    let folder = folder(&[("real/a.csv", "text,label\na b,0\n"), ("linked/b.csv", "text,label\nc d,0\n")]);
    let link = folder.path().join("linked/c.csv");
    std::os::unix::fs::symlink(folder.path().join("real/a.csv"), &link).unwrap();
    assert_eq!(
        refused(&folder, "linked"),
        "linked/c.csv: is a link, which is not followed here; name the files themselves, e.g. by a pattern"
    );
    assert_eq!(read(&link).unwrap().len(), 1);
    assert_eq!(read(&folder.path().join("linked/*.csv")).unwrap().len(), 2);
}

#[test]
fn a_saved_data_set_is_read_as_its_state_says() {
    let rows = read(&fixture("saved")).unwrap();
    let shape = (rows.len(), rows.labels().len(), rows.place(3).1);
    assert_eq!(shape, (5, 2, 1));
    assert!(rows.place(3).0.ends_with("data-00001-of-00002.arrow"));
    let turned = saved(|state| state.replace("00000", "x").replace("00001", "00000").replace("x-", "00001-"));
    assert!(
        read(turned.path()).unwrap().place(0).0.ends_with("data-00001-of-00002.arrow"),
        "in the order of the state"
    );
}

#[test]
fn what_a_saved_data_set_selects_or_names_elsewhere_is_refused() {
    let told = |change: fn(&str) -> String| {
        let folder = saved(change);
        refused(&folder, "")
    };
    let indices = told(|state| state.replacen('{', "{\"_indices_files\":[{\"filename\":\"indices.arrow\"}],", 1));
    assert_eq!(indices, "state.json: selects rows of its files; call dataset.flatten_indices() before it is saved");
    let columns = told(|state| state.replace("\"_format_columns\": null", "\"_format_columns\": [\"text\"]"));
    assert_eq!(columns, "state.json: selects columns of its files; call dataset.reset_format() before it is saved");
    // As concatenate_datasets and cast_column leave it.
    let all = saved(|state| {
        state
            .replace("\"_format_columns\": null", "\"_format_columns\": [\"tags\", \"rationale\", \"label\", \"text\"]")
    });
    assert_eq!(read(all.path()).unwrap().len(), 5);
    for name in ["../a.arrow", "/etc/passwd", "a/b.arrow", "..", ".", "", "./data-00000-of-00002.arrow"] {
        let folder = saved(|state| state.replace("data-00000-of-00002.arrow", name));
        assert_eq!(refused(&folder, ""), "state.json: names a file that is not in its folder", "{name}");
    }
    assert_eq!(told(|_| "{}".to_owned()), "state.json: names no data files; save the data set again");
    assert_eq!(told(|state| state.replace("data-00001", "data-00000")), "state.json: names a file twice");
    assert!(told(|_| "{".to_owned()).starts_with("state.json: is no JSON"));
    let gone = told(|state| state.replace("data-00001", "data-00007"));
    assert!(gone.starts_with("data-00007-of-00002.arrow: "), "{gone}");
}

#[test]
fn a_folder_of_splits_names_those_that_are_there() {
    let told = read(&fixture("splits")).unwrap_err();
    let (train, test) = (fixture("splits/train"), fixture("splits/test"));
    assert!(told.ends_with(&format!("is a folder of splits; name one of {}, {}", train.display(), test.display())));
    assert_eq!(read(&train).unwrap().len(), 3);
    let outside = folder(&[("dataset_dict.json", "{\"splits\":[\"..\",\"gone\",7]}")]);
    assert_eq!(refused(&outside, ""), "dataset_dict.json: names no splits that are there");
}

#[test]
fn classes_are_named_by_what_is_saved_beside_a_file() {
    let beside =
        folder(&[("dataset_info.json", r#"{"features":{"label":{"names":["no","yes"],"_type":"ClassLabel"}}}"#)]);
    let path = beside.path().join("numbers.arrow");
    fs::copy(fixture("numbers.arrow"), &path).unwrap();
    let names = |rows: Rows| rows.labels().iter().map(|label| label.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(read(&path).unwrap()), ["no", "yes"]);
    assert_eq!(names(read(&fixture("numbers.arrow")).unwrap()), ["0", "1"]);
    fs::write(beside.path().join("dataset_info.json"), "{").unwrap();
    assert!(read(&path).unwrap_err().contains("dataset_info.json: is no JSON"));
    fs::write(
        beside.path().join("dataset_info.json"),
        r#"{"features":{"label":{"names":["no"],"_type":"ClassLabel"}}}"#,
    )
    .unwrap();
    let told = read(&path).unwrap_err();
    assert!(told.ends_with("numbers.arrow:2: has the class 1, and the file names 1 classes from 0 on"), "{told}");
}

#[test]
fn a_header_among_files_without_one_is_no_row() {
    let shards =
        folder(&[("set/part-1.tsv", "a b c\t1\nd e f\t0\n"), ("set/part-2.tsv", "sentence\tlabel\ng h i\t1\n")]);
    let told = refused(&shards, "set");
    assert_eq!(told, "set/part-2.tsv:1: is a header, and set/part-1.tsv has none; give both files one, or remove it");
}

#[test]
fn the_links_of_the_cache_of_hugging_face_are_followed_and_no_others() {
    let place = folder(&[
        ("datasets--a--b/blobs/0a1b", "text,label\na b,0\nc d,1\n"),
        ("datasets--a--b/blobs/2c3d", "text,label\ne f,0\n"),
        ("datasets--a--b/snapshots/77/data/readme.md", ""),
        ("secret.csv", "text,label\nsecret,1\n"),
    ]);
    let data = place.path().join("datasets--a--b/snapshots/77/data");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, data.join(name)).unwrap();
    link("../../../blobs/0a1b", "train-00000-of-00002.csv");
    link("../../../blobs/2c3d", "train-00001-of-00002.csv");
    assert_eq!(texts(&read(&data).unwrap()), "a b c d e f");
    // By way of a link to the folder as well.
    std::os::unix::fs::symlink(&data, place.path().join("mine")).unwrap();
    assert_eq!(texts(&read(&place.path().join("mine")).unwrap()), "a b c d e f");
    link("../../../../secret.csv", "train-00002-of-00002.csv");
    let told = read(&data).unwrap_err();
    assert!(told.contains("train-00002-of-00002.csv: is a link that leads out of the cache, to "), "{told}");
    assert!(told.ends_with("secret.csv; name the files themselves, e.g. by a pattern"), "{told}");
}
