//! How far an explanation has come.

use serde::{Deserialize, Serialize};

use crate::explanation::Method;
use crate::text::readable::duration;

/// How far an explanation has come that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub task: Task,
    /// The share of the work that is done, from 0 to 1.
    pub done: f64,
    /// Seconds left, as far as the speed so far can tell.
    pub seconds_left: f64,
}

/// What an explanation is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task", content = "method")]
pub enum Task {
    /// The scores of a method.
    Scores(Method),
    /// Testing the scores of a method against chance.
    Test(Method),
    /// The figures of a method.
    Figures(Method),
}

impl Progress {
    /// In a narrow place: `62 % · 4 s left`.
    #[must_use]
    pub fn brief(&self) -> String {
        format!("{:.0} % · {} left", 100.0 * self.done, duration(self.seconds_left))
    }

    /// One line: `testing LIME against chance · 62 % · 4 s left`.
    #[must_use]
    pub fn told(&self) -> String {
        let task = match self.task {
            Task::Scores(method) => format!("computing {}", method.title()),
            Task::Test(method) => format!("testing {} against chance", method.title()),
            Task::Figures(method) => format!("more figures for {}", method.title()),
        };
        format!("{task} · {}", self.brief())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_one_line_and_reads_back() {
        let progress = Progress { task: Task::Test(Method::Lime), done: 0.62, seconds_left: 4.2 };
        assert_eq!(progress.told(), "testing LIME against chance · 62 % · 4 s left");
        let line = serde_json::to_string(&progress).unwrap();
        assert_eq!(line, r#"{"task":{"task":"test","method":"lime"},"done":0.62,"seconds_left":4.2}"#);
        assert_eq!(serde_json::from_str::<Progress>(&line).unwrap(), progress);
    }
}
