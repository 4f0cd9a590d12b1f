//! The frames of the credit memos, for every way a concern or a support can stand.

use super::rules::{Side, Status};

/// The frames for one point.
pub(crate) fn frames(side: Side, status: Status) -> &'static [&'static str] {
    match side {
        Side::Concern => concern(status),
        Side::Support => support(status),
    }
}

fn concern(status: Status) -> &'static [&'static str] {
    match status {
        Status::Live => &[
            "the file shows {cue}",
            "statements reveal {cue}",
            "{s} has {cue} at present",
            "the officer found {cue}",
            "{cue} came to light {recent}",
            "{s} admits to {cue}",
            "the latest report shows {cue}",
            "on file: {bare}",
            "new: {bare}, {recent}",
        ],
        Status::Still => &[
            "{cue} has <not been resolved>",
            "the {bare} first noted in {year} <still stands>",
            "<no explanation> was given for {cue}",
            "{s} denied {cue}, but the statements <show> it",
            "{bare} <not resolved> since {year}",
            "the {bare} was said to be over, which is <not the case>",
        ],
        Status::Absent => &[
            "the file shows <no> {bare}",
            "<no sign of> {cue} was found",
            "there is <no evidence of> {cue}",
            "{s} does <not> have {cue}",
            "a check for {cue} <came back clear>",
            "<no> {bare}",
            "{s} is <free of> any {bare}",
            "{bare}: <none>",
        ],
        other => shaken_concern(other),
    }
}

/// The frames for a concern that does not stand, or may not.
fn shaken_concern(status: Status) -> &'static [&'static str] {
    match status {
        Status::Gone => &[
            "the {bare} of {year} has <long been resolved>",
            "{s} <had> {cue} <in {year}>, <resolved> since",
            "{cue} <in {year}> is a <closed matter>",
            "{bare} <{year}>, <resolved>",
            "{cue} was <resolved> in {year} and has not come back",
        ],
        Status::Other => &[
            "{cue} on the file <belongs to {other}>",
            "<{other}> has {cue}, {s} does not",
            "the {bare} is <that of {other}>",
            "{bare} on file <is {other}'s>",
        ],
        Status::Corrected => &[
            "{cue} was recorded <in error> and has been removed",
            "the bureau entered {cue} <by mistake>",
            "an earlier memo mentioned {cue}; this was <withdrawn>",
            "{bare} on the first report, <entered in error>",
        ],
        Status::Unsure => &[
            "there <may> be {cue}, <not yet confirmed>",
            "<possible> {bare}; enquiries continue",
            "{cue} <cannot be ruled out>",
            "it is <unclear whether> {s} has {cue}",
        ],
        _ => &[
            "<any later> {bare} would end the facility",
            "the bank may recall the loan <in case of> {cue}",
            "the loan falls due <if there is> {cue}",
        ],
    }
}

fn support(status: Status) -> &'static [&'static str] {
    match status {
        Status::Live => &[
            "{s} has {cue}",
            "the file shows {cue}",
            "{cue} supports the request",
            "the officer found {cue}",
            "{s} can show {cue}",
            "the latest report shows {cue}",
            "on file: {bare}",
            "the bank holds proof of {cue}",
        ],
        Status::Still => &[
            "{cue} has <not lapsed>",
            "{s} has <kept> {cue} since {year}",
            "{cue} is <still in place>",
            "doubts about {cue} proved <unfounded>",
            "the claim that {s} no longer has {cue} is <wrong>",
            "{bare} <still there> since {year}",
        ],
        Status::Gone | Status::Corrected => &[
            "{s} <no longer> has {cue}",
            "{cue} was there <until {year}>",
            "{s} <had> {cue} <until {year}>",
            "the {bare} of {year} is <no longer> there",
            "{bare} in <{year}>, <gone> since",
            "the first report showed {cue} <in error>",
        ],
        Status::Absent => &[
            "there is <no> {bare}",
            "{s} <cannot> show {cue}",
            "<no sign of> {cue} was found",
            "{s} does <not> have {cue}",
            "there is <no evidence of> {cue}",
            "{bare}: <none>",
            "the file shows <no> {bare}",
        ],
        Status::Other => &[
            "{cue} on the file <belongs to {other}>",
            "<{other}> has {cue}, {s} does not",
            "the {bare} is <that of {other}>",
        ],
        Status::Unsure | Status::Ahead => &[
            "{s} <hopes for> {cue} next year",
            "{cue} was <promised> but is <not in place>",
            "{cue} is expected, <not yet confirmed>",
            "there <may> be {cue} <later>",
            "it is <unclear whether> {s} has {cue}",
        ],
    }
}

