//! Rows of every format, good and bad.

use super::*;

fn read_as(name: &str, content: &[u8], reading: &Reading, need: LabelNeed) -> Result<Rows> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    read_rows(&path, reading, need)
}

fn read(name: &str, content: &[u8]) -> Result<Vec<Row>> {
    let rows = read_as(name, content, &Reading::default(), LabelNeed::Required)?;
    Ok((0..rows.len()).map(|row| rows.row(row)).collect())
}

fn told(name: &str, error: &Error) -> String {
    let text = error.to_string();
    text[text.find(name).unwrap()..].to_owned()
}

fn message(name: &str, content: &[u8]) -> String {
    told(name, &read(name, content).unwrap_err())
}

#[test]
fn the_three_formats_give_the_same_row() {
    let expected = |line| Row {
        line,
        text: "no chest pain".into(),
        pair: None,
        label: Some("routine".into()),
        id: None,
        rationale: vec![Span { start: 0, end: 2 }],
    };
    let json = br#"{"text":"no chest pain","label":"routine","rationale":[[0,2]]}"#;
    assert_eq!(read("a.jsonl", json).unwrap(), [expected(1)]);
    let csv = b"label,sentence,rationale\nroutine,no chest pain,\"[[0,2]]\"\n";
    assert_eq!(read("a.csv", csv).unwrap(), [expected(2)]);
    assert_eq!(read("a.csv", b"label;sentence;rationale\r\nroutine;no chest pain;[[0,2]]\r\n").unwrap(), [expected(2)]);
    assert_eq!(read("a.tsv", b"text\tlabel\trationale\nno chest pain\troutine\t[[0,2]]\n").unwrap(), [expected(2)]);
}

#[test]
fn a_headerless_tsv_works_as_it_is_and_keeps_its_quotes() {
    let rows = read("a.tsv", b"a \"fine film\t1\n\"bad\t0\n").unwrap();
    assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["a \"fine film", "\"bad"]);
    assert_eq!(rows[1].line, 2);
}

#[test]
fn two_columns_are_a_table_without_a_header_only_if_the_first_row_cannot_be_one() {
    let first =
        |content: &[u8]| read("a.csv", content).map(|rows| (rows[0].text.clone(), rows[0].label.clone().unwrap()));
    let is = |text: &str, label: &str| (text.to_owned(), label.to_owned());
    assert_eq!(first(b"a b c,spam\nd e f,ham\ng h i,spam\n").unwrap(), is("a b c", "spam"));
    assert_eq!(first(b"spam,a b c\nham,d e f\nspam,g h i\n").unwrap(), is("a b c", "spam"), "the label first");
    assert_eq!(first(b"5,a b c\n1,d e f\n").unwrap(), is("a b c", "5"), "a number is no name");
    let note = message("a.csv", b"diagnosis_group,note_body\nA,a b c d\nB,e f g h\nA,i j k l\nB,m n o p\n");
    assert_eq!(
        note,
        "a.csv:1: no column is called `text` or `sentence`; there are `diagnosis_group`: 2 values; `note_body`: 4 texts of 4 \
         words in the median; give --text-column note_body --label-column diagnosis_group; --no-header if the first row is data"
    );
    let either = b"1,2\n2,1\n1,1\n2,2\n";
    assert!(message("a.csv", either).contains("either column could be the text"), "{}", message("a.csv", either));
}

#[test]
fn a_first_row_that_may_be_a_header_is_neither_dropped_nor_read() {
    let rows = |row: fn(usize) -> String| (0..60).map(row).collect::<String>();
    let label = |row: usize| ["positive", "negative"][row % 2];
    let film = rows(|row| format!("film was {row} good,{}\n", ["positive", "negative"][row % 2]));
    let names = |table: &str, header: &str| assert!(table.contains(&format!("there are {header}")), "{table}");
    // A review is the word that is the name of its column, or a class is.
    let review = format!("review,sentiment\nreview,positive\n{film}");
    names(&message("a.csv", review.as_bytes()), "`review`: 61 texts of 4 words in the median; `sentiment`: 2 values");
    let swapped: String = (0..60).map(|row| format!("{},film was {row} good\n", label(row))).collect();
    let swapped = format!("sentiment,review\npositive,review\n{swapped}");
    names(&message("a.csv", swapped.as_bytes()), "`sentiment`: 2 values; `review`: 61");
    let swapped = swapped.replace("sentiment,", "what the customer feels,");
    names(&message("a.csv", swapped.as_bytes()), "`what the customer feels`");
    names(&message("a.csv", format!("comment,positive\n{film}").as_bytes()), "`comment`");
    // Numbers that nothing below is like.
    names(
        &message("a.csv", format!("note,2023\n{film}").as_bytes()),
        "`note`: 60 texts of 4 words in the median; `2023`",
    );
    let numbers = rows(|row| format!("film was {row} good,{}\n", row % 2));
    names(&message("a.csv", format!("0,1\n{numbers}").as_bytes()), "`0`: 60 texts");
    names(&message("a.csv", format!("note,2023\n{numbers}").as_bytes()), "`note`: 60 texts");
    assert_eq!(read("a.csv", numbers.as_bytes()).unwrap().len(), 60);
    assert_eq!(read("a.csv", format!("good,1\n{numbers}").as_bytes()).unwrap().len(), 61, "a class of numbers");
}

