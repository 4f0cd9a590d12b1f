//! Something that was checked: whether it is in order, and what to do if it is not.

use serde::Serialize;

/// Something that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) subject: &'static str,
    pub(super) verdict: Verdict,
    pub(super) detail: String,
    /// What to do about it, if there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// Whether it is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It is in order.
    #[serde(rename = "ok")]
    Good,
    /// It works, but not as well as it could.
    Warning,
    /// Something cannot be done without it.
    #[serde(rename = "missing")]
    Bad,
}

impl Finding {
    /// Something that is in order.
    pub(super) fn good(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Good, detail: detail.into(), remedy: None }
    }

    /// Something that works, but not as well as it could, and what makes it better.
    pub(super) fn warning(subject: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Something that is missing or broken, and how to get it.
    pub(super) fn bad(subject: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, ..Self::warning(subject, detail, remedy) }
    }

    /// The finding as a line.
    pub(super) fn line(&self) -> String {
        let mark = match self.verdict {
            Verdict::Good => "ok",
            Verdict::Warning => "warning",
            Verdict::Bad => "missing",
        };
        let remedy = self.remedy.as_ref().filter(|remedy| !remedy.is_empty());
        let remedy = remedy.map_or_else(String::new, |remedy| format!("; {remedy}"));
        format!("{mark:8} {:11} {}{remedy}", self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_an_object() {
        let finding = Finding::bad("disk", "40 MB are free", "make room");
        assert_eq!(finding.line(), "missing  disk        40 MB are free; make room");
        let wanted = r#"{"subject":"disk","verdict":"missing","detail":"40 MB are free","remedy":"make room"}"#;
        assert_eq!(serde_json::to_string(&finding).unwrap(), wanted);
        assert_eq!(Finding::good("disk", "fine").line(), "ok       disk        fine");
    }
}