/// What a fact is for a frame that joins two: which way it speaks and how it stands.
pub(crate) type Standing = (Side, Status);

/// Whether two points speak the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// Both against the loan or both for it.
    Same,
    /// One against, one for.
    Opposed,
}

fn relation(first: Standing, second: Standing) -> Relation {
    if first.0 == second.0 { Relation::Same } else { Relation::Opposed }
}

/// The frames for two points in one sentence, where there are any.
pub(crate) fn pairs(first: Standing, second: Standing) -> &'static [&'static str] {
    match (first, second) {
        ((_, Status::Absent), (_, Status::Absent)) => absent_both(),
        ((_, Status::Absent), (_, Status::Live)) => absent_then_live(relation(first, second)),
        ((_, Status::Live), (_, Status::Absent)) => live_then_absent(relation(first, second)),
        ((_, Status::Live), (_, Status::Live)) => live_both(relation(first, second)),
        ((_, Status::Gone), (_, Status::Live)) => gone_then_live(relation(first, second)),
        ((_, Status::Live), (_, Status::Gone)) => &[
            "{s} has {cue}, while the {bare2} of {year} is |over|",
            "{s} now has {cue} and |had| {cue2} |until {year}|",
        ],
        ((_, Status::Other), (_, Status::Live)) => {
            &["<{other}> has {cue}, and {s} has {cue2}", "the {bare} is <that of {other}>; {s} has {cue2}"]
        }
        ((_, Status::Live), (_, Status::Other)) => &["{s} has {cue}, and |{other}| has {cue2}"],
        ((_, Status::Gone), (_, Status::Absent)) => &["the {bare} of {year} is <over>, and there is |no| {bare2}"],
        ((_, Status::Absent), (_, Status::Gone)) => &["there is <no> {bare}, and the {bare2} of {year} is |over|"],
        _ => &[],
    }
}

fn absent_both() -> &'static [&'static str] {
    &["the file shows <no> {bare} or {bare2}", "{s} has <neither> {cue} nor {cue2}", "<no> {bare}, |no| {bare2}"]
}

// "But" joins points that speak differently: one that is missing and one of its own side that is there.

fn absent_then_live(relation: Relation) -> &'static [&'static str] {
    if relation == Relation::Same {
        &["there is <no> {bare}, but {s} has {cue2}", "the file shows <no> {bare} but does show {cue2}"]
    } else {
        &["there is <no> {bare}, and {s} has {cue2}", "{s} has <no> {bare}; the file does show {cue2}"]
    }
}

fn live_then_absent(relation: Relation) -> &'static [&'static str] {
    if relation == Relation::Same {
        &["{s} has {cue} but |no| {bare2}", "the file shows {cue}, though |no| {bare2}"]
    } else {
        &["{s} has {cue} and |no| {bare2}", "the file shows {cue} and |no| {bare2}"]
    }
}

fn gone_then_live(relation: Relation) -> &'static [&'static str] {
    if relation == Relation::Same {
        &["the {bare} of {year} is <over>, but {s} has {cue2}", "{s} <had> {cue} <until {year}> but now has {cue2}"]
    } else {
        &["the {bare} of {year} is <over>, and {s} has {cue2}", "{s} <had> {cue} <until {year}> and now has {cue2}"]
    }
}

fn live_both(relation: Relation) -> &'static [&'static str] {
    if relation == Relation::Same {
        &["{s} has {cue} and {cue2}", "the file shows {cue} together with {cue2}"]
    } else {
        &["despite {cue}, {s} has {cue2}", "{s} has {cue} but also {cue2}", "although {s} has {cue}, there is {cue2}"]
    }
}
