//! The frames of the clauses: what is laid down, and the many ways to mention an act without laying it down.

use super::acts::Mode;

/// How a clause mentions an act that it does not lay down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A condition before the rule.
    Condition,
    /// An exception before the rule.
    Exception,
    /// A condition or an exception after the rule.
    Proviso,
    /// A rule given up in favour of the one laid down.
    Replaced,
    /// A sentence that says the clause does not lay it down.
    Disclaimer,
    /// A sentence that strikes it out.
    Superseded,
    /// A sentence that leaves it to another clause.
    Elsewhere,
}

/// The frames of the rule itself; brackets enclose what decides.
pub(crate) fn rule(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "{p} [shall {core}]{tail}",
            "{p} [must {core}]{tail}",
            "{p} [agrees to {core}]{tail}",
            "{p} [undertakes to {core}]{tail}",
            "{p} [is obliged to {core}]{tail}",
            "{p} [has to {core}]{tail}",
        ],
        Mode::Right => &[
            "{p} [may {core}]{tail}",
            "{p} [is entitled to {core}]{tail}",
            "{p} [has the right to {core}]{tail}",
            "{p} [can choose to {core}]{tail}",
        ],
        Mode::Ban => &[
            "{p} [shall not {core}]{tail}",
            "{p} [may not {core}]{tail}",
            "{p} [must not {core}]{tail}",
            "{p} [agrees not to {core}]{tail}",
            "{p} [is not entitled to {core}]{tail}",
        ],
    }
}

/// The frames of a mention.
pub(crate) fn mention(role: Role, mode: Mode) -> &'static [&'static str] {
    match role {
        Role::Condition => condition(mode),
        Role::Exception => exception(mode),
        Role::Proviso => proviso(mode),
        Role::Replaced => replaced(mode),
        Role::Disclaimer => disclaimer(mode),
        Role::Superseded => superseded(mode),
        Role::Elsewhere => elsewhere(mode),
    }
}

fn condition(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "where {p} is obliged to {core}{tail}, ",
            "if {p} fails to {core}, ",
            "whenever {p} has to {core}, ",
            "once {p} undertakes to {core}, ",
            "even where {p} must {core}{tail}, ",
        ],
        Mode::Right => &[
            "if {p} chooses to {core}, ",
            "where {p} may {core}{tail}, ",
            "whether or not {p} is entitled to {core}, ",
            "once {p} has the right to {core}, ",
            "as long as {p} may {core}, ",
        ],
        Mode::Ban => &[
            "as long as {p} may not {core}, ",
            "where {p} agrees not to {core}{tail}, ",
            "if {p} attempts to {core}, ",
            "even where {p} must not {core}, ",
        ],
    }
}

fn exception(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "notwithstanding any duty of {p} to {core}, ",
            "despite the promise of {p} to {core}, ",
            "except where {p} shall {core} under clause {n}, ",
        ],
        Mode::Right => &[
            "notwithstanding any right of {p} to {core}, ",
            "except where {p} may {core} under clause {n}, ",
            "without affecting the right of {p} to {core}, ",
        ],
        Mode::Ban => &[
            "subject to the rule that {p} shall not {core}, ",
            "although clause {n} says that {p} may not {core}, ",
            "notwithstanding any promise of {p} not to {core}, ",
        ],
    }
}

fn proviso(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            ", unless {p} is obliged to {core}",
            ", even if {p} has to {core}",
            ", whether or not {p} has failed to {core}",
            ", even where {p} shall {core}",
        ],
        Mode::Right => &[
            ", unless {p} is entitled to {core}",
            ", even if {p} may then {core}",
            ", provided that {p} has not chosen to {core}",
            ", without losing the right to {core}",
        ],
        Mode::Ban => &[
            ", even if {p} may not {core}",
            ", provided that {p} does not {core}",
            ", unless {p} has attempted to {core}",
        ],
    }
}

fn replaced(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "{p} need no longer {core}; instead, ",
            "in place of the duty of {p} to {core}, ",
            "rather than a rule that {p} shall {core}, the parties agree that ",
        ],
        Mode::Right => &[
            "{p} may no longer {core}; instead, ",
            "in place of the right of {p} to {core}, ",
            "rather than a rule that {p} may {core}, the parties agree that ",
        ],
        Mode::Ban => &[
            "in place of the rule that {p} shall not {core}, ",
            "rather than a rule that {p} may not {core}, the parties agree that ",
        ],
    }
}

