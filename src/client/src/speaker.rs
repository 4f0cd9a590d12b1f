//! Whom a run is spoken to through: its worker, where that is, or why there is none.

use pellucid_record::owner::Whereabouts;
use pellucid_record::run_dir::WorkerInfo;
use pellucid_record::{RunDir, RunSummary};

use crate::handle::resume_hint;

/// Whom to speak to.
pub(super) enum Worker {
    Here(WorkerInfo),
    Away(Away),
}

/// Why no worker is spoken to.
pub(super) enum Away {
    /// There is none: what to say if the run has not ended.
    None(String),
    /// There may be one, but not for us: why.
    OutOfReach(String),
}

impl Away {
    /// Why there are no commands, for people.
    pub(super) fn reason(&self, summary: &RunSummary) -> String {
        match self {
            Away::None(_) if summary.is_over() => "the run has ended and its worker has left".to_owned(),
            Away::None(reason) | Away::OutOfReach(reason) => reason.clone(),
        }
    }
}

/// Whom to speak to about `run`.
pub(super) fn worker_of(run: &RunDir) -> Worker {
    let Some(info) = run.worker_info() else {
        return Worker::Away(Away::None("this run has no worker; this is what was recorded".into()));
    };
    let (pid, host) = (info.owner.pid, &info.owner.host);
    let again = resume_hint(run);
    match info.whereabouts(run) {
        Whereabouts::Here => Worker::Here(info),
        Whereabouts::Elsewhere => {
            let reason = format!("the worker (pid {pid}) is on {host}: commands are possible there");
            Worker::Away(Away::OutOfReach(reason))
        }
        Whereabouts::Gone => Worker::Away(Away::None(format!("the worker (pid {pid}) is gone; {again}"))),
        Whereabouts::Restarted => {
            Worker::Away(Away::None(format!("the machine was restarted, the worker is gone; {again}")))
        }
    }
}
