//! One run, one folder, one worker: claimed folders, checkpoints that say what they are, and files that are no files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pellucid_protocol::Event;
use pellucid_protocol::event::Started;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_record::runs;
use pellucid_tests::last_numbers;

use crate::program::{Workplace, data, is_step, signal, text, wait_until};

const SMALL: [&str; 9] =
    ["--headless", "--max-steps", "12", "--eval-every", "6", "--checkpoint-every", "4", "--probe", "0"];

fn starts(run: &RunDir) -> Vec<Started> {
    let records = LogReader::new(&run.events()).read_new().unwrap();
    let start = |event| if let Event::Started(started) = event { Some(*started) } else { None };
    records.into_iter().filter_map(|record| start(record.event)).collect()
}

fn steps(run: &RunDir) -> Vec<u64> {
    let records = LogReader::new(&run.events()).read_new().unwrap();
    let step = |event| if let Event::Step(step) = event { Some(step.step) } else { None };
    records.into_iter().filter_map(|record| step(record.event)).collect()
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Removes an argument with its value.
fn without(mut args: Vec<String>, flag: &str) -> Vec<String> {
    let at = args.iter().position(|arg| arg == flag).unwrap();
    args.drain(at..at + 2);
    args
}

/// All files below `folder`, with what they hold.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(tree(&entry.path())),
            kind if kind.is_file() => found.push((entry.path(), fs::read(entry.path()).unwrap())),
            _ => found.push((entry.path(), Vec::new())),
        }
    }
    found.sort();
    found
}

#[test]
fn of_trainings_in_one_folder_one_trains_and_the_others_touch_nothing() {
    let place = Workplace::new();
    let seeds = ["1", "2", "3"];
    let children: Vec<Child> = seeds
        .iter()
        .map(|seed| spawn(place.pellucid(place.train(&[SMALL.as_slice(), &["--seed", seed]].concat()))))
        .collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let codes: Vec<_> = outputs.iter().map(|output| output.status.code()).collect();
    let winners: Vec<usize> = (0..seeds.len()).filter(|&index| codes[index] == Some(0)).collect();
    assert_eq!(winners.len(), 1, "{codes:?}");
    let started = starts(&place.run());
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].settings.seed.to_string(), seeds[winners[0]]);
    assert!(fs::read_to_string(place.run().settings()).unwrap().contains(&format!("seed = {}\n", seeds[winners[0]])));
    assert_eq!(steps(&place.run()), (1..=12).collect::<Vec<_>>());
    for index in (0..seeds.len()).filter(|index| !winners.contains(index)) {
        assert_eq!(codes[index], Some(1));
        let told = text(&outputs[index].stderr);
        assert!(told.contains("another worker") || told.contains("already holds a run"), "{told}");
    }
}

#[test]
fn runs_that_begin_in_the_same_second_get_names_of_their_own() {
    let place = Workplace::new();
    let arguments = without(place.train(&SMALL), "--run-dir");
    let children: Vec<Child> = (0..4).map(|_| spawn(place.pellucid(&arguments))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let all = runs::list(&place.runs()).unwrap();
    assert_eq!(all.len(), 4);
    for run in &all {
        assert_eq!((starts(run).len(), steps(run)), (1, (1..=12).collect::<Vec<_>>()));
    }
}

#[test]
fn a_run_that_cannot_start_leaves_nothing_behind() {
    let place = Workplace::new();
    let wrong = [SMALL.as_slice(), &["--train", "nowhere.jsonl"]].concat();
    assert_eq!(place.output(place.train(&wrong)).status.code(), Some(1));
    assert_eq!(place.output(without(place.train(&wrong), "--run-dir")).status.code(), Some(1));
    assert_eq!(fs::read_dir(place.runs()).map_or(0, |entries| entries.count()), 0);
}

#[test]
fn files_of_the_user_are_never_taken_for_those_of_a_run() {
    let place = Workplace::new();
    for name in ["samples.jsonl", "run.toml", "view.toml", "worker.log"] {
        let folder = place.path().join(name).with_extension("d");
        fs::create_dir(&folder).unwrap();
        fs::copy(data().join("triage/train.jsonl"), folder.join(name)).unwrap();
        let before = tree(&folder);
        let output = place.output(place.train(&[SMALL.as_slice(), &["--run-dir", folder.to_str().unwrap()]].concat()));
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(name) && tree(&folder) == before, "{}", text(&output.stderr));
    }
    let folder = place.run();
    fs::create_dir_all(folder.root().join("checkpoints/step-000012")).unwrap();
    let output = place.output(place.train(&SMALL));
    assert_eq!(output.status.code(), Some(1), "checkpoints without a log are of another run");
}

