//! The folders of runs and sockets: who can read them, how much space is left, and on what kind of file system they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pellucid_protocol::paste::quoted_path;
use pellucid_record::socket::{self, SocketPlace};
use pellucid_record::{RunDir, runs};
use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;

/// Free bytes that are enough for a run with its checkpoints.
const ROOMY: u64 = 4 << 30;
/// Free bytes without which no run begins.
const TIGHT: u64 = 256 << 20;

pub(super) fn findings(runs: &Path) -> Vec<Finding> {
    let runs = std::path::absolute(runs).unwrap_or_else(|_| runs.to_owned());
    let place = existing(&runs);
    let free = statvfs(&place).map(|stat| stat.f_bavail * stat.f_frsize).ok();
    [
        Some(folder(&runs, &place)),
        open_runs(&runs),
        free.map(|free| disk(&place, free)),
        shared(&place, kind(&place)),
        Some(socket(&socket::place(&RunDir::new(runs.join("20260101-000000-name"))))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The folder itself, or the nearest one above it that is there.
fn existing(folder: &Path) -> PathBuf {
    folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

fn folder(runs: &Path, place: &Path) -> Finding {
    let shown = runs.display();
    if access(place, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return Finding::bad("runs", format!("{shown} cannot be written to"), "name another folder with --runs");
    }
    let known = runs::list(runs).map_or(0, |runs| runs.len());
    Finding::good("runs", format!("{known} in {shown}"))
}

/// Runs that other users may read: from an earlier version, or copied by another program.
fn open_runs(runs: &Path) -> Option<Finding> {
    let all = runs::list(runs).unwrap_or_default();
    let mode = |path: &Path| fs::metadata(path).map(|meta| meta.permissions().mode()).unwrap_or(0);
    let open: Vec<_> = all.iter().filter(|run| mode(run.root()) & 0o077 != 0).collect();
    let first = open.first()?.root().display();
    let detail = format!("other users may read {} of the runs, such as {first}", open.len());
    let remedy =
        quoted_path(runs).map_or_else(|| "take that right from them".to_owned(), |runs| format!("chmod -R go= {runs}"));
    Some(Finding::warning("privacy", detail, remedy))
}

fn disk(place: &Path, free: u64) -> Finding {
    let detail = format!("{} free at {}", size(free), place.display());
    let remedy = "free some space or name another disk with --runs; --keep 1 keeps fewer checkpoints";
    match free {
        _ if free < TIGHT => Finding::bad("disk", detail, remedy),
        _ if free < ROOMY => Finding::warning("disk", detail, remedy),
        _ => Finding::good("disk", detail),
    }
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 30 { format!("{} GiB", bytes >> 30) } else { format!("{} MiB", bytes >> 20) }
}

/// File systems that machines share, by their magic numbers (statfs(2)).
#[cfg(target_os = "linux")]
const SHARED: [(u32, &str); 9] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x00c3_6400, "Ceph"),
    (0x1983_0326, "BeeGFS"),
    (0x5346_414f, "AFS"),
    (0x6573_5546, "FUSE"),
];

/// The name of the shared file system that `place` is on.
#[cfg(target_os = "linux")]
fn kind(place: &Path) -> Option<&'static str> {
    // The number has 32 bits, whatever its type on this system.
    let magic = rustix::fs::statfs(place).ok()?.f_type as u32;
    SHARED.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<&'static str> {
    None
}

fn shared(place: &Path, kind: Option<&'static str>) -> Option<Finding> {
    let detail = format!("{} is on {}: on other machines the runs can only be viewed", place.display(), kind?);
    Some(Finding::warning(
        "file system",
        detail,
        "attach on the machine of the worker to steer a run, or name a local disk with --runs",
    ))
}

fn socket(place: &SocketPlace) -> Finding {
    let folder = match place {
        SocketPlace::Run(path) => {
            let length = path.as_os_str().len();
            return Finding::good(
                "sockets",
                format!("in the folder of the run; their paths have about {length} bytes"),
            );
        }
        SocketPlace::Shared(folder) => folder,
    };
    let shown = folder.display();
    if let Some(why) = socket::objection(folder) {
        return Finding::bad("sockets", format!("{shown} {why}"), socket::REMEDY);
    }
    // The worker makes the folder if it is missing.
    let above = existing(folder);
    if access(&above, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let detail = format!("{shown}: {} cannot be written to", above.display());
        return Finding::bad("sockets", detail, socket::REMEDY);
    }
    Finding::good("sockets", format!("in {shown}, because the paths of the runs are too long"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn where_sockets_are_is_told_and_what_is_in_the_way() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let shared = |folder: PathBuf| socket(&SocketPlace::Shared(folder));
        assert_eq!(socket(&SocketPlace::Run("/run/user/1/worker.sock".into())).verdict, Verdict::Good);
        assert_eq!(shared(place.path().to_owned()).verdict, Verdict::Good);
        assert_eq!(shared(place.path().join("new")).verdict, Verdict::Good);
        assert_eq!(shared(format!("/{}", "x".repeat(120)).into()).verdict, Verdict::Bad);
        let line = shared(file).line();
        assert!(line.contains("file is no folder; set XDG_RUNTIME_DIR"), "{line}");
    }

    #[test]
    fn a_disk_without_room_is_told() {
        let verdict = |free| disk(Path::new("/"), free).verdict;
        assert_eq!(
            [verdict(1 << 20), verdict(1 << 30), verdict(1 << 40)],
            [Verdict::Bad, Verdict::Warning, Verdict::Good]
        );
        assert_eq!(size(5 << 30), "5 GiB");
    }

    #[test]
    fn runs_that_other_users_may_read_are_told() {
        let place = tempfile::tempdir().unwrap();
        assert!(open_runs(place.path()).is_none());
        let run = place.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(run.join("events.jsonl"), "").unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
        let line = open_runs(place.path()).unwrap().line();
        assert!(line.contains("other users may read 1 of the runs") && line.contains("chmod -R go="), "{line}");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(open_runs(place.path()).is_none());
    }

    #[test]
    fn a_shared_disk_is_told() {
        assert!(shared(Path::new("/"), None).is_none());
        assert!(shared(Path::new("/home"), Some("NFS")).unwrap().line().contains("/home is on NFS"));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(existing(&place.path().join("a/b")), place.path());
        assert!(findings(&place.path().join("a")).iter().all(|finding| finding.subject != "privacy"));
    }
}
