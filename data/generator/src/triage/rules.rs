//! What decides a triage note: the latent facts, and the rules that turn them into a label and a rationale.

use super::cues::{Cue, Held, Level, Partner, Risk};
use crate::text::Mark;

/// How a complaint stands in the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// There now.
    Present,
    /// Still there or back again, said with a negation or a past.
    Persisting,
    /// The exception in an otherwise empty list: "nothing except …".
    Only,
    /// Not there.
    Negated,
    /// There years ago.
    Past,
    /// Somebody else's.
    Relative,
    /// Only possible.
    Hedged,
    /// There today, gone by now.
    Settled,
    /// Written down in error.
    Corrected,
    /// Something to watch for.
    Advice,
}

/// What the observations say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readings {
    /// Today's, as grave as given.
    Now(Level),
    /// Bad some time ago, normal today.
    Before,
    /// Bad by a fault of measurement, normal when repeated.
    Fault,
}

/// One latent fact of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A complaint.
    Sign(&'static Cue, Status),
    /// A risk, and whether it holds.
    Risk(&'static Risk, Held),
    /// Observations.
    Readings(Readings),
}

impl Fact {
    /// What the fact counts for by itself.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Sign(cue, status) => match status {
                Status::Present | Status::Persisting | Status::Only => cue.level,
                Status::Hedged | Status::Settled => cue.level.lowered(),
                _ => Level::None,
            },
            Self::Readings(Readings::Now(level)) => *level,
            _ => Level::None,
        }
    }

    /// What it would count for if nothing held it back.
    fn threat(&self) -> Level {
        match self {
            Self::Sign(cue, _) => cue.level,
            Self::Readings(Readings::Now(level)) => *level,
            Self::Readings(_) => Level::Red,
            Self::Risk(..) => Level::None,
        }
    }

    fn partner(&self) -> Partner {
        match self {
            Self::Sign(cue, _) if self.level() >= Level::Amber => cue.partner,
            _ => Partner::Nothing,
        }
    }
}

/// The label's level, and what of each fact to mark as its rationale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `Green`, `Amber` or `Red`.
    pub(crate) level: Level,
    /// One mark for each fact, in order.
    pub(crate) marks: Vec<Mark>,
}

/// Decides a note: the gravest fact counts, and a risk with its partner complaint makes an emergency.
pub(crate) fn decide(facts: &[Fact]) -> Verdict {
    let paired: Vec<Partner> = facts.iter().filter_map(|fact| met(fact, facts)).collect();
    let single = facts.iter().map(Fact::level).max().unwrap_or(Level::None).max(Level::Green);
    let level = if paired.is_empty() { single } else { Level::Red };
    Verdict { level, marks: facts.iter().map(|fact| mark(fact, level, &paired)).collect() }
}

/// The partner that a present risk meets in the same note, if it does.
fn met(fact: &Fact, facts: &[Fact]) -> Option<Partner> {
    match fact {
        Fact::Risk(risk, Held::Now) => facts.iter().map(Fact::partner).find(|partner| *partner == risk.partner),
        _ => None,
    }
}

fn mark(fact: &Fact, level: Level, paired: &[Partner]) -> Mark {
    let in_pair = match fact {
        Fact::Risk(risk, held) => *held == Held::Now && paired.contains(&risk.partner),
        other => paired.contains(&other.partner()),
    };
    if in_pair || fact.level() == level {
        Mark::Whole
    } else if fact.threat() > level {
        Mark::Operator
    } else {
        Mark::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::super::cues::{AMBER, GREEN, RED, RISKS};
    use super::*;

    #[test]
    fn only_what_is_present_counts() {
        for status in [Status::Negated, Status::Past, Status::Relative, Status::Corrected, Status::Advice] {
            let verdict = decide(&[Fact::Sign(&RED[0], status), Fact::Sign(&GREEN[0], Status::Present)]);
            assert_eq!(verdict.level, Level::Green, "{status:?}");
            assert_eq!(verdict.marks, [Mark::Operator, Mark::Whole], "{status:?}");
        }
    }

    #[test]
    fn what_is_possible_or_over_counts_one_step_less() {
        for status in [Status::Hedged, Status::Settled] {
            assert_eq!(decide(&[Fact::Sign(&RED[0], status)]).level, Level::Amber);
            assert_eq!(decide(&[Fact::Sign(&AMBER[0], status)]).level, Level::Green);
        }
    }

    #[test]
    fn a_risk_raises_only_its_own_partner() {
        let fever = Fact::Sign(&AMBER[0], Status::Present);
        let level = |facts: &[Fact]| decide(facts).level;
        assert_eq!(level(&[fever, Fact::Risk(&RISKS[1], Held::Now)]), Level::Red);
        assert_eq!(level(&[fever, Fact::Risk(&RISKS[1], Held::Not)]), Level::Amber);
        assert_eq!(level(&[fever, Fact::Risk(&RISKS[0], Held::Now)]), Level::Amber);
        let denied = Fact::Sign(&AMBER[0], Status::Negated);
        assert_eq!(level(&[denied, Fact::Risk(&RISKS[1], Held::Now)]), Level::Green);
    }

    #[test]
    fn a_cue_held_back_is_never_marked_itself() {
        let facts = [Fact::Sign(&RED[3], Status::Negated), Fact::Sign(&RED[0], Status::Present)];
        assert_eq!(decide(&facts).marks, [Mark::Plain, Mark::Whole]);
    }
}
