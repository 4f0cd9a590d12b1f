//! Commands that remove, end or replace something do so to what was named exactly, and to nothing that is somebody else's.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pellucid_record::lock::Lock;
use pellucid_record::{RunDir, runs};

use crate::program::{Workplace, data, program, text};

/// All that is below a folder, with its content: that of a file, where a link leads to.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let content = if kind.is_symlink() {
            format!("to {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_fifo() {
            "pipe".to_owned()
        } else if kind.is_dir() {
            all.extend(tree(&path));
            "folder".to_owned()
        } else {
            format!("{:?}", fs::read(&path).unwrap())
        };
        all.insert(path, content);
    }
    all
}

/// Run folders of these names, with a log that is empty.
fn with_runs(names: &[&str]) -> Workplace {
    let place = Workplace::new();
    for name in names {
        let root = place.runs().join(name);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("events.jsonl"), "").unwrap();
    }
    place
}

/// The exit code, and the one line of the error.
fn failed(place: &Workplace, args: &[&str]) -> (Option<i32>, String) {
    let output = place.output(args);
    let told = text(&output.stderr);
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{args:?}: {told}");
    (output.status.code(), errors[0].to_owned())
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn no_empty_name_and_no_part_of_one_removes_or_ends_a_run() {
    let place = with_runs(&["alpha", "alphabet", "beta"]);
    // As somebody may have it who once worked in the folder itself.
    fs::write(place.runs().join("events.jsonl"), "").unwrap();
    let before = tree(place.path());
    let id = RunDir::new(place.runs().join("beta")).id();
    for name in ["", " ", "\t", ".", "..", "./", "runs", "runs/", "runs/.", "runs/alpha/..", "/", "alph", "bet"] {
        for args in
            [&["rm", "--yes", name][..], &["rm", "--yes", "alpha", name], &["rm", "-y", name, "beta"], &["stop", name]]
        {
            let (code, told) = failed(&place, args);
            assert_eq!(code, Some(2), "{args:?}: {told}");
            assert_eq!(tree(place.path()), before, "{args:?}");
        }
    }
    for name in ["alpha", &id[..3], "gamma", "runs/gamma"] {
        if name != "alpha" {
            assert_eq!(failed(&place, &["rm", "--yes", "beta", name]).0, Some(1), "{name}");
        }
        assert_eq!(tree(place.path()), before, "{name}");
    }
    assert!(failed(&place, &["rm", "--yes", "alph"]).1.contains("part of alpha, alphabet; write the whole name"));
}

#[test]
fn an_empty_name_is_not_the_newest_run_for_commands_that_look_either() {
    let place = with_runs(&["alpha", "beta"]);
    let before = tree(place.path());
    for args in [
        &["attach", ""][..],
        &["replay", ""],
        &["export", ""],
        &["report", ""],
        &["resume", ""],
        &["resume", "--headless", " "],
        &["compare", "alpha", ""],
        &["frontier", ""],
        &["screenshot", "", "--out", "picture.svg"],
        &["screenshot", "alpha", "--beside", "", "--out", "picture.svg"],
        &["report", "alpha", "--out", ""],
    ] {
        let (code, told) = failed(&place, args);
        assert_eq!(code, Some(2), "{args:?}: {told}");
        assert_eq!(tree(place.path()), before, "{args:?}");
    }
    assert_eq!(place.output(["export", "bet"]).status.code(), Some(0), "a part of a name is enough to look");
    assert_eq!(place.output(["export"]).status.code(), Some(0), "and so is none");
}

#[test]
fn a_run_that_is_named_in_several_ways_is_removed_once_and_its_neighbours_stay() {
    let place = with_runs(&["alpha", "beta"]);
    let alpha = RunDir::new(place.runs().join("alpha"));
    fs::write(place.runs().join("notes.txt"), "precious").unwrap();
    let mut wanted = tree(place.path());
    wanted.retain(|path, _| !path.starts_with(alpha.root()));
    let ids = runs::short_ids(&runs::list(&place.runs()).unwrap());
    let removed = place.output(["rm", "--yes", "alpha", "runs/alpha", "runs/alpha/", &ids[0], "alpha"]);
    let told = text(&removed.stderr);
    assert_eq!((removed.status.code(), told.trim()), (Some(0), "removed alpha"));
    assert_eq!(tree(place.path()), wanted);
}

#[test]
fn nothing_is_removed_when_one_of_the_runs_may_not_be() {
    let place = with_runs(&["alpha", "beta", "gamma"]);
    let beta = RunDir::new(place.runs().join("beta"));
    let held = Lock::take(&beta, Duration::ZERO).unwrap();
    let (code, told) = failed(&place, &["rm", "--yes", "alpha", "beta", "gamma"]);
    assert!(code == Some(1) && told.contains("beta: ") && told.contains("nothing was removed"), "{told}");
    drop(held);
    let names = runs::list(&place.runs()).unwrap().iter().map(RunDir::name).collect::<Vec<_>>();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(place.output(["rm", "--yes", "alpha", "beta", "gamma"]).status.code(), Some(0));
    assert_eq!(tree(&place.runs()), BTreeMap::new());
}

#[test]
fn all_of_a_run_goes_and_what_others_put_there_stays() {
    let place = Workplace::new();
    let run = place.run();
    let flags = ["--headless", "--max-steps", "80", "--eval-every", "100", "--probe", "0"];
    assert_eq!(place.output(place.train(&flags)).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    assert!(run.root().join("events.columns").is_file(), "a run of so many steps has them");
    assert_eq!(place.output(["report", "test", "--explain", "0"]).status.code(), Some(0));
    assert_eq!(place.output(["report", "test", "--explain", "0"]).status.code(), Some(0), "it replaces itself");
    let copy = RunDir::new(place.runs().join("copy"));
    assert!(Command::new("cp").arg("-a").args([run.root(), copy.root()]).status().unwrap().success());

    let foreign = ["notes.txt", "run.toml.old", "checkpoints/last/notes.txt", "predictions/mine", "checkpoints/mine"];
    for name in foreign {
        fs::write(copy.root().join(name), "precious").unwrap();
    }
    fs::write(copy.root().join("report.md"), "# My own\n").unwrap();
    let removed = place.output(["rm", "--yes", "test", "copy"]);
    let told = text(&removed.stderr);
    assert_eq!(removed.status.code(), Some(0), "{told}");
    assert!(
        told.contains("removed test\n")
            && told.contains("removed copy; its folder stays, because it holds other files"),
        "{told}"
    );
    assert!(!run.root().exists());
    let left: Vec<_> = tree(copy.root()).into_iter().filter(|(_, content)| content != "folder").collect();
    assert_eq!(left.len(), foreign.len() + 1, "{left:?}");
}

#[test]
fn a_model_folder_is_written_over_nothing_of_others() {
    let place = Workplace::new();
    let at = |name: &str| place.path().join(name);
    for name in ["out", "out.old", "out.partial", "model"] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("precious"), name).unwrap();
    }
    symlink(at("out"), at("link")).unwrap();
    make_pipe(&at("pipe"));
    let before = tree(place.path());
    let worker = |args: &[&str]| -> Output {
        Command::new(program("pellucid-worker"))
            .args(args)
            .current_dir(place.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let model = data().join("models/teacher").display().to_string();
    for out in ["out", "link", "pipe", "out/precious", "..", model.as_str()] {
        for args in [&["pretrain", "--model", &model, "--texts", "none", "--out", out][..], &["halve", &model, out]] {
            let output = worker(args);
            let told = text(&output.stderr);
            assert!(output.status.code() == Some(1) && told.lines().count() == 1, "{args:?}: {told}");
            assert!(!told.contains("none:"), "it is said before anything is read: {told}");
        }
    }
    assert_eq!(tree(place.path()), before);
    fs::remove_file(at("out/precious")).unwrap();
    for out in ["out", "new", "out"] {
        let output = worker(&["halve", &model, out]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let marked = fs::read_to_string(at("out/pellucid.json")).unwrap();
    assert!(marked.contains("\"written_by\":\"pellucid "), "{marked}");
    let refused = worker(&["halve", "out", "out"]);
    assert!(text(&refused.stderr).contains("is the model that is read"), "{}", text(&refused.stderr));
    let mut after = tree(place.path());
    after.retain(|path, _| !path.starts_with(at("out")) && !path.starts_with(at("new")));
    let mut wanted = before;
    wanted.retain(|path, _| !path.starts_with(at("out")));
    assert_eq!(after, wanted, "and nothing temporary is left");
}

#[test]
fn an_output_replaces_a_file_and_nothing_else_and_no_input() {
    let place = Workplace::new();
    let at = |name: &str| place.path().join(name);
    let model = at("model");
    assert!(
        Command::new("cp").arg("-a").args([data().join("models/teacher"), model.clone()]).status().unwrap().success()
    );
    fs::write(at("texts.csv"), "text\na fine day\n").unwrap();
    fs::write(at("other"), "precious").unwrap();
    fs::write(at("out.partial"), "precious").unwrap();
    fs::hard_link(at("texts.csv"), at("twin.csv")).unwrap();
    symlink(at("other"), at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    make_pipe(&at("pipe"));
    let before = tree(place.path());
    let explain = |out: &str| {
        let args = ["explain", "--method", "grad", "--model", "model", "--data", "texts.csv", "--out", out];
        place.output(args)
    };
    for (out, part) in [
        ("texts.csv", "is read and written by this command"),
        ("twin.csv", "is the same file as"),
        ("model/config.json", "is read and written by this command"),
        ("link", "is a link"),
        ("folder", "is a folder"),
        ("pipe", "is no regular file"),
        ("/dev/null", "is no regular file"),
        ("nowhere/out", "nowhere/out: No such file"),
    ] {
        let output = explain(out);
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(1) && told.contains(part) && told.lines().count() == 1, "{out}: {told}");
        assert_eq!(tree(place.path()), before, "{out}");
    }
    for _twice in 0..2 {
        assert!(explain("out").status.success());
        let mut after = tree(place.path());
        assert!(after.remove(&at("out")).unwrap().len() > 100);
        assert_eq!(after, before);
    }
}

#[test]
fn no_picture_and_no_report_is_written_over_a_record() {
    let place = Workplace::new();
    assert_eq!(place.output(place.train(&["--headless", "--max-steps", "4", "--probe", "0"])).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    let log = place.run().events();
    fs::write(place.run().root().join("report.md"), "my own\n").unwrap();
    let before = tree(place.path());
    let (code, told) = failed(&place, &["screenshot", "test", "--out", log.to_str().unwrap()]);
    assert!(code == Some(1) && told.contains("is read and written"), "{told}");
    let (code, told) = failed(&place, &["report", "test", "--explain", "0"]);
    assert!(code == Some(1) && told.contains("report.md: pellucid has not written"), "{told}");
    assert_eq!(tree(place.path()), before);
}