#[test]
fn the_index_that_pandas_writes_has_no_name_and_is_no_label() {
    let rows: String = (0..60).map(|row| format!("{row},film was {row} good\n")).collect();
    let told = message("a.csv", format!(",review\n{rows}").as_bytes());
    assert!(told.contains("give --text-column review"), "{told}");
    let columns = ColumnNames { text: Some("2".to_owned()), ..ColumnNames::default() };
    let reading = Reading { columns, ..Reading::default() };
    let table = b",review,stars\n0,good thing,5\n1,bad thing,1\n";
    let rows = read_as("a.csv", table, &reading, LabelNeed::Optional).unwrap();
    assert_eq!((rows.len(), rows.text(0)), (2, "good thing"));
    let without = ColumnNames { text: Some("2".to_owned()), label: Some("3".to_owned()), ..ColumnNames::default() };
    let reading = Reading { columns: without, ..Reading::default() };
    let told = read_as("a.csv", b",review,class of it\n7,good thing,5\n9,bad thing,1\n", &reading, LabelNeed::Required);
    assert!(told.unwrap_err().to_string().contains("the first row may name the columns: ``, `review`"));
}

#[test]
fn without_labels_an_unknown_column_is_not_taken_for_the_text() {
    let predict = |name: &str, content: &[u8]| read_as(name, content, &Reading::default(), LabelNeed::Optional);
    let refused = |name: &str, content: &[u8]| told(name, &predict(name, content).unwrap_err());
    let told = refused("a.csv", b"patient_id,note\n17,a b c d\n18,e f g h\n");
    assert!(told.contains("`note`: 2 texts of 4 words") && told.contains("give --text-column note;"), "{told}");
    assert!(refused("a.csv", b"note\na b c\n").contains("whose first row may be its name: `note`"));
    assert_eq!(predict("a.txt", b"a b c\nd e f\n").unwrap().len(), 2);
    assert_eq!(predict("a.csv", b"text,label\na b c,\n").unwrap().label(0), None);
}

#[test]
fn columns_are_read_as_the_user_names_them() {
    let given = |text: &str, label: &str, header| Reading {
        columns: ColumnNames { text: Some(text.to_owned()), label: Some(label.to_owned()), ..ColumnNames::default() },
        header,
        ..Reading::default()
    };
    let one = |content: &[u8], reading: &Reading| {
        let rows = read_as("a.tsv", content, reading, LabelNeed::Required)?;
        Ok::<_, Error>((rows.len(), rows.text(0).to_owned(), rows.labels()[0].name.clone(), rows.notes().join("; ")))
    };
    // The layout of CoLA.
    let cola = b"gj04\t1\t\tOur friends won't buy this.\ngj05\t0\t*\tOne more pseudo.\n";
    let (rows, text, label, notes) = one(cola, &given("4", "2", Header::Auto)).unwrap();
    assert_eq!((rows, text.as_str(), label.as_str()), (2, "Our friends won't buy this.", "1"));
    assert!(notes.ends_with("columns not used: 1, 3"), "{notes}");
    let named = b"group\tnote\nA\ta b\nB\tc d\n";
    assert_eq!(one(named, &given("note", "group", Header::Auto)).unwrap().0, 2);
    let refused = |content: &[u8], text: &str, label: &str| {
        one(content, &given(text, label, Header::Auto)).unwrap_err().to_string()
    };
    let may_be_header = "the first row may name the columns: `group`, `note`; give --no-header if it is data";
    assert!(refused(named, "2", "1").contains(may_be_header), "the first label never comes again");
    assert!(
        refused(b"0\t1\na b\tx\nc d\ty\n", "1", "2").contains("may name the columns: `0`, `1`"),
        "as pandas writes it"
    );
    assert!(refused(named, "note", "0").contains("--label-column 0: there is no such column; there are `group`"));
    assert!(refused(b"text\tx\t2\na\tb\tc\n", "text", "2").contains("is the name of column 3"));
    assert_eq!(one(named, &given("2", "1", Header::None)).unwrap().0, 3);
    assert!(one(named, &given("body", "group", Header::Auto)).unwrap_err().to_string().contains("no such column"));
}

