//! What decides a credit memo: concerns, supports, how each stands, and the rules that weigh them.

use crate::text::Mark;

/// How much a point weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A concern that ends the request by itself.
    Hard,
    /// A concern that a security makes up for.
    Soft,
    /// An ordinary support.
    Strength,
    /// A support that makes up for one soft concern.
    Security,
}

impl Weight {
    /// Whether the point speaks against the loan or for it.
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Hard | Self::Soft => Side::Concern,
            Self::Strength | Self::Security => Side::Support,
        }
    }
}

/// Which way a point speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Against the loan.
    Concern,
    /// For it.
    Support,
}

/// Who a point can be said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody.
    Any,
    /// Private customers.
    Person,
    /// Businesses.
    Firm,
}

/// One point of a memo.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// With its article.
    pub(crate) np: &'static str,
    /// Without it.
    pub(crate) bare: &'static str,
    /// How much it weighs while it stands.
    pub(crate) weight: Weight,
    /// Who it can be said of.
    pub(crate) who: Who,
}

/// How a point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It holds.
    Live,
    /// It holds, said with a negation or a past.
    Still,
    /// It was looked for and is not there.
    Absent,
    /// It was there once.
    Gone,
    /// It is somebody else's.
    Other,
    /// It was written down in error.
    Corrected,
    /// It is only possible or promised.
    Unsure,
    /// It is a condition for later.
    Ahead,
}

/// One latent fact: a point and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The point.
    pub(crate) point: &'static Point,
    /// How it stands.
    pub(crate) status: Status,
}

impl Fact {
    /// What the fact counts for, if for anything: an unconfirmed hard concern is a soft one.
    fn counts(&self) -> Option<Weight> {
        match (self.status, self.point.weight) {
            (Status::Live | Status::Still, weight) => Some(weight),
            (Status::Unsure, Weight::Hard) => Some(Weight::Soft),
            _ => None,
        }
    }
}

/// Whether the loan is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is.
    Approve,
    /// It is not: a hard concern stands.
    Hard,
    /// It is not: soft concerns stand that no security makes up for.
    Soft,
    /// It is not: nothing supports it.
    Bare,
}

/// The outcome, and what of each fact to mark as its rationale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// One mark for each fact, in order.
    pub(crate) marks: Vec<Mark>,
}

/// Decides a memo.
pub(crate) fn decide(facts: &[Fact]) -> Verdict {
    let count = |weight| facts.iter().filter(|fact| fact.counts() == Some(weight)).count();
    let (soft, security) = (count(Weight::Soft), count(Weight::Security));
    let outcome = if count(Weight::Hard) > 0 {
        Outcome::Hard
    } else if soft > 1 || soft == 1 && security == 0 {
        Outcome::Soft
    } else if security + count(Weight::Strength) == 0 {
        Outcome::Bare
    } else {
        Outcome::Approve
    };
    let context = Context { outcome, soft, security };
    Verdict { outcome, marks: facts.iter().map(|fact| context.mark(fact)).collect() }
}

/// What the memo as a whole holds, against which each fact is marked.
struct Context {
    outcome: Outcome,
    soft: usize,
    security: usize,
}

impl Context {
    fn mark(&self, fact: &Fact) -> Mark {
        match self.outcome {
            Outcome::Hard if fact.counts() == Some(Weight::Hard) => Mark::Whole,
            Outcome::Soft if fact.counts() == Some(Weight::Soft) => Mark::Whole,
            Outcome::Soft if fact.point.weight == Weight::Security && self.soft == 1 => Mark::Operator,
            Outcome::Bare if fact.point.weight.side() == Side::Support => Mark::Operator,
            Outcome::Approve => self.mark_approved(fact),
            _ => Mark::Plain,
        }
    }

    /// In an approval the supports count that carry it, and whatever keeps a concern from standing.
    fn mark_approved(&self, fact: &Fact) -> Mark {
        match (fact.counts(), fact.point.weight) {
            (Some(Weight::Security), _) => Mark::Whole,
            (Some(Weight::Strength), _) if self.soft == 0 => Mark::Whole,
            (_, Weight::Hard) => Mark::Operator,
            (None, Weight::Soft) if self.security == 0 || self.soft > 0 => Mark::Operator,
            _ => Mark::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::points::POINTS;
    use super::*;

    fn fact(weight: Weight, status: Status) -> Fact {
        let point = POINTS.iter().find(|point| point.weight == weight).unwrap();
        Fact { point, status }
    }

    fn outcome(facts: &[(Weight, Status)]) -> Outcome {
        let facts: Vec<Fact> = facts.iter().map(|(weight, status)| fact(*weight, *status)).collect();
        decide(&facts).outcome
    }

    #[test]
    fn a_hard_concern_ends_it_only_while_it_stands() {
        let salary = (Weight::Strength, Status::Live);
        for status in [Status::Absent, Status::Gone, Status::Other, Status::Corrected, Status::Ahead] {
            assert_eq!(outcome(&[(Weight::Hard, status), salary]), Outcome::Approve, "{status:?}");
        }
        for status in [Status::Live, Status::Still] {
            assert_eq!(outcome(&[(Weight::Hard, status), salary]), Outcome::Hard, "{status:?}");
        }
    }

    #[test]
    fn a_security_makes_up_for_one_soft_concern() {
        let soft = (Weight::Soft, Status::Live);
        let security = (Weight::Security, Status::Still);
        assert_eq!(outcome(&[soft, security]), Outcome::Approve);
        assert_eq!(outcome(&[soft, (Weight::Strength, Status::Live)]), Outcome::Soft);
        assert_eq!(outcome(&[soft, soft, security]), Outcome::Soft);
        assert_eq!(outcome(&[soft, (Weight::Security, Status::Unsure)]), Outcome::Soft);
        assert_eq!(outcome(&[(Weight::Hard, Status::Unsure), security]), Outcome::Approve);
    }

    #[test]
    fn supports_that_do_not_stand_support_nothing() {
        for status in [Status::Absent, Status::Gone, Status::Other, Status::Unsure] {
            let facts = [fact(Weight::Strength, status)];
            assert_eq!(decide(&facts), Verdict { outcome: Outcome::Bare, marks: vec![Mark::Operator] });
        }
    }

    #[test]
    fn a_concern_held_back_is_never_marked_itself() {
        let facts = [fact(Weight::Hard, Status::Absent), fact(Weight::Strength, Status::Live)];
        assert_eq!(decide(&facts).marks, [Mark::Operator, Mark::Whole]);
    }
}