/// A copy of the student, which a test may take away.
fn own_model(place: &Workplace) -> PathBuf {
    let model = place.path().join("model");
    fs::create_dir(&model).unwrap();
    for entry in fs::read_dir(data().join("models/student")).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    model
}

#[test]
fn checkpoints_are_whole_though_the_model_folder_is_gone() {
    let place = Workplace::new();
    let model = own_model(&place);
    let flags = ["--headless", "--max-steps", "100000", "--checkpoint-every", "5", "--probe", "0", "--model"];
    let mut child = spawn(place.pellucid(place.train(&[flags.as_slice(), &[model.to_str().unwrap()]].concat())));
    place.wait_for_event("a step", is_step);
    fs::remove_dir_all(&model).unwrap();
    place.wait_for_event(
        "a later checkpoint",
        |event| matches!(event, Event::Checkpoint(checkpoint) if checkpoint.step >= 20),
    );
    signal("KILL", place.run().worker_info().unwrap().owner.pid);
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    let last = place.run().root().join("checkpoints/last");
    let predicted = place.output(["predict", "--model", last.to_str().unwrap(), "--text", "chest pain"]);
    assert_eq!(predicted.status.code(), Some(0), "{}", text(&predicted.stderr));

    let before = steps(&place.run()).len();
    let mut again = spawn(place.pellucid(["resume", place.run().root().to_str().unwrap(), "--headless"]));
    wait_until("steps of the run that goes on", || steps(&place.run()).len() > before);
    signal("INT", again.id());
    assert!(again.wait().is_ok());
    let resumed = starts(&place.run()).last().and_then(|started| started.resumed);
    assert!(resumed.is_some_and(|step| step >= 20), "from where it was said to go on: {resumed:?}");
}

#[test]
fn a_tokenizer_that_no_checkpoint_could_have_is_refused_before_the_first_step() {
    let place = Workplace::new();
    let model = own_model(&place);
    fs::write(place.path().join("added_tokens.json"), "x").unwrap();
    symlink("../added_tokens.json", model.join("added_tokens.json")).unwrap();
    let output = place.output(place.train(&[SMALL.as_slice(), &["--model", model.to_str().unwrap()]].concat()));
    let told = text(&output.stderr);
    assert!(
        output.status.code() == Some(1) && told.contains("added_tokens.json: leads out of the model folder"),
        "{told}"
    );
    assert!(!place.run().root().exists());
}

/// Accuracy of the weights in `folder` on the validation set, as `predict` says it.
fn accuracy(place: &Workplace, folder: &Path) -> String {
    let valid = data().join("triage/valid.jsonl");
    let args = ["predict", "--model", folder.to_str().unwrap(), "--data", valid.to_str().unwrap()];
    let output = place.output(args);
    let told = text(&output.stderr);
    let at = told.find("accuracy ").unwrap_or_else(|| panic!("{told}"));
    told[at + 9..at + 15].to_owned()
}