#[test]
fn bad_input_is_named_by_file_and_line() {
    let cases: [(&str, &[u8], &str); 17] = [
        ("a.csv", b"id,label\n1,x\n", "a.csv:1: no column is called `text` or `sentence`; there are `id`: 1 "),
        ("a.csv", b"text,id\nx,1\n", "a.csv:1: no column is called `label`; there are `text`"),
        ("a.csv", b"text,label\na, b,1\n", "a.csv:2: has 3 fields, the header has 2; put texts with `,` in quotes"),
        ("a.csv", b"text,label,x\na,1,\nb,1\n", "a.csv:3: has 2 fields, the header has 3"),
        ("a.csv", b"text,label\n\"a\" b,1\n", "a.csv:2: field 1 has text after a closing quote"),
        ("a.csv", b"text,label\na,1\n\"b,0\nc,1\n", "a.csv:3: the quote that opens field 1 is still open"),
        ("a.csv", b"text,label\na\0,1\n", "a.csv:2: field 1 has a NUL"),
        ("a.csv", b"text,label\na,  \n", "a.csv:2: the label is empty"),
        ("a.tsv", b"", "a.tsv: is empty"),
        ("a.jsonl", b"\n\n", "a.jsonl: has no rows"),
        ("a.jsonl", b"{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\"}\n", "a.jsonl:2: the label is empty"),
        ("a.jsonl", b"{\"text\":\"a\",\"label\":1}\nnonsense\n", "a.jsonl:2: not a JSON object"),
        ("a.jsonl", b"{\"text\":\"a\",\"label\":[1]}\n", "a.jsonl:1: the label is a list"),
        (
            "a.jsonl",
            b"{\"text\":\"a\",\"text_pair\":[\"b\"],\"label\":1}\n",
            "a.jsonl:1: the second text is neither a string nor null",
        ),
        (
            "a.tsv",
            b"a good film\t1\nb\xe4d\t0\n",
            "a.tsv:2: is not UTF-8; name its encoding with --encoding: windows-1252,",
        ),
        ("a.tsv", b"good\t1\n \t0\n", "a.tsv:2: the text is empty"),
        (
            "a.jsonl",
            b"{\"text\":\"ab\",\"label\":1,\"rationale\":[[1,3]]}",
            "a.jsonl:1: rationale [1, 3] is not within",
        ),
    ];
    for (name, content, part) in cases {
        let shown = message(name, content);
        assert!(shown.starts_with(part), "{shown}");
        assert!(!shown.contains('\n'), "{shown}");
    }
    assert!(message("a.doc", b"x").contains("unknown format"));
    assert!(message("a.xls", b"x").contains("is a spreadsheet; save the sheet as CSV"));
}

#[test]
fn labels_are_read_alike_in_all_formats() {
    let names = |name: &str, content: &[u8]| {
        let rows = read_as(name, content, &Reading::default(), LabelNeed::Required).unwrap();
        rows.labels().iter().map(|label| (label.name.clone(), label.count)).collect::<Vec<_>>()
    };
    let expected = [("1".to_owned(), 3), ("no".to_owned(), 1)];
    let json = "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"label\":1.0}\n{\"text\":\"a\",\"label\":\" 1 \"}\n{\"text\":\"a\",\"label\":\"no\"}";
    assert_eq!(names("a.jsonl", json.as_bytes()), expected);
    assert_eq!(names("a.csv", b"text,label\na,1\na,1.0\na, 1 \na,no\n"), expected);
}

