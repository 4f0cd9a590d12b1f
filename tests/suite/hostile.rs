//! The corpus of hostile texts as data, labels, names of files and runs, and metadata: through every way out.

use std::ffi::OsStr;
use std::fs;
use std::process::Output;

use pellucid_protocol::Event;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use serde_json::{Value, json};

use crate::program::{Workplace, checkout, data, is_end, wait_until};
use crate::sequences::{foreign, steering};
use crate::terminal::Terminal;

/// A name for runs and folders that sets titles, clears screens and turns text around.
const NAME: &str = "r\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\nn";
const LABELS: [&str; 2] = ["\u{1b}[31mre\u{202e}d\u{7}", "=b\u{200b}lue\u{9d}0;x\u{9c}"];

fn corpus() -> Value {
    let path = checkout().join("tests/hostile/texts.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The texts of the corpus as a data file may hold them: without NUL, which is refused.
fn texts() -> Vec<(String, String)> {
    let texts: Vec<(String, String)> = serde_json::from_value(corpus()["texts"].clone()).unwrap();
    texts.into_iter().map(|(name, text)| (name, text.replace('\0', " "))).collect()
}

/// Pieces of the corpus that are no UTF-8.
fn broken() -> Vec<(String, Vec<u8>)> {
    let written: Vec<(String, String)> = serde_json::from_value(corpus()["bytes"].clone()).unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    written.into_iter().map(|(name, hex)| (name, hex.as_bytes().chunks(2).map(byte).collect())).collect()
}

/// A place with the corpus as data and a run of a hostile name.
struct Hostile {
    place: Workplace,
    data: String,
    run: RunDir,
}

impl Hostile {
    fn new() -> Self {
        let place = Workplace::new();
        let data = place.path().join(format!("{}.jsonl", NAME.replace('\n', "")));
        let rows = texts().into_iter().enumerate().map(|(index, (_, text))| {
            let row = json!({"text": text, "label": LABELS[index % 2]});
            format!("{row}\n")
        });
        fs::write(&data, rows.collect::<String>()).unwrap();
        let run = RunDir::new(place.runs().join(NAME));
        Self { data: data.to_str().unwrap().to_owned(), run, place }
    }

    fn train(&self, more: &[&str]) -> Vec<String> {
        let run = self.run.root().to_str().unwrap();
        let flags = ["--train", &self.data, "--valid", &self.data, "--run-dir", run, "--eval-every", "4"];
        self.place.train(&[&flags, more].concat())
    }

    fn output<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Output {
        let output = self.place.output(args);
        for (what, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let steering = steering(bytes);
            assert!(steering.is_empty(), "{what}: {steering:?}");
        }
        output
    }

    /// A run that has ended.
    fn trained() -> Self {
        let hostile = Self::new();
        let output = hostile.output(hostile.train(&["--headless", "--max-steps", "8"]));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        hostile
    }
}

fn json_lines(bytes: &[u8]) -> Vec<Value> {
    std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_and_json_have_nothing_that_steers_and_json_has_all_that_was_there() {
    let hostile = Hostile::trained();
    let model = hostile.run.root().join("checkpoints/last");
    let (model, run) = (model.to_str().unwrap(), hostile.run.root().to_str().unwrap());
    let some = ["--limit", "12", "--data", &hostile.data, "--model", model];
    for (command, more) in [("predict", &[][..]), ("explain", &["--method", "gxi,occlusion"])] {
        hostile.output([&[command], &some[..], more].concat());
        let output = hostile.output([&[command, "--json"], &some[..], more].concat());
        let lines = json_lines(&output.stdout);
        assert_eq!(lines.len(), 12, "{command}: {}", String::from_utf8_lossy(&output.stderr));
        for (line, (name, text)) in lines.iter().zip(texts()) {
            assert_eq!(line["text"], text, "{command}: {name}");
        }
    }
    let all = hostile.output(["predict", "--json", "--model", model, "--data", &hostile.data]);
    assert_eq!(json_lines(&all.stdout).len(), texts().len());
    for args in [
        &["runs"][..],
        &["export", run],
        &["export", run, "--format", "jsonl"],
        &["compare", run, run],
        &["attach", "no\u{1b}[2J\u{202e}ne"],
        &["replay", run],
        &["resume", "--headless", run],
        &["predict", "--model", NAME, "--text", "a"],
        &["explain", "--model", model, "--text", "\u{1b}[2J\u{202e}gnp"],
        &["train", "--model", NAME, "--train", NAME, "--valid", NAME],
        &["train", "--config", NAME],
        &["--theme", NAME, "screenshot", run],
        &["\u{1b}[2J\u{9b}fly"],
        &["runs", "--\u{1b}[2J"],
        &["doctor"],
    ] {
        hostile.output(args);
    }
    let listed = json_lines(&hostile.output(["runs", "--json"]).stdout);
    assert_eq!(listed[0]["name"], NAME);
    let picture = hostile.place.path().join("log.svg");
    hostile.output(["screenshot", run, "--screen", "samples", "--out", picture.to_str().unwrap()]);
    assert!(steering(&fs::read(picture).unwrap()).is_empty());
    let pages = hostile.place.path().join("pages");
    fs::create_dir(&pages).unwrap();
    let told = hostile.output(["report", run, "--out", pages.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    for page in ["report.html", "report.md"] {
        assert_harmless(page, &fs::read(pages.join(page)).unwrap());
    }
    for format in ["html", "csv"] {
        let flags = ["explain", "--method", "gxi", "--format", format, "--model", model, "--data", &hostile.data];
        let output = hostile.output(flags);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let page = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(page.lines().count() > texts().len(), "{format}: {} lines", page.lines().count());
        match format {
            "html" => assert_harmless(format, &output.stdout),
            _ => assert_no_formula(format, &output.stdout),
        }
    }
    assert_no_formula("export", &hostile.output(["export", run]).stdout);
}

/// Nothing in a page steers a terminal, or is taken for more than text by a browser.
fn assert_harmless(name: &str, page: &[u8]) {
    assert!(steering(page).is_empty(), "{name}: {:?}", steering(page));
    let text = std::str::from_utf8(page).unwrap();
    for tag in ["<script>alert", "<img src=x", "<svg onload", "<h1>owned", "onmouseover=\"alert"] {
        assert!(!text.contains(tag), "{name} has {tag}");
    }
}

/// No cell of a table but a number begins as a formula does.
fn assert_no_formula(name: &str, table: &[u8]) {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let is_formula =
        |cell: &str| cell.trim_start().starts_with(['=', '+', '-', '@']) && !cell.parse().is_ok_and(f64::is_finite);
    let formulas: Vec<&str> = rows.iter().flatten().filter(|cell| is_formula(cell)).collect();
    assert!(rows.len() > 1 && formulas.is_empty(), "{name}: {formulas:?}");
}

#[test]
fn a_sweep_of_hostile_names_has_tables_that_may_be_printed() {
    let hostile = Hostile::new();
    let out = hostile.place.path().join(NAME);
    let model = data().join("models/student").display().to_string();
    let mut args = vec!["sweep", "--out", out.to_str().unwrap(), "--model", &model];
    args.extend(["--train", &hostile.data, "--valid", &hostile.data, "--max-steps", "2", "--threads", "1"]);
    args.extend(["--batch-size", "8", "--grid", "seed=1,2"]);
    let output = hostile.output(&args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for table in ["sweep.csv", "sweep.json"] {
        let bytes = fs::read(out.join(table)).unwrap();
        assert!(bytes.len() > 50 && steering(&bytes).is_empty(), "{table}: {:?}", steering(&bytes));
    }
    assert_no_formula("sweep", &fs::read(out.join("sweep.csv")).unwrap());
    let wrong = hostile.output(["sweep", "--model", &model, "--grid", "\u{1b}[2J=\u{202e}1"]);
    assert_ne!(wrong.status.code(), Some(0));
}

#[test]
fn the_record_is_json_whose_lines_may_be_printed() {
    let hostile = Hostile::new();
    let output = hostile.output(hostile.train(&["--headless", "--json", "--max-steps", "4"]));
    let lines = json_lines(&output.stdout);
    let started = lines.iter().find(|line| line["event"] == "started").unwrap();
    assert_eq!(started["run"], NAME);
    assert_eq!(started["labels"], json!([LABELS[0], LABELS[1]]));
    assert_eq!(fs::read(hostile.run.events()).unwrap(), output.stdout);
}

#[test]
fn a_model_that_lies_in_its_metadata_is_told_of_in_plain_text() {
    let hostile = Hostile::new();
    let folder = hostile.place.path().join("model");
    fs::create_dir(&folder).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(data().join("models/student").join(file), folder.join(file)).unwrap();
    }
    let config: Value = serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap();
    let keys = ["model_type", "hidden_act", "vocab_size", "position_embedding_type"];
    // Starting a program takes its time: each place with many texts, and not every text.
    for (index, (name, text)) in texts().into_iter().enumerate().step_by(3) {
        let key = keys[index % keys.len()];
        let mut lying = config.clone();
        lying[key] = Value::from(text.clone());
        fs::write(folder.join("config.json"), lying.to_string()).unwrap();
        let output = hostile.output(["predict", "--model", folder.to_str().unwrap(), "--text", "a"]);
        assert_eq!(output.status.code(), Some(1), "{name} as {key}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{name} as {key}");
    }
}

#[test]
fn what_is_no_text_is_named_and_not_printed() {
    let hostile = Hostile::new();
    for (name, bytes) in broken() {
        let row = [b"good\t1\n".as_slice(), &bytes, b"\t0\n"].concat();
        let file = hostile.place.path().join("rows.tsv");
        fs::write(&file, row).unwrap();
        let model = data().join("models/student").display().to_string();
        let output = hostile.output(["predict", "--model", &model, "--data", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        for file in ["run.toml", "keys.toml"] {
            fs::write(hostile.place.path().join(file), &bytes).unwrap();
        }
        let output = hostile.output(["train", "--config", "run.toml"]);
        assert_ne!(output.status.code(), Some(0), "{name}");
    }
}

fn has(run: &RunDir, wanted: fn(&Event) -> bool) -> bool {
    LogReader::new(&run.events()).read_new().unwrap_or_default().iter().any(|record| wanted(&record.event))
}

/// A run on a terminal, and every screen and overlay of it.
#[test]
fn no_byte_but_our_own_drawing_reaches_the_terminal() {
    let hostile = Hostile::new();
    let mut terminal = Terminal::pellucid(&hostile.place, &hostile.train(&["--max-steps", "100000"]));
    wait_until("an evaluation", || has(&hostile.run, |event| matches!(event, Event::Eval(_))));
    terminal.wait_for("Explain");
    look_around(&mut terminal);
    terminal.send("3");
    terminal.wait_for("filter");
    terminal.send("e");
    wait_until("an explanation", || has(&hostile.run, |event| matches!(event, Event::Explained(_))));
    look_around(&mut terminal);
    terminal.send("S\r");
    wait_until("the end", || has(&hostile.run, is_end));
    terminal.send("q");
    terminal.exit_code();
    terminal.wait_until_restored();
    assert_clean(&terminal);
    look_again(&hostile);
}

/// Looks at every screen and overlay.
fn look_around(terminal: &mut Terminal) {
    for (keys, sign) in
        [("2", "type a text"), ("3", "filter"), ("4", "ayer"), ("5", "other list"), ("\t", "Log"), ("1", "log scale")]
    {
        terminal.send(keys);
        terminal.wait_for(sign);
    }
    terminal.send("?");
    terminal.wait_for("Everywhere");
    terminal.send("\u{1b}");
    terminal.wait_until("a closed list", |screen| !screen.contains("Everywhere"));
    for size in [(200, 50), (60, 16), (80, 24)] {
        terminal.resize(size.0, size.1);
    }
}

/// The list of runs, a replay and a comparison of the run that has ended.
fn look_again(hostile: &Hostile) {
    let run = hostile.run.root().to_str().unwrap();
    for (args, sign) in [(&[][..], "1 run"), (&["replay", run], "Explain"), (&["compare", run, run], "run")] {
        let mut terminal = Terminal::pellucid(&hostile.place, args);
        terminal.wait_for(sign);
        terminal.send("q");
        terminal.exit_code();
        assert_clean(&terminal);
    }
}

fn assert_clean(terminal: &Terminal) {
    let raw = terminal.raw();
    let found = foreign(&raw);
    assert!(
        raw.len() > 100 && found.is_empty(),
        "{} bytes, {} foreign pieces, e.g. {:?}",
        raw.len(),
        found.len(),
        &found[..found.len().min(5)]
    );
}

/// The corpus is read, and has every kind of attack that it must have.
#[test]
fn the_corpus_is_whole() {
    let texts: Vec<(String, String)> = serde_json::from_value(corpus()["texts"].clone()).unwrap();
    let texts: String = texts.into_iter().map(|(_, text)| text).collect();
    let controls =
        ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}').chain(['\u{202e}', '\u{2066}', '\u{200b}', '\u{e0061}']);
    for c in controls {
        assert!(texts.contains(c), "{c:?}");
    }
    assert!(broken().iter().all(|(_, bytes)| std::str::from_utf8(bytes).is_err()));
}