#[test]
fn the_best_checkpoint_has_the_weights_that_were_measured_also_after_a_changed_rate() {
    let place = Workplace::new();
    let flags = ["--headless", "--max-steps", "60", "--eval-every", "10", "--checkpoint-every", "25", "--probe", "0"];
    let mut child = spawn(place.pellucid(place.train(&[flags.as_slice(), &["--lr", "2e-3"]].concat())));
    place.wait_for_event(
        "an evaluation after a checkpoint",
        |event| matches!(event, Event::Eval(eval) if eval.step >= 40),
    );
    signal("KILL", place.run().worker_info().unwrap().owner.pid);
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    let settings = fs::read_to_string(place.run().settings()).unwrap();
    fs::write(place.run().settings(), settings.replace("lr = 0.002", "lr = 0.0004")).unwrap();
    let output = place.output(["resume", place.run().root().to_str().unwrap(), "--headless"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let numbers = last_numbers(&place.run());
    let best = place.run().root().join("checkpoints/best");
    let target = fs::read_link(&best).unwrap();
    let step: u64 = target.to_str().unwrap().trim_start_matches("step-").parse().unwrap();
    let measured = numbers[&(step, "valid/accuracy".to_owned())];
    assert_eq!(accuracy(&place, &best), format!("{measured:.4}"), "at step {step}");
}

#[test]
fn a_checkpoint_of_another_run_is_passed_over() {
    foreign_checkpoint_is_passed_over(&[]);
    foreign_checkpoint_is_passed_over(&["pellucid.json"]);
}

/// With a checkpoint of another run that lacks the files `removed`.
fn foreign_checkpoint_is_passed_over(removed: &[&str]) {
    let (place, other) = (Workplace::new(), Workplace::new());
    for (at, seed) in [(&place, "1"), (&other, "2")] {
        assert_eq!(at.output(at.train(&[SMALL.as_slice(), &["--seed", seed]].concat())).status.code(), Some(0));
        at.wait_for_worker_to_leave();
    }
    let checkpoint = |place: &Workplace, step: u64| place.run().root().join(format!("checkpoints/step-{step:06}"));
    for entry in fs::read_dir(checkpoint(&other, 12)).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), checkpoint(&place, 12).join(entry.file_name())).unwrap();
    }
    removed.iter().for_each(|name| fs::remove_file(checkpoint(&place, 12).join(name)).unwrap());
    // As if it had not ended.
    let log = fs::read(place.run().events()).unwrap();
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    fs::write(place.run().events(), lines[..lines.len() - 1].concat()).unwrap();
    let again = place.output(["resume", place.run().root().to_str().unwrap(), "--headless"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let last = starts(&place.run()).pop().unwrap();
    assert_eq!(last.resumed, Some(8), "the newest that is of this run");
}

#[test]
fn pipes_and_links_in_the_place_of_files_stop_nobody_and_harm_nothing() {
    let place = Workplace::new();
    assert_eq!(place.output(place.train(&SMALL)).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    let run = place.run();
    let precious = place.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let name = run.root().display().to_string();
    for planted in ["pipe", "link"] {
        for file in ["events.columns", "worker.log", "samples.jsonl", "worker.json", "view.toml"] {
            let path = run.root().join(file);
            let _ = fs::remove_file(&path);
            match planted {
                "pipe" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
                _ => symlink(&precious, &path).unwrap(),
            }
        }
        let commands: [&[&str]; 5] = [
            &["export", &name],
            &["report", &name, "--explain", "0"],
            &["runs"],
            &["resume", &name, "--headless"],
            &["compare", &name, &name],
        ];
        for args in commands {
            let mut child = spawn(place.pellucid(args));
            wait_until(&format!("{args:?} with a {planted}"), || child.try_wait().unwrap().is_some());
        }
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
    }
}

#[test]
fn a_link_in_a_checkpoint_empties_no_foreign_file() {
    let place = Workplace::new();
    let mut child = spawn(place.pellucid(place.train(&[
        "--headless",
        "--max-steps",
        "100000",
        "--checkpoint-every",
        "5",
        "--probe",
        "0",
    ])));
    place.wait_for_event("a checkpoint", |event| matches!(event, Event::Checkpoint(_)));
    signal("INT", child.id());
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    let precious = place.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let last = place
        .run()
        .root()
        .join("checkpoints")
        .join(fs::read_link(place.run().root().join("checkpoints/last")).unwrap());
    symlink(&precious, last.join("requested")).unwrap();
    let again = place.output(["resume", place.run().root().to_str().unwrap(), "--headless"]);
    assert!(text(&again.stderr).contains("requested"), "{}", text(&again.stderr));
    assert_eq!((again.status.code(), fs::read(&precious).unwrap()), (Some(1), b"precious".to_vec()));
}
