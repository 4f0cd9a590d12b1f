//! The demo: fine-tunes the small student model that comes with pellucid, with its teacher, on a data set of `data/`.

use std::env;
use std::path::{Path, PathBuf};

use pellucid_client::failure::Failure;
use pellucid_protocol::RawSettings;

use crate::cli::train::DemoSet;

/// The environment variable that names the data folder, if it is neither here nor in the checkout of the program.
pub(crate) const VARIABLE: &str = "PELLUCID_DATA";

/// The settings of the demo on `set`, with the files in `data`: long enough to watch, done in a minute or two.
#[must_use]
pub(crate) fn settings(set: DemoSet, data: &Path) -> RawSettings {
    let folder = data.join(name(set));
    let teacher = match set {
        DemoSet::Triage => "teacher",
        DemoSet::Credit => "teacher-credit",
        DemoSet::Clauses => "teacher-clauses",
    };
    RawSettings {
        model: Some(data.join("models/student").into()),
        teacher: Some(data.join("models").join(teacher).into()),
        train: Some(folder.join("train.jsonl")),
        valid: Some(folder.join("valid.jsonl").into()),
        epochs: Some(48),
        batch_size: Some(32),
        lr: Some(1e-3),
        l1: Some(5e-5),
        kd_alpha: Some(0.7),
        kd_temperature: Some(2.0),
        eval_every: Some(50),
        ..RawSettings::default()
    }
}

fn name(set: DemoSet) -> &'static str {
    match set {
        DemoSet::Triage => "triage",
        DemoSet::Credit => "credit",
        DemoSet::Clauses => "clauses",
    }
}

/// The data folder: the one that `PELLUCID_DATA` names, else `./data`, else that in the checkout of the program.
///
/// # Errors
/// When there is no such folder.
pub(crate) fn data_folder() -> Result<PathBuf, Failure> {
    let program = env::current_exe().and_then(|exe| exe.canonicalize()).ok();
    search(env::var_os(VARIABLE).map(PathBuf::from), Path::new("data"), program.as_deref())
}

fn search(named: Option<PathBuf>, here: &Path, program: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        let missing =
            || Failure::Failed(format!("{VARIABLE} names {}, which holds no demo data; correct it", named.display()));
        return holds_data(&named).then(|| named.clone()).ok_or_else(missing);
    }
    // target/release/pellucid and target/<platform>/release/pellucid lie below the checkout.
    let above = program.into_iter().flat_map(Path::ancestors).skip(1).take(4).map(|folder| folder.join("data"));
    let found = std::iter::once(here.to_owned()).chain(above).find(|folder| holds_data(folder));
    found.ok_or_else(|| {
        Failure::Failed(format!(
            "no demo data in ./data or beside the program; run the demo in a checkout, or name the folder in {VARIABLE}"
        ))
    })
}

fn holds_data(folder: &Path) -> bool {
    folder.join("models").is_dir() && folder.join(name(DemoSet::Triage)).join("train.jsonl").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_data(folder: &Path) -> PathBuf {
        let data = folder.join("data");
        std::fs::create_dir_all(data.join("models")).unwrap();
        std::fs::create_dir_all(data.join("triage")).unwrap();
        std::fs::write(data.join("triage/train.jsonl"), "").unwrap();
        data
    }

    #[test]
    fn the_data_is_found_from_the_program() {
        let checkout = tempfile::tempdir().unwrap();
        let data = with_data(checkout.path());
        for program in ["target/release/pellucid", "target/some-platform/release/pellucid"] {
            let program = checkout.path().join(program);
            assert_eq!(search(None, Path::new("nowhere"), Some(&program)).unwrap(), data);
        }
        assert_eq!(search(Some(data.clone()), Path::new("nowhere"), None).unwrap(), data);
    }

    #[test]
    fn missing_data_is_one_line_that_says_what_to_do() {
        let message = search(None, Path::new("nowhere"), None).unwrap_err().to_string();
        assert!(message.contains(VARIABLE) && !message.contains('\n'), "{message}");
        assert!(search(Some("nowhere".into()), Path::new("data"), None).is_err());
    }

    #[test]
    fn each_demo_makes_sense_and_has_its_own_teacher() {
        let teachers = [DemoSet::Triage, DemoSet::Credit, DemoSet::Clauses].map(|set| {
            let settings = settings(set, Path::new("data")).check().unwrap();
            assert!(settings.run_dir.to_string_lossy().ends_with(name(set)));
            settings.teacher.unwrap().file_name().unwrap().to_owned()
        });
        assert_eq!(teachers, ["teacher", "teacher-credit", "teacher-clauses"]);
    }
}