#[test]
fn a_subset_is_as_if_the_file_had_no_other_rows() {
    let json = r#"{"id":1,"text":"a","text_pair":"x","label":"no","rationale":[[0,1]]}
{"id":2,"text":"b","text_pair":null,"label":"yes"}
{"id":3,"text":"c","text_pair":"z","label":"no"}"#;
    let reading = Reading { labels: "no=0,maybe=9".parse().unwrap(), ..Reading::default() };
    let rows = read_as("a.jsonl", json.as_bytes(), &reading, LabelNeed::Required).unwrap();
    assert_eq!(rows.labels()[0].name, "0", "as the map says");
    for wanted in [&[0, 1, 2][..], &[0, 2], &[2], &[]] {
        let subset = rows.subset(wanted);
        let expected: Vec<Row> = wanted.iter().map(|row| rows.row(*row)).collect();
        let kept = rows.clone().into_subset(wanted);
        assert_eq!((0..kept.len()).map(|row| kept.row(row)).collect::<Vec<_>>(), expected);
        assert_eq!(kept.labels(), subset.labels());
        assert_eq!((0..subset.len()).map(|row| subset.row(row)).collect::<Vec<_>>(), expected);
        assert_eq!(subset.labels().iter().map(|label| label.count).sum::<usize>(), wanted.len());
    }
}

#[test]
fn bad_rows_are_left_out_on_request_and_counted() {
    let content = b"text,label\na,1\n,1\nb,0,2\nc,\nd,0\n";
    let reading = |skip_bad| Reading { skip_bad, ..Reading::default() };
    let rows = read_as("a.csv", content, &reading(3), LabelNeed::Required).unwrap();
    assert_eq!((rows.len(), rows.line(1), rows.skipped().len()), (2, 6, 3));
    let refused = read_as("a.csv", content, &reading(2), LabelNeed::Required).unwrap_err().to_string();
    let past = "a.csv:5: the label is empty; that makes 3 bad rows, more than --skip-bad 2";
    assert!(refused.ends_with(past), "{refused}");
}

#[test]
fn of_private_data_no_cell_is_told_but_for_labels_that_many_rows_share() {
    let private = |columns| Reading { private: Switch::On, columns, ..Reading::default() };
    let refused = |name: &str, content: &[u8], columns| {
        let found = read_as(name, content, &private(columns), LabelNeed::Optional);
        let why = found.unwrap_err().to_string();
        assert!(!why.contains("kanary"), "{why}");
        why
    };
    assert!(refused("a.csv", b"kanary a b\nkanary c d\n", ColumnNames::default()).contains("may be its name; give"));
    let unclear = refused("a.csv", b"kanary a,kanary b,1\nkanary,kanary d,2\n", ColumnNames::default());
    assert!(unclear.contains("give --text-column"), "{unclear}");
    let ids = ColumnNames { id: Some("text".to_owned()), ..ColumnNames::default() };
    assert!(refused("a.csv", b"text,label\nkanary a,1\n", ids).contains("--id-column names a column of texts"));
    let labels = b"text,label\na,kanary 1\nb,y\nc,y\nd,y\ne,y\nf,y\n";
    let rows = read_as("a.csv", labels, &private(ColumnNames::default()), LabelNeed::Required).unwrap();
    let told = |rows: &Rows| rows.labels().iter().map(|label| rows.told_label(label)).collect::<Vec<_>>();
    assert_eq!(told(&rows), ["the label of line 2", "`y`"]);
    assert_eq!(told(&rows.subset(&[0])), ["the label of line 2"]);
    let open = read_as("a.csv", labels, &Reading::default(), LabelNeed::Required).unwrap();
    assert_eq!(told(&open), ["`kanary 1`", "`y`"]);
    let findings = crate::survey::survey(&[("train".to_owned(), &rows)]).findings().join("\n");
    assert!(findings.contains("`y` (5), `the label of line 2` (1)") && !findings.contains("kanary"), "{findings}");
}

#[test]
fn the_first_rows_have_the_labels_of_all_and_count_their_own() {
    let rows = read_as("a.csv", b"text,label\na,x\nb,y\nc,y\nd,z\n", &Reading::default(), LabelNeed::Required).unwrap();
    let head = rows.head(3);
    let labels: Vec<_> = head.labels().iter().map(|label| (label.name.as_str(), label.count, label.first)).collect();
    assert_eq!(labels, [("x", 1, 0), ("y", 2, 1), ("z", 0, 0)]);
    assert!(head.labels().iter().all(|label| label.first < head.len()));
}

