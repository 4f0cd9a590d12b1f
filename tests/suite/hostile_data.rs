//! Data files that are damaged, made to take all memory or time, or no files at all, through the real program: each is
//! read rightly, or refused in one line. None makes it panic, hang, or take more memory than it may.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use crate::program::{PATIENCE, Workplace, checkout, program, text, wait_until};

/// Memory that the program may take, in KiB: some file here names or expands to more.
const MEMORY: u64 = 2 << 20;
/// Bytes of the longest error.
const LONGEST: usize = 5000;

/// What becomes of a file.
enum Verdict {
    /// It is read, and has these classes with so many rows each.
    Read(&'static [(&'static str, u64)]),
    /// It is refused with a line that has this part.
    Refused(&'static str),
}

use Verdict::{Read, Refused};

/// A name, what the file holds, and what becomes of it.
type Case = (&'static str, Vec<u8>, Verdict);

/// Two rows of different classes.
const PLAIN: &[u8] = b"text,label\na b,0\nc d,1\n";
const TWO: Verdict = Read(&[("0", 1), ("1", 1)]);
/// The five rows that the files in other formats hold.
const FIVE: Verdict = Read(&[("routine", 3), ("urgent", 2)]);

/// What the program with these arguments says, within bounds of memory and time: exit code, stdout and stderr.
fn bounded(place: &Workplace, args: &[&str]) -> (Option<i32>, String, String) {
    let [out, err] = ["stdout", "stderr"].map(|name| place.path().join(name));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")]).arg(program("pellucid")).args(args);
    command.current_dir(place.path()).envs(place.environment()).stdin(Stdio::null());
    let mut child = command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).spawn().unwrap();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{args:?}: does not end");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    (status.code(), text(&fs::read(out).unwrap()), text(&fs::read(err).unwrap()))
}

