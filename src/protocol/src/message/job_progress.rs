//! How far a job in the foreground is: a line on the stderr of a worker, which the program that started it shows as a bar.

use serde::{Deserialize, Serialize};

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The share that is done, from 0 to 1.
    pub done: f64,
    /// What it is busy with.
    pub message: String,
}

impl JobProgress {
    /// The environment variable that asks a worker for such lines.
    pub const ASKED_BY: &str = "PELLUCID_PROGRESS";
    /// How such a line begins.
    const MARK: &str = "pellucid-progress: ";

    /// The line, without an end.
    #[must_use]
    pub fn line(&self) -> String {
        let fields = serde_json::to_string(self).unwrap_or_default();
        format!("{}{fields}", Self::MARK)
    }

    /// What a line says; `None` if it is another one.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(Self::MARK)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_others_are_left_alone() {
        let progress = JobProgress { done: 0.25, message: "text 1 of 4\nnext".to_owned() };
        assert!(!progress.line().contains('\n'));
        assert_eq!(JobProgress::of_line(&progress.line()), Some(progress));
        assert_eq!(JobProgress::of_line("error: no such file"), None);
        assert_eq!(JobProgress::of_line("pellucid-progress: {}"), None);
    }
}