#[test]
fn a_key_that_a_row_has_twice_is_named_with_its_line() {
    let twice = "has the key `label` twice; which of them counts?";
    let rows = b"{\"text\":\"a\",\"label\":1}\n{\"label\":0,\"text\":\"b\",\"label\":1}\n";
    assert_eq!(message("a.jsonl", rows), format!("a.jsonl:2: {twice}"));
    let list = b"[{\"text\":\"a\",\"label\":1},\n{\"label\":0,\n\"text\":\"b\",\n\"label\":1}]";
    assert_eq!(message("a.json", list), format!("a.json:4: {twice}"));
    let long = format!("{{\"{0}\":1,\"{0}\":2}}\n", "k".repeat(1000));
    assert!(message("a.jsonl", long.as_bytes()).len() < 200);
    // Within a value nothing is said: it is no column.
    assert!(read("a.jsonl", b"{\"text\":\"a\",\"label\":1,\"meta\":{\"a\":1,\"a\":2}}").is_ok());
    let lenient = Reading { skip_bad: 1, ..Reading::default() };
    assert_eq!(read_as("a.jsonl", rows, &lenient, LabelNeed::Required).unwrap().len(), 1);
}

#[test]
fn numbers_that_would_be_rounded_are_refused_where_they_count() {
    let told = "a.jsonl:1: the label is a number of more digits than are kept; put it in quotes";
    assert_eq!(message("a.jsonl", b"{\"text\":\"a\",\"label\":123456789012345678901}\n"), told);
    assert_eq!(message("a.jsonl", b"{\"text\":\"a\",\"label\":-1e300}\n"), told);
    let id = b"{\"id\":123456789012345678901,\"text\":\"a\",\"label\":1}\n";
    assert!(message("a.jsonl", id).contains("the id is a number of more digits than are kept"));
    let rows = read("a.jsonl", b"{\"x\":1e300,\"text\":\"a\",\"label\":18446744073709551615}\n").unwrap();
    assert_eq!(rows[0].label.as_deref(), Some("18446744073709551615"));
    let rows = read("a.csv", b"text,label\na b,123456789012345678901\nc d,123456789012345678902\n").unwrap();
    assert_ne!(rows[0].label, rows[1].label, "a text is kept as it is");
}

#[test]
fn keys_that_only_late_rows_have_are_columns_as_well() {
    let early: String = (0..1500).map(|row| format!("{{\"text\":\"t{row}\"}}\n")).collect();
    let late = "{\"text\":\"a\",\"text_pair\":\"b\",\"label\":\"x\",\"id\":\"i\"}\n";
    let predict = |content: &str| {
        read_as("a.jsonl", content.as_bytes(), &Reading { skip_bad: 1, ..Reading::default() }, LabelNeed::Optional)
    };
    let rows = predict(&format!("{early}{late}")).unwrap();
    assert_eq!((rows.pair(0), rows.pair(1500), rows.id(1500), rows.label(1500)), (None, Some("b"), Some("i"), Some(0)));
    let rows = predict(&format!("nonsense\n{early}{late}")).unwrap();
    assert_eq!((rows.len(), rows.pair(1500), rows.skipped().len()), (1501, Some("b"), 1), "behind a bad row as well");
    let list = format!("[{}]", format!("{early}{late}").trim_end().replace('\n', ",\n"));
    let rows = read_as("a.json", list.as_bytes(), &Reading::default(), LabelNeed::Optional).unwrap();
    assert_eq!((rows.pair(1500), rows.line(1500)), (Some("b"), 1501));
    let unlabelled = message("a.jsonl", format!("{early}{late}").as_bytes());
    assert_eq!(unlabelled, "a.jsonl:1: the label is empty");
    assert_eq!(message("a.json", b"[{}]"), "a.json:1: its objects have no keys, and so there is no text");
}

#[test]
fn the_column_that_is_written_as_it_is_named_is_meant() {
    let trained_on = |text: &str| Reading {
        trained_on: ColumnNames { text: Some(text.to_owned()), ..ColumnNames::default() },
        ..Reading::default()
    };
    let named = |text: &str| Reading { columns: trained_on(text).trained_on, ..Reading::default() };
    let text = |table: &str, reading: &Reading| {
        read_as("a.csv", table.as_bytes(), reading, LabelNeed::Optional).map(|rows| rows.text(0).to_owned())
    };
    for reading in [trained_on("text"), named("text")] {
        assert_eq!(text("TEXT,text,label\nA B,a b,x\n", &reading).unwrap(), "a b");
        assert_eq!(text("TEXT,label\nA B,x\n", &reading).unwrap(), "A B");
        for twice in ["text,text,label\na b,c d,x\n", "TEXT,Text,label\na b,c d,x\n"] {
            assert!(text(twice, &reading).unwrap_err().to_string().contains("two columns have that name"), "{twice}");
        }
    }
}