fn disclaimer(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "nothing in this clause obliges {p} to {core}",
            "this clause does not mean that {p} must {core}",
            "this does not create a duty of {p} to {core}",
        ],
        Mode::Right => &[
            "nothing in this clause entitles {p} to {core}",
            "this clause does not mean that {p} may {core}",
            "this does not give {p} the right to {core}",
        ],
        Mode::Ban => &[
            "nothing in this clause means that {p} may not {core}",
            "this clause does not decide whether {p} may {core}",
        ],
    }
}

fn superseded(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "the words '{p} shall {core}{tail}' are deleted",
            "the earlier draft, in which {p} had to {core}, no longer applies",
            "the former duty of {p} to {core} has been struck out",
        ],
        Mode::Right => &[
            "the words '{p} may {core}{tail}' are deleted",
            "the earlier draft, in which {p} was entitled to {core}, no longer applies",
            "the former right of {p} to {core} has been struck out",
        ],
        Mode::Ban => &[
            "the words '{p} shall not {core}{tail}' are deleted",
            "the earlier draft, under which {p} was not entitled to {core}, no longer applies",
        ],
    }
}

fn elsewhere(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Duty => &[
            "whether {p} must {core} is dealt with in clause {n}",
            "clause {n}, not this one, says when {p} shall {core}",
        ],
        Mode::Right => &[
            "whether {p} may {core} is dealt with in clause {n}",
            "clause {n}, not this one, says when {p} may {core}",
        ],
        Mode::Ban => &[
            "whether {p} may {core} is dealt with in clause {n}",
            "clause {n}, not this one, says when {p} shall not {core}",
        ],
    }
}

/// References to another clause by its heading, before the rule.
pub(crate) const REFERENCES: &[&str] = &[
    "subject to clause {n} ({heading}), ",
    "except as provided in clause {n} ({heading}), ",
    "notwithstanding clause {n} ({heading}), ",
    "in addition to clause {n} ({heading}), ",
];

/// Sentences that decide nothing.
pub(crate) const ASIDES: &[&str] = &[
    "headings do not affect the meaning of this clause",
    "this clause applies to all orders",
    "any notice under this clause must be in writing",
    "this clause binds both parties",
    "clause {n} remains unchanged",
    "time runs from the date of signature",
    "the schedule forms part of this agreement",
    "words in the singular include the plural",
    "this clause was drafted by both sides",
    "changes to this clause need the signature of a director",
    "weekends and public holidays do not count",
    "the English version of this clause prevails",
    "emails count as writing",
    "the preamble gives the background",
    "footnotes serve as guidance",
    "the project office keeps minutes of each meeting",
    "initials on every page confirm the wording",
    "references to statutes include later amendments",
    "the calendar of the head office is used",
    "couriers leave parcels at reception",
    "drawings are numbered from north to south",
    "the glossary explains technical words",
    "spelling mistakes are corrected without ceremony",
    "the steering group meets over video",
    "a waiver on one occasion is not a waiver on another",
    "if part of this clause is void, the rest stands",
    "this clause concerns the supply of {goods}",
    "the goods are {goods}",
    "this agreement was signed in {town}",
    "the register in {town} holds a copy",
    "the annex lists {goods} and {goods}",
    "deliveries of {goods} go to {town}",
    "the parties met in {town} in {month}",
    "this clause takes effect in {month}",
    "the contact person works in {town}",
];

/// What is supplied.
pub(crate) const GOODS: &[&str] = &[
    "cement",
    "bricks",
    "cotton",
    "copper wire",
    "tea",
    "coffee",
    "steel pipes",
    "textbooks",
    "microscopes",
    "garden chairs",
    "printing ink",
    "solar cells",
    "rubber seals",
    "olive oil",
    "bottled water",
    "lamps",
    "spare parts",
    "train seats",
    "laboratory gloves",
    "maps",
];
/// Towns.
pub(crate) const TOWNS: &[&str] =
    &["Bergen", "Lyon", "Cork", "Leeds", "Perth", "Valletta", "Toronto", "Dover", "Bath", "Aarhus", "Galway", "Nantes"];
/// Months.
pub(crate) const MONTHS: &[&str] = &["January", "April", "June", "September", "November"];

/// Numbers of the clause itself.
pub(crate) const OWN_NUMBERS: &[&str] = &["6", "8", "10", "13", "15", "16"];

/// Numbers of other clauses.
pub(crate) const NUMBERS: &[&str] = &["3", "4", "5", "7", "9", "11", "12", "14"];
