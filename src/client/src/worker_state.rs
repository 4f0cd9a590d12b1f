//! Whether the worker of a run can be reached, and if not, why.

use pellucid_record::owner::ProcessState;
use pellucid_record::worker_info::WorkerInfo;
use pellucid_record::{RunDir, RunSummary};

use crate::handle::resume_hint;

/// The worker of a run.
pub(super) enum Worker {
    Reachable(WorkerInfo),
    Absent(Absence),
}

/// Why no worker can be reached.
pub(super) enum Absence {
    /// There is none: what to tell the user if the run has not ended.
    NoWorker(String),
    /// There may be one, but this program cannot reach it: why.
    Unreachable(String),
}

impl Absence {
    /// Why no commands are possible, for people.
    pub(super) fn reason(&self, summary: &RunSummary) -> String {
        match self {
            Absence::NoWorker(_) if summary.is_over() => "the run has ended and its worker has left".to_owned(),
            Absence::NoWorker(reason) | Absence::Unreachable(reason) => reason.clone(),
        }
    }
}

/// The worker of `run`.
pub(super) fn find_worker(run: &RunDir) -> Worker {
    let Some(info) = run.worker_info() else {
        return Worker::Absent(Absence::NoWorker("this run has no worker; this is what was recorded".into()));
    };
    let (pid, host) = (info.owner.pid, &info.owner.host);
    let again = resume_hint(run);
    match info.state(run) {
        ProcessState::Running => Worker::Reachable(info),
        ProcessState::Remote => {
            let reason = format!("the worker (pid {pid}) is on {host}: commands are possible there");
            Worker::Absent(Absence::Unreachable(reason))
        }
        ProcessState::Gone => Worker::Absent(Absence::NoWorker(format!("the worker (pid {pid}) is gone; {again}"))),
        ProcessState::Rebooted => {
            Worker::Absent(Absence::NoWorker(format!("the machine was restarted, the worker is gone; {again}")))
        }
    }
}