#[test]
fn columns_that_are_not_used_are_listed_up_to_twelve() {
    let notes = |header: &str| {
        let row = vec!["a"; header.split(',').count()].join(",");
        read_as("a.csv", format!("{header}\n{row}\n").as_bytes(), &Reading::default(), LabelNeed::Optional)
            .unwrap()
            .notes()
            .join("; ")
    };
    assert!(notes("text,label,").ends_with("columns not used: column 3 without a name"));
    let many: Vec<String> = (0..1000).map(|column| format!("c{column}")).collect();
    assert!(notes(&format!("text,label,{}", many.join(","))).ends_with("c10, c11 and 988 more"));
}

#[test]
fn objects_of_any_number_of_keys_are_not_read() {
    let keys = |count: usize| (0..count).map(|key| format!("\"k{key}\":1,")).collect::<String>();
    let row = |count: usize| format!("{{{}\"text\":\"a\",\"label\":1}}\n", keys(count));
    assert!(read("a.jsonl", row(16_382).as_bytes()).is_ok());
    assert!(message("a.jsonl", row(16_383).as_bytes()).contains("has more than 16384 different keys"));
}

#[test]
fn one_column_without_a_name_has_no_labels() {
    let reading = Reading { header: Header::None, ..Reading::default() };
    let told = read_as("a.csv", b"a b\nc d\n", &reading, LabelNeed::Required).unwrap_err().to_string();
    assert!(told.ends_with(
        "a.csv:1: has one column, and so no labels; if it has more, name what separates them with --delimiter"
    ));
    assert_eq!(read_as("a.csv", b"a b\nc d\n", &reading, LabelNeed::Optional).unwrap().len(), 2);
}

#[test]
fn what_tells_excel_the_delimiter_is_no_row() {
    for rows in ["sep=;\ntext;label\na b;0\nc d;1\n", "sep=,\ntext,label\na b,0\nc d,1\n"] {
        assert_eq!(
            message("a.csv", rows.as_bytes()),
            "a.csv:1: tells Excel the delimiter and is no row; remove the line"
        );
    }
}

#[test]
fn a_header_that_comes_again_is_no_row() {
    let rows = b"text,label\na b,1\ntext,label\nc d,0\n";
    assert_eq!(message("a.csv", rows), "a.csv:3: is the header again; remove the row");
    let unlabelled = read_as("a.csv", b"text\na b\ntext\n", &Reading::default(), LabelNeed::Optional).unwrap();
    assert_eq!(unlabelled.len(), 2, "one word alone may be a text");
}

