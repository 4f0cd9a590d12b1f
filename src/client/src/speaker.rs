//! Whom a run is spoken to through: its worker, where that is, or why there is none.

use pellucid_record::RunDir;
use pellucid_record::owner::Whereabouts;
use pellucid_record::run_dir::WorkerInfo;

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
    pub(super) fn reason(&self, last: Last) -> String {
        match (self, last) {
            (Away::None(_), Last::Ended) => "the run has ended and its worker has left".to_owned(),
            (Away::None(reason) | Away::OutOfReach(reason), _) => reason.clone(),
        }
    }
}

/// What the last record said about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    GoingOn,
    Ended,
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
