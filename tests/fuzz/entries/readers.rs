//! What comes from outside to the plain readers: log lines, frames of the socket, settings, and text of any kind.

use std::fs;

use pellucid_protocol::launch::LaunchLine;
use pellucid_protocol::scrub::{escape_json, scrub};
use pellucid_protocol::work::Work;
use pellucid_protocol::{Event, Prediction, RawSettings, Record, Sample, Settings, ToClient, ToWorker};
use pellucid_record::lock::Lock;
use pellucid_record::log::line;
use pellucid_record::log::reader::{LogReader, Piece};
use pellucid_record::log::version;
use pellucid_record::log::writer::LogWriter;
use pellucid_record::runs;
use pellucid_record::settings_file;
use pellucid_record::worker_info::WorkerInfo;
use pellucid_record::{RunDir, RunSummary};
use serde_json::Value;

use super::file::{file, folder};

/// A log of any bytes opens, and takes a record that is then read last.
pub(crate) fn log(bytes: &[u8]) {
    let path = file("events.jsonl", bytes);
    let mut reader = LogReader::new(&path);
    let found = reader.read_new().unwrap();
    let before = found.len();
    let _ = reader.damage().message(&path);
    // The reader that is fast on steps finds the same.
    let pieces = LogReader::new(&path).read_pieces(u64::MAX).unwrap();
    let quick: Vec<Record> = pieces.into_iter().flat_map(Piece::into_records).collect();
    // As text: numbers that are none are not equal to themselves.
    assert_eq!(serde_json::to_string(&quick).unwrap(), serde_json::to_string(&found).unwrap());
    // Nothing is appended where a later version has written.
    assert_eq!(version::later(&path).unwrap().is_some(), reader.later().is_some());
    let Ok(mut writer) = LogWriter::open(&path) else {
        assert!(reader.later().is_some_and(|told| told.contains("later version")) && fs::read(&path).unwrap() == bytes);
        return;
    };
    let last = Record { time: 1.0, event: serde_json::from_str::<Event>(STEP).unwrap() };
    writer.append(&last).unwrap();
    let after = LogReader::new(&path).read_new().unwrap();
    assert!(after.len() > before && after.last() == Some(&last));
    bytes.split(|&byte| byte == b'\n').for_each(|line| {
        let _ = line::check(line);
    });
}

const STEP: &str = r#"{"event":"step","step":7,"epoch":0.5,"metrics":{"loss/total":0.5}}"#;

/// What is read of a frame is written and read again as the same.
pub(crate) fn frame(bytes: &[u8]) {
    again::<ToWorker>(bytes);
    again::<ToClient>(bytes);
    again::<LaunchLine>(bytes);
    again::<Work>(bytes);
    again::<WorkerInfo>(bytes);
    again::<Sample>(bytes);
    again::<Prediction>(bytes);
}

fn again<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let text = serde_json::to_string(&value).unwrap();
    let back = serde_json::to_string(&serde_json::from_str::<T>(&text).unwrap()).unwrap();
    assert_eq!(back, text);
}

/// A settings file is read, or refused in one line.
pub(crate) fn settings(bytes: &[u8]) {
    let path = file("run.toml", bytes);
    match settings_file::read(&path).map(RawSettings::check) {
        Ok(Ok(settings)) => {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
        }
        Ok(Err(error)) | Err(error) => drop(error.to_string()),
    }
    let _ = std::str::from_utf8(bytes).map(toml::from_str::<Settings>);
}

/// Whatever a text is, nothing of what is shown of it steers, and JSON keeps its value.
pub(crate) fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let clean = scrub(&text);
    assert_eq!(clean.chars().count(), text.chars().count());
    assert!(!clean.contains(char::is_control) && scrub(&clean) == clean);
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let safe = escape_json(&text).into_owned();
        assert_eq!(serde_json::from_str::<Value>(&safe).unwrap(), value);
    }
    let json = serde_json::to_string(&text).unwrap();
    assert!(scrub(&escape_json(&json)).chars().eq(escape_json(&json).chars()) || bytes.len() > 10);
}

/// A run folder whose files hold anything is listed and summed up, and nothing in it is locked or changed by that.
pub(crate) fn run(bytes: &[u8]) {
    let names = ["worker.json", "worker.lock", "samples.jsonl", "run.toml", "events.jsonl"];
    let parts: Vec<&[u8]> = bytes.splitn(names.len(), |&byte| byte == 0xff).collect();
    let place = |name: &str| folder().join("run").join(name);
    fs::create_dir_all(folder().join("run")).unwrap();
    for (index, name) in names.into_iter().enumerate() {
        fs::write(place(name), parts.get(index).copied().unwrap_or_default()).unwrap();
    }
    let run = RunDir::new(folder().join("run"));
    assert!(runs::list(&folder()).unwrap().contains(&run));
    let told = (RunSummary::read(&run).unwrap(), RunSummary::read_whole(&run).unwrap());
    assert_eq!(told.0.step, told.1.step);
    let _ = (run.worker_info().map(|info| info.state(&run)), Lock::last_owner(&run), run.read_samples());
    assert!(!Lock::is_held(&run));
    assert_eq!(fs::read(place("worker.lock")).unwrap(), parts.get(1).copied().unwrap_or_default());
}