#[test]
fn the_label_of_snli_may_be_none() {
    let rows = b"gold_label\tsentence1\tsentence2\nneutral\ta\tb\n-\tc\td\nentailment\te\tf\n";
    let told = message("a.tsv", rows);
    assert_eq!(told, "a.tsv:3: the label is `-`: no label that most agree on; --skip-bad N leaves such rows out");
    let lenient = Reading { skip_bad: 1, ..Reading::default() };
    let labels = |reading: &Reading, need| -> Vec<Option<String>> {
        let rows = read_as("a.tsv", rows, reading, need).unwrap();
        (0..rows.len()).map(|row| rows.row(row).label).collect()
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(labels(&lenient, LabelNeed::Required), [named("neutral"), named("entailment")]);
    assert_eq!(labels(&Reading::default(), LabelNeed::Optional), [named("neutral"), None, named("entailment")]);
    assert_eq!(read("a.tsv", b"label\ttext\n-\ta b\n+\tc d\n").unwrap()[0].label, named("-"), "a label like any other");
}

#[test]
fn labels_that_look_like_missing_values_are_no_classes_unless_they_are_said_to_be() {
    let what = |label: &str| {
        format!(
            "the label `{label}` looks like a missing value; --skip-bad N leaves such rows out, --label-map='{label}={label}' \
             makes it a class"
        )
    };
    for label in ["nan", "NaN", "None", "NA", "null", "n/a", "?", "<NA>"] {
        let table = format!("text,label\na b,pos\nc d,{label}\ne f,neg\n");
        assert_eq!(message("a.csv", table.as_bytes()), format!("a.csv:3: {}", what(label)));
        let json = format!("{{\"text\":\"a\",\"label\":\"{label}\"}}\n");
        assert_eq!(message("a.jsonl", json.as_bytes()), format!("a.jsonl:1: {}", what(label)));
        let read = |reading: &Reading, need| {
            let rows = read_as("a.csv", table.as_bytes(), reading, need).unwrap();
            let labels =
                (0..rows.len()).map(|row| rows.row(row).label.unwrap_or_default()).collect::<Vec<_>>().join(" ");
            (labels, rows.notes().join("; "))
        };
        let lenient = Reading { skip_bad: 1, ..Reading::default() };
        assert_eq!(read(&lenient, LabelNeed::Required).0, "pos neg");
        let meant = Reading { labels: format!("{label}={label}").parse().unwrap(), ..Reading::default() };
        assert_eq!(read(&meant, LabelNeed::Required), (format!("pos {label} neg"), String::new()));
        let (labels, notes) = read(&Reading::default(), LabelNeed::Optional);
        assert_eq!(labels, "pos  neg");
        assert!(notes.contains(&format!("1 row has the label `{label}`, which is read as none")), "{notes}");
    }
    for label in ["none", "nano", "N", "na"] {
        let table = format!("text,label\na b,pos\nc d,{label}\n");
        assert_eq!(read("a.csv", table.as_bytes()).unwrap()[1].label.as_deref(), Some(label));
    }
}

#[test]
fn minus_one_beside_classes_by_number_is_no_class() {
    let table = b"text,label\na,0\nb,-1\nc,1\nd,-1\ne,0\n";
    assert!(message("a.csv", table).starts_with("a.csv:3: the label `-1` looks like a missing value"));
    let skip = |skip_bad| read_as("a.csv", table, &Reading { skip_bad, ..Reading::default() }, LabelNeed::Required);
    assert!(skip(1).is_err());
    let rows = skip(2).unwrap();
    let lines: Vec<u64> = (0..rows.len()).map(|row| rows.line(row)).collect();
    assert_eq!((lines, rows.skipped().len(), rows.labels().len()), (vec![2, 4, 6], 2, 2));
    assert_eq!(rows.place(2).0.file_name().unwrap(), "a.csv");
    let meant = Reading { labels: "-1=-1".parse().unwrap(), ..Reading::default() };
    assert_eq!(read_as("a.csv", table, &meant, LabelNeed::Required).unwrap().labels().len(), 3);
    let rows = read_as("a.csv", table, &Reading::default(), LabelNeed::Optional).unwrap();
    assert_eq!((rows.len(), rows.labels().len(), rows.label(1), rows.label(2)), (5, 2, None, Some(1)));
    assert!(rows.notes().join("; ").contains("2 rows have the label `-1`, which is read as none"));
    assert_eq!(read("a.csv", b"text,label\na,1\nb,-1\n").unwrap().len(), 2, "the two sides of a boundary");
}

#[test]
fn the_line_of_a_row_is_its_own_behind_empty_lines_and_long_texts() {
    let lines = |name: &str, content: &[u8]| {
        let rows = read(name, content).unwrap();
        rows.iter().map(|row| row.line).collect::<Vec<_>>()
    };
    assert_eq!(lines("a.csv", b"\n\ntext,label\r\n\r\na,1\n\n\n\"b\n\nc\",0\n\nd,1"), [5, 8, 12]);
    assert_eq!(lines("a.csv", b"text,label\n\"a\r\nb\",1\r\nc,0\r\n\r\n"), [2, 4]);
    assert_eq!(lines("a.tsv", b"text\tlabel\n\na \"\t1\n\n\nb\t0"), [3, 6]);
    assert!(message("a.csv", b"text,label\n\n\na,1\n\n,1\n").starts_with("a.csv:6: the text is empty"));
    assert!(message("a.csv", b"text,label\n\n\xff,1\n").starts_with("a.csv:3: is not UTF-8"));
}

#[test]
fn empty_lines_between_texts_are_said() {
    let notes = |content: &[u8]| {
        let rows = read_as("a.txt", content, &Reading::default(), LabelNeed::Optional).unwrap();
        (rows.line(rows.len() - 1), rows.notes().join("; "))
    };
    let (last, told) = notes(b"a b\n\nc d\n\n\n");
    assert!(
        last == 3 && told.ends_with("empty lines are no rows: 1 of them stand before or between the 2 rows"),
        "{told}"
    );
    assert_eq!(notes(b"a b\nc d\n\n"), (2, String::new()));
}

#[test]
fn a_byte_that_the_encoding_does_not_have_is_named_with_its_line() {
    let told = |name: &str, content: &[u8]| {
        let reading = Reading { encoding: Some("cp1252".to_owned()), ..Reading::default() };
        told(name, &read_as(name, content, &reading, LabelNeed::Required).unwrap_err())
    };
    let why = "has a byte that windows-1252 does not have; name its --encoding";
    assert_eq!(told("a.csv", b"text,label\na,1\n\x81,1\n"), format!("a.csv:3: {why}"));
    assert_eq!(told("a.tsv", b"text\tlabel\na\t1\n\x81\t1\n"), format!("a.tsv:3: {why}"));
    assert_eq!(told("a.jsonl", b"{\"text\":\"a\",\"label\":1}\n{\"text\":\"\x81\"}\n"), format!("a.jsonl:2: {why}"));
    assert_eq!(told("a.json", b"[\n{\"text\":\"\x81\",\"label\":1}]"), format!("a.json:2: {why}"));
}

#[test]
fn rows_that_are_too_long_or_too_deep_are_named() {
    let long = "a".repeat(LONGEST_TEXT + 1);
    let shown = message("a.tsv", format!("good\t1\n{long}\t0\n").as_bytes());
    assert_eq!(shown, "a.tsv:2: has a text of 1048577 bytes; 1048576 at most: cut it into rows");
    // Made into values, a line of numbers would take many times its length.
    let wide = format!("{{\"text\":\"a\",\"label\":1,\"more\":[{}0]}}", "0,".repeat(9 << 20));
    assert_eq!(message("a.jsonl", wide.as_bytes()), "a.jsonl:1: has more than 16777216 bytes; cut it into rows");
    let deep = "[".repeat(100_000);
    let rationale = format!("text\tlabel\trationale\na\t1\t{deep}\n");
    assert!(message("a.jsonl", format!("{{\"text\":{deep}").as_bytes()).contains("a.jsonl:1: not a JSON object"));
    assert!(message("a.tsv", rationale.as_bytes()).contains("a.tsv:2: `rationale` is not JSON"));
}

#[test]
fn a_json_file_is_a_list_or_has_an_object_a_line() {
    let pretty = "\u{feff}\n[\n  {\n    \"text\": \"a \\\"]\\\\\",\n    \"label\": 1\n  },\n  {\"text\": \"b\", \"label\": 0, \"more\": [[\"]\"]]}\n]\n";
    let rows = read("a.json", pretty.as_bytes()).unwrap();
    let read_as: Vec<_> = rows.iter().map(|row| (row.line, row.text.as_str(), row.label.as_deref())).collect();
    assert_eq!(read_as, [(3, "a \"]\\", Some("1")), (7, "b", Some("0"))]);
    let lines = read("a.json", b"{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":0}\n").unwrap();
    assert_eq!((lines.len(), lines[1].line), (2, 2));
    let cases: [(&str, &str); 12] = [
        ("[{\"text\":\"a\",\n\"label\" 1}]", "a.json:2: not a JSON object: expected `:` at column 9"),
        ("[{\"text\":\"a\",\"label\":1},\n]", "a.json:2: has a comma with no object behind it; remove it"),
        ("[{\"text\":\"a\",\"label\":1}\n", "a.json:2: is cut off: its list does not end"),
        ("[{\"text\":\"a\",\"label\":1}]\n{}", "a.json:2: has more behind the end of its list"),
        ("[{\"text\":\"a\",\"label\":1} {}]", "a.json:1: not a JSON object: trailing characters at column 24"),
        ("[1, 2]", "a.json:1: not a JSON object"),
        ("[]", "a.json: has no rows"),
        (" \n", "a.json: has no rows"),
        (
            "{\n\"text\": {\"0\": \"a\"}}",
            "a.json:1: not a JSON object: EOF while parsing an object at column 1; write the",
        ),
        (
            "{\"data\":[{\"text\":\"a\"}]}",
            "a.json:1: is one object, with the rows inside of `data`; write the rows as a list",
        ),
        ("{\"text\":[\"a\"],\"label\":[1]}", "a.json:1: is one object, with the rows inside of `label`, `text`; write"),
        ("[{\"text\":\"a\",\"label\":{}}]", "a.json:1: the label is a list"),
    ];
    for (content, part) in cases {
        let shown = message("a.json", content.as_bytes());
        assert!(shown.starts_with(part), "{shown}");
        assert!(!shown.contains('\n'), "{shown}");
    }
    let long = format!("[\n{{\"text\":\"{}\"}}]", "a".repeat(17 << 20));
    let shown = message("a.json", long.as_bytes());
    assert_eq!(shown, "a.json:2: begins an object of more than 16777216 bytes; cut it into rows");
    let deep = format!("[{}", "[".repeat(1 << 20));
    assert!(message("a.json", deep.as_bytes()).contains("cut off"));
}