/// Looks at the data set `name` of `place`, which must come to `verdict`.
fn look(place: &Workplace, name: &str, verdict: &Verdict) {
    let (code, out, err) = bounded(place, &["data", name, "--json"]);
    match verdict {
        Read(classes) => {
            assert_eq!(code, Some(0), "{name}: {err}");
            let report: Value = serde_json::from_str(&out).unwrap();
            let found: Vec<(String, u64)> = report["parts"][0]["classes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|class| (class["name"].as_str().unwrap().to_owned(), class["rows"].as_u64().unwrap()))
                .collect();
            let wanted: Vec<(String, u64)> = classes.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect();
            assert_eq!(found, wanted, "{name}");
            assert_eq!(report["parts"][0]["rows"].as_u64(), Some(wanted.iter().map(|(_, rows)| rows).sum()), "{name}");
        }
        Refused(part) => {
            assert_eq!((code, out.as_str()), (Some(1), ""), "{name}: {err}");
            assert_line(name, &err, part);
        }
    }
}

/// One line, which says what is wrong with which file, and steers no terminal.
fn assert_line(name: &str, told: &str, part: &str) {
    let line = told.strip_suffix('\n').unwrap_or(told);
    assert!(line.starts_with("error: ") && line.len() < LONGEST, "{name}: {told}");
    assert!(!line.contains(char::is_control), "{name}: {told:?}");
    assert!(line.contains(part), "{name}: no `{part}` in: {told}");
}

fn look_at_all(cases: Vec<Case>) {
    let place = Workplace::new();
    for (name, bytes, verdict) in cases {
        fs::write(place.path().join(name), bytes).unwrap();
        look(&place, name, &verdict);
        fs::remove_file(place.path().join(name)).unwrap();
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(checkout().join("src/intake/tests/fixtures").join(name)).unwrap()
}

#[test]
fn tables_that_are_damaged_or_made_to_do_harm() {
    let plain = || String::from_utf8(PLAIN.to_vec()).unwrap();
    let marked = || utf16(&format!("\u{feff}{}", plain()));
    let wide = format!("{}text,label\n{1}a b,0\n{1}c d,1\n", "c,".repeat(16_000), "1,".repeat(16_000));
    look_at_all(vec![
        ("empty.csv", Vec::new(), Refused("empty.csv: is empty")),
        ("header.csv", b"text,label\n".to_vec(), Refused("header.csv: has no rows")),
        ("mark.csv", b"\xef\xbb\xbf".to_vec(), Refused("mark.csv: is empty")),
        ("blank.tsv", b"\n\r\n\n".to_vec(), Refused("blank.tsv: is empty")),
        ("marked.csv", [b"\xef\xbb\xbf", PLAIN].concat(), TWO),
        ("feeds.csv", plain().replace('\n', "\r\n").into_bytes(), TWO),
        ("returns.csv", plain().replace('\n', "\r").into_bytes(), Refused("returns.csv:1: field 2 has a carriage")),
        ("nul.csv", b"text,label\na\0b,0\n".to_vec(), Refused("nul.csv:2: field 1 has a NUL")),
        ("zeros.tsv", vec![0; 100_000], Refused("zeros.tsv:1: ")),
        ("open.csv", b"text,label\n\"a b,0\nc d,1\n".to_vec(), Refused("open.csv:2: the quote that opens field 1")),
        (
            "open-long.csv",
            [&b"text,label\n\""[..], &b"a b,0\n".repeat(5_000_000)].concat(),
            Refused("csv:2: the quote"),
        ),
        ("behind.csv", b"text,label\n\"a\" b,0\n".to_vec(), Refused("behind.csv:2: field 1 has text after a closing")),
        ("quotes.csv", [b"text,label\n", &b"\"".repeat(1 << 20)[..], b",0\nc d,1\n"].concat(), TWO),
        ("ragged.csv", b"text,label\na b,0\nc,d,1\n".to_vec(), Refused("ragged.csv:3: has 3 fields, the header has 2")),
        ("mixed.csv", b"text,label\nk\xc3\xb6,0\nk\xf6,1\n".to_vec(), Refused("mixed.csv:3: is not UTF-8")),
        ("wide.csv", wide.into_bytes(), TWO),
        ("wider.csv", b",".repeat(64 << 20), Refused("wider.csv:1: has more than 16384 fields")),
        ("wide-row.csv", [PLAIN, &b",".repeat(64 << 20)].concat(), Refused("wide-row.csv:4: has more than 16384")),
        ("long.csv", [PLAIN, &b"a".repeat(64 << 20)].concat(), Refused("long.csv:4: has more than 16777216 bytes")),
        ("text.csv", [PLAIN, &b"a".repeat(2 << 20), b",1\n"].concat(), Refused("text.csv:4: has a text of 2097152")),
        ("name.csv", [&b"a".repeat(9 << 20)[..], b",label\na b,0\n"].concat(), Refused("no column is called `text`")),
        ("lines.csv", [PLAIN, &b"\n".repeat(64 << 20)].concat(), TWO),
        ("utf16.csv", marked(), TWO),
        ("utf16-odd.csv", [&marked()[..], b"x"].concat(), Refused("utf16-odd.csv:4: is not UTF-16LE throughout")),
        ("utf16-bare.csv", utf16(&plain()), Refused("if the file is UTF-16, --encoding utf-16le")),
        (
            "utf16-lone.csv",
            [&utf16("\u{feff}text,label\na")[..], b"\0\xd8", &utf16(",0\n")].concat(),
            Refused("UTF-16LE"),
        ),
        ("utf32.csv", marked().chunks(2).flat_map(|pair| [pair, b"\0\0"].concat()).collect(), Refused("utf32.csv:1: ")),
        ("steer.csv", b"te\x1b]0;x\x07xt,\x1b[2Jlabel\na b,0\n".to_vec(), Refused("no column is called `text`")),
        ("steer-label.csv", b"text,label\na b,\x1b[31mred\n".to_vec(), Read(&[("\u{1b}[31mred", 1)])),
        (
            "digits.csv",
            b"text,label\na,18446744073709551616\nb,18446744073709551617\n".to_vec(),
            Read(&[("18446744073709551616", 1), ("18446744073709551617", 1)]),
        ),
        ("excel.csv", b"sep=;\ntext;label\na b;0\nc d;1\n".to_vec(), Refused("excel.csv:1: tells Excel the delimiter")),
        ("page.csv", b"<!DOCTYPE html>\n<p>404, not found</p>\n".to_vec(), Refused("page.csv:")),
        ("pickle.csv", b"\x80\x04\x95cos\nsystem\n".to_vec(), Refused("pickle.csv:1: is not UTF-8")),
        ("table.parquet.csv", fixture("snappy.parquet"), Refused("table.parquet.csv:1: ")),
        ("sheet.xlsx", b"PK\x03\x04".to_vec(), Refused("sheet.xlsx: is a spreadsheet; save the sheet as CSV")),
    ]);
}

#[test]
fn json_that_is_damaged_or_made_to_do_harm() {
    let row = |label: &str| format!("{{\"text\":\"a b\",\"label\":{label}}}\n").into_bytes();
    let keys: String = (0..200_000).map(|key| format!("\"k{key}\":1,")).collect();
    let many = (0..1000).map(|row| format!("{{\"k{row}\":{row},\"text\":\"a b\",\"label\":0}}\n")).collect::<String>();
    let many_rows = format!("{many}{}", "{}\n".repeat(1_000_000));
    look_at_all(vec![
        ("deep.jsonl", b"[".repeat(1_000_000), Refused("deep.jsonl:1: not a JSON object")),
        ("deep-value.jsonl", row(&format!("0,\"x\":{}", "[".repeat(1_000_000))), Refused("recursion limit")),
        ("deep.json", b"[".repeat(1_000_000), Refused("deep.json:1: is cut off")),
        ("deep-rows.json", b"[{\"text\":".repeat(500_000), Refused("deep-rows.json:1: ")),
        ("commas.json", [b"[", &b",".repeat(1_000_000)[..]].concat(), Refused("commas.json:1: has a comma")),
        ("cut.jsonl", [&row("0")[..], b"{\"text\":\"a b\",\"la"].concat(), Refused("cut.jsonl:2: not a JSON object")),
        ("cut.json", b"[{\"text\":\"a b\",\"label\":0},{\"te".to_vec(), Refused("cut.json:1: is cut off")),
        ("behind.json", b"[{\"text\":\"a b\",\"label\":0}] x".to_vec(), Refused("behind.json:1: has more behind")),
        ("blank.json", b" \n ".to_vec(), Refused("blank.json: has no rows")),
        (
            "columns.json",
            b"{\"text\":{\"0\":\"a\"},\"label\":{\"0\":1}}".to_vec(),
            Refused("is one object, with the rows"),
        ),
        ("numbers.json", b"[1,2,3]".to_vec(), Refused("numbers.json:1: not a JSON object")),
        ("twice.jsonl", row("0,\"label\":1"), Refused("twice.jsonl:1: has the key `label` twice")),
        ("lone.jsonl", b"{\"text\":\"\\ud800\",\"label\":0}\n".to_vec(), Refused("lone.jsonl:1: not a JSON object")),
        ("nul.jsonl", b"{\"text\":\"a\\u0000b\",\"label\":0}\n".to_vec(), Refused("nul.jsonl:1: has a NUL")),
        ("nan.jsonl", row("NaN"), Refused("nan.jsonl:1: not a JSON object")),
        ("infinite.jsonl", row("1e999"), Refused("infinite.jsonl:1: not a JSON object: number out of range")),
        ("digits.jsonl", row(&"9".repeat(100_000)), Refused("digits.jsonl:1: ")),
        (
            "rounded.jsonl",
            row("18446744073709551616"),
            Refused("rounded.jsonl:1: the label is a number of more digits"),
        ),
        (
            "whole.jsonl",
            [row("1"), row("1.0"), row("1e0"), row("18446744073709551615")].concat(),
            Read(&[("1", 3), ("18446744073709551615", 1)]),
        ),
        (
            "spans.jsonl",
            row("0,\"rationale\":[[0,99999999999999999999]]"),
            Refused("spans.jsonl:1: `rationale` is not"),
        ),
        ("span.jsonl", row("0,\"rationale\":[[2,1]]"), Refused("span.jsonl:1: rationale [2, 1] is not within")),
        ("long.jsonl", row(&format!("\"{}\"", "a".repeat(17 << 20))), Refused("long.jsonl:1: has more than 16777216")),
        ("keys.jsonl", format!("{{{keys}\"text\":\"a b\",\"label\":0}}\n").into_bytes(), Refused("different keys")),
        ("many.jsonl", many_rows.clone().replace("text", "t").into_bytes(), Refused("no column is called `text`")),
        ("missing.jsonl", many_rows.into_bytes(), Refused("missing.jsonl:1001: has no text")),
        ("mark.jsonl", [&b"\xef\xbb\xbf"[..], &row("0")].concat(), Read(&[("0", 1)])),
        ("utf16.jsonl", utf16("\u{feff}{\"text\":\"a b\",\"label\":0}\n"), Read(&[("0", 1)])),
        ("list.jsonl", b"[{\"text\":\"a b\",\"label\":0}]".to_vec(), Refused("list.jsonl:1: not a JSON object")),
        ("quotes.jsonl", b"{'text': 'a b', 'label': 0}\n".to_vec(), Refused("quotes.jsonl:1: not a JSON object")),
    ]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_that_are_damaged_or_made_to_do_harm() {
    let zstd = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
    let (gz, zst) = (gzip(PLAIN), zstd(PLAIN));
    let changed = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() - at;
        bytes[at] ^= 1;
        bytes
    };
    let bomb = [&b"text,label\n"[..], &b"a b,0\n".repeat(12 << 20)].concat();
    let expands = "expands to more than 200 times its size";
    look_at_all(vec![
        ("good.csv.gz", gz.clone(), TWO),
        ("parts.csv.gz", [gzip(b"text,label\na b,0\n"), gzip(b""), gzip(b"c d,1\n")].concat(), TWO),
        ("cut.csv.gz", gz[..gz.len() - 9].to_vec(), Refused("cut.csv.gz: is damaged or cut off")),
        ("start.csv.gz", gz[..5].to_vec(), Refused("start.csv.gz: is damaged or cut off")),
        ("empty.csv.gz", Vec::new(), Refused("empty.csv.gz: is damaged or cut off")),
        ("plain.csv.gz", PLAIN.to_vec(), Refused("plain.csv.gz: is damaged or cut off")),
        ("behind.csv.gz", [&gz[..], b"garbage"].concat(), Refused("behind.csv.gz: is damaged or cut off")),
        ("sum.csv.gz", changed(&gz, 6), Refused("sum.csv.gz: is damaged or cut off")),
        ("size.csv.gz", changed(&gz, 1), Refused("size.csv.gz: is damaged or cut off")),
        ("second.csv.gz", [&gz[..], &gz[..gz.len() - 3]].concat(), Refused("second.csv.gz: is damaged or cut off")),
        ("twice.csv.gz", gzip(&gz), Refused("twice.csv.gz:1: ")),
        ("parts-of-nothing.csv.gz", gzip(b"").repeat(200_000), Refused("parts-of-nothing.csv.gz: is empty")),
        ("bomb.csv.gz", gzip(&bomb), Refused(expands)),
        ("bomb.jsonl.gz", gzip(&b"{}\n".repeat(30 << 20)), Refused("bomb.jsonl.gz:")),
        ("line.jsonl.gz", gzip(&b"a".repeat(64 << 20)), Refused("line.jsonl.gz:1: has more than 16777216 bytes")),
        ("named.csv", gz, Refused("named.csv:1: ")),
        ("good.csv.zst", zst.clone(), TWO),
        ("parts.csv.zst", [zstd(b"text,label\na b,0\n"), zstd(b"c d,1\n")].concat(), TWO),
        ("cut.csv.zst", zst[..zst.len() - 5].to_vec(), Refused("cut.csv.zst: is damaged or cut off")),
        ("empty.csv.zst", Vec::new(), Refused("empty.csv.zst: is ")),
        ("plain.csv.zst", PLAIN.to_vec(), Refused("plain.csv.zst: is damaged or cut off")),
        ("behind.csv.zst", [&zst[..], b"garbage"].concat(), Refused("behind.csv.zst: is damaged or cut off")),
        ("skips.csv.zst", [b"\x50\x2a\x4d\x18\xff\xff\xff\xff", PLAIN].concat(), Refused("skips.csv.zst: is damaged")),
        ("bomb.csv.zst", zstd(&bomb), Refused(expands)),
        ("window.csv.zst", fixture("window.csv.zst"), Refused("window.csv.zst: is damaged or cut off")),
        ("line.csv.zst", fixture("bomb.csv.zst"), Refused("line.csv.zst:2: has more than 16777216 bytes")),
    ]);
}

#[test]
fn files_with_types_that_are_damaged_or_made_to_do_harm() {
    let place = Workplace::new();
    let look_at = |name: &str, bytes: &[u8], verdict: &Verdict| {
        fs::write(place.path().join(name), bytes).unwrap();
        look(&place, name, verdict);
    };
    for name in ["snappy.parquet", "zstd.parquet", "second.parquet", "file.arrow", "stream.arrow", "lz4.feather"] {
        let whole = fixture(name);
        look_at(name, &whole, &FIVE);
        look_at(name, &whole.repeat(2), &Refused("several files in one"));
        for part in 0..10 {
            look_at(name, &whole[..whole.len() * part / 10], &Refused(name));
        }
        look_at(name, &whole[..whole.len() - 1], &Refused(name));
        let mut zeros = whole.clone();
        zeros[whole.len() / 2..].fill(0);
        look_at(name, &zeros, &Refused(name));
    }
    let large = [b"PAR1", &[0xff, 0xff, 0xff, 0x7f][..], b"PAR1"].concat();
    let expands = "expands to more than 200 times its size";
    for (name, bytes, verdict) in [
        ("magic.parquet", b"PAR1PAR1".to_vec(), Refused("magic.parquet: is no Parquet file, or cut off")),
        ("footer.parquet", large, Refused("footer.parquet: is damaged: its footer is larger than the file")),
        ("secret.parquet", [&[0; 20][..], b"PARE"].concat(), Refused("secret.parquet: is encrypted")),
        ("plain.parquet", PLAIN.to_vec(), Refused("plain.parquet: is no Parquet file")),
        ("one-text.parquet", fixture("repeated.parquet"), Refused(expands)),
        ("one-list.parquet", fixture("wide.parquet"), Refused(expands)),
        ("one-text.arrow", fixture("repeated.arrow"), Refused(expands)),
        ("magic.arrow", b"ARROW1\0\0".to_vec(), Refused("magic.arrow: is no Arrow file, or cut off")),
        ("length.arrow", [[0xff; 8], [0x7f; 8]].concat(), Refused("length.arrow: ")),
        ("first.feather", fixture("first.feather"), Refused("first.feather: is Feather of version 1")),
    ] {
        look_at(name, &bytes, &verdict);
    }
}

#[test]
fn what_has_the_name_of_a_data_file_and_is_none() {
    let place = Workplace::new();
    let at = |name: &str| place.path().join(name);
    let folder = |name: &str| fs::create_dir_all(at(name)).unwrap();
    let fifo = |name: &str| assert!(Command::new("mkfifo").arg(at(name)).status().unwrap().success());
    let sparse = |name: &str, size: u64| File::create(at(name)).unwrap().set_len(size).unwrap();
    fs::write(at("good.csv"), PLAIN).unwrap();
    folder("folder.csv");
    folder("links");
    symlink("../good.csv", at("links/a.csv")).unwrap();
    folder("circle");
    symlink(".", at("circle/a.csv")).unwrap();
    symlink("itself.csv", at("itself.csv")).unwrap();
    symlink("two.csv", at("one.csv")).unwrap();
    symlink("one.csv", at("two.csv")).unwrap();
    symlink("good.csv", at("link.csv")).unwrap();
    symlink("gone.csv", at("nowhere.csv")).unwrap();
    fifo("pipe.csv");
    folder("pipes");
    fifo("pipes/a.csv");
    symlink("/dev/zero", at("zero.csv")).unwrap();
    symlink("/proc/self/mem", at("memory.csv")).unwrap();
    let _socket = UnixListener::bind(at("socket.csv")).unwrap();
    folder(&format!("deep/{}", "d/".repeat(100)));
    folder("many");
    (0..10_001).for_each(|file| drop(File::create(at(&format!("many/{file}.csv"))).unwrap()));
    for name in ["holes.csv", "holes.jsonl", "holes.parquet", "holes.arrow", "holes.csv.gz", "holes.csv.zst"] {
        sparse(name, 1 << 30);
    }
    sparse("large.csv", 5 << 30);
    let unnamed = "no\x1b[2J\n.csv";
    for (name, verdict) in [
        ("link.csv", TWO),
        ("folder.csv", Refused("folder.csv: is a folder without data files")),
        ("links", Refused("links/a.csv: is a link, which is not followed here")),
        ("circle", Refused("circle/a.csv: is a link, which is not followed here")),
        ("circle/a.csv/a.csv/a.csv", Refused("is a link, which is not followed here")),
        ("circle/*/*/*.csv", Refused("circle/")),
        ("itself.csv", Refused("itself.csv: is a link, which is not followed here")),
        ("one.csv", Refused("one.csv: is a link, which is not followed here")),
        ("nowhere.csv", Refused("nowhere.csv: ")),
        ("pipe.csv", Refused("pipe.csv: is no regular file")),
        ("pipes", Refused("pipes/a.csv: is no regular file")),
        ("zero.csv", Refused("zero.csv: is no regular file")),
        ("memory.csv", Refused("memory.csv: ")),
        ("socket.csv", Refused("socket.csv: ")),
        ("deep", Refused("deep: is a folder without data files")),
        ("many", Refused("many: has 10001 files; 10000 at most are read")),
        ("holes.csv", Refused("holes.csv:1: field 1 has a NUL")),
        ("holes.jsonl", Refused("holes.jsonl:1: has more than 16777216 bytes")),
        ("holes.parquet", Refused("holes.parquet: is no Parquet file")),
        ("holes.arrow", Refused("holes.arrow: ")),
        ("holes.csv.gz", Refused("holes.csv.gz: is damaged or cut off")),
        ("holes.csv.zst", Refused("holes.csv.zst: is damaged or cut off")),
        ("large.csv", Refused("large.csv: is larger than 4 GiB")),
        ("gone.csv", Refused("gone.csv: ")),
        ("*.nothing", Refused("*.nothing")),
        (unnamed, Refused(".csv: ")),
    ] {
        look(&place, name, &verdict);
    }
}

/// Trains on `name`, which must fail with one line at last that has `part`.
fn assert_not_trained(place: &Workplace, name: &str, part: &str) {
    let output = place.output(place.train(&["--headless", "--json", "--max-steps", "1", "--train", name]));
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{name}: {told}");
    assert_line(name, told.lines().last().unwrap_or_default(), part);
    assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{name}: {told}");
    assert!(!place.run().root().exists(), "{name}: a run folder was left behind");
}

/// In a training the rows are read by the worker, for which memory is not bounded here: libtorch takes more by itself.
#[test]
fn nothing_is_trained_on_what_is_refused() {
    let place = Workplace::new();
    let cut = |name: &str| fixture(name)[..fixture(name).len() / 2].to_vec();
    let gz = gzip(PLAIN);
    let files = [
        ("open.csv", b"text,label\n\"a b,0\nc d,1\n".to_vec(), "open.csv:2: the quote"),
        ("wide.csv", b",".repeat(64 << 20), "wide.csv:1: has more than 16384 fields"),
        ("steer.tsv", b"\x1b[2J\t\x9b\n".to_vec(), "steer.tsv:1: is not UTF-8"),
        ("cut.jsonl", b"{\"text\":\"a b\",\"la".to_vec(), "cut.jsonl:1: not a JSON object"),
        ("deep.json", b"[".repeat(1_000_000), "deep.json:1: is cut off"),
        ("cut.csv.gz", gz[..gz.len() - 9].to_vec(), "cut.csv.gz: is damaged or cut off"),
        ("bomb.jsonl.gz", gzip(&b"a".repeat(64 << 20)), "bomb.jsonl.gz:1: has more than"),
        ("window.csv.zst", fixture("window.csv.zst"), "window.csv.zst: is damaged or cut off"),
        ("cut.parquet", cut("snappy.parquet"), "cut.parquet: is no Parquet file, or cut off"),
        ("cut.arrow", cut("stream.arrow"), "cut.arrow: is cut off"),
        ("bomb.arrow", fixture("repeated.arrow"), "expands to more than 200 times its size"),
    ];
    for (name, bytes, part) in files {
        fs::write(place.path().join(name), bytes).unwrap();
        assert_not_trained(&place, name, part);
    }
    assert!(Command::new("mkfifo").arg(place.path().join("pipe.csv")).status().unwrap().success());
    assert_not_trained(&place, "pipe.csv", "pipe.csv: is no regular file");
    symlink("itself.csv", place.path().join("itself.csv")).unwrap();
    assert_not_trained(&place, "itself.csv", "itself.csv: is a link");
    assert_no_workers(&place);
}

fn assert_no_workers(place: &Workplace) {
    let here = |folder: &Path| fs::read_link(folder.join("cwd")).is_ok_and(|cwd| cwd == place.path());
    wait_until("the workers to leave", || {
        !fs::read_dir("/proc").unwrap().flatten().any(|process| here(&process.path()))
    });
}
