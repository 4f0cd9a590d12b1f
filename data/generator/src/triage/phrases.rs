//! The frames of the triage notes: full sentences and nurses' shorthand for every way a complaint can stand.

use super::cues::Kind;
use super::rules::Status;

/// How a note is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Full sentences.
    Full,
    /// Shorthand.
    Terse,
}

/// The frames for one complaint.
pub(crate) fn frames(status: Status, kind: Kind, voice: Voice) -> &'static [&'static str] {
    match (voice, kind) {
        (Voice::Full, Kind::Symptom) => full_symptom(status),
        (Voice::Terse, Kind::Symptom) => terse_symptom(status),
        (Voice::Full, Kind::Event) => full_event(status),
        (Voice::Terse, Kind::Event) => terse_event(status),
    }
}

fn full_symptom(status: Status) -> &'static [&'static str] {
    match status {
        Status::Present => &[
            "{s} has {cue} now",
            "{s} presents with {cue}",
            "{s} reports {cue} since {since}",
            "{s} came in with {cue}",
            "{s} has had {cue} since {since}",
            "{s} complains of {cue}",
            "on arrival {s} has {cue}",
            "{cue} began {ago}",
            "the nurse notes {cue} at triage",
            "{s} came because of {cue}",
            "examination shows {cue}",
            "{pos} {rel} reports that {s} has {cue}",
            "{s} describes {cue} that started {ago}",
        ],
        Status::Persisting => &[
            "{pos} {bare} has <not settled> since {since}",
            "there is <no improvement> in {pos} {bare}",
            "the {bare} of {year} has been <back> since {since}",
            "{s} had {cue} in {year}, and it has <returned today>",
            "{s} first denied {cue} but <now admits> to it",
            "{pos} {bare} was thought to be over but is <still there>",
        ],
        Status::Only => &[
            "{s} denies any symptom <except> {cue}",
            "<apart from> {cue}, {s} has no symptoms",
            "nothing was found <other than> {cue}",
            "{s} has no complaint <but> {cue}",
        ],
        Status::Past => &[
            "{s} <had> {cue} <{years}>",
            "{s} has a <history of> {cue}",
            "{s} was admitted with {cue} <in {year}> and <recovered> fully",
            "old notes mention {cue} <in {year}>",
            "{pos} {bare} was treated <in {year}> and has not come back",
        ],
        other => full_event(other),
    }
}

fn full_event(status: Status) -> &'static [&'static str] {
    match status {
        Status::Present => &[
            "{s} had {cue} {ago}",
            "{s} comes in after {cue} {ago}",
            "{s} was brought in after {cue} {ago}",
            "{s} came because of {cue} {ago}",
            "{pos} {rel} says {s} had {cue} {ago}",
        ],
        Status::Persisting => {
            &["{s} denied {cue} at first but <now confirms> it", "{s} had {cue} in {year} and <another> {ago}"]
        }
        Status::Only => &[
            "{s} denies any problem <except> {cue} {ago}",
            "<apart from> {cue} {ago}, {s} has no complaint",
            "there is nothing to report <other than> {cue} {ago}",
        ],
        Status::Negated => &[
            "{s} <denies> {cue}",
            "{s} <denies any> {bare}",
            "there is <no> {bare}",
            "there is <no evidence of> {cue}",
            "examination shows <no sign of> {cue}",
            "{cue} has been <ruled out>",
            "{s} has <not> had {cue}",
            "{s} does <not> report {cue}",
            "{s} was asked about {cue} and said <no>",
        ],
        Status::Past => &[
            "{s} <had> {cue} <{years}>",
            "{s} <had> {cue} <in {year}> and <recovered> fully",
            "old notes mention {cue} <in {year}>",
        ],
        Status::Relative => &[
            "<{pos} {rel}> had {cue} {recent}",
            "{s} is worried because <{pos} {rel}> had {cue}",
            "<{pos} {rel}> was admitted with {cue} {recent}",
            "<{pos} {rel}> came in {recent} with {cue}",
        ],
        other => full_shaken(other),
    }
}

/// The frames for a complaint that may not be there, or no longer, or not yet.
fn full_shaken(status: Status) -> &'static [&'static str] {
    match status {
        Status::Hedged => &[
            "{s} <may> have had {cue} overnight",
            "{cue} in the night <cannot be ruled out>",
            "it is <unclear whether> {s} had {cue} last night",
            "{s} <thought> there was {cue} last night but was <not sure>",
            "{cue} in the night is <possible> but not confirmed",
        ],
        Status::Settled => &[
            "{s} <had> {cue} earlier today, which has <now settled>",
            "{pos} {bare} this morning lasted ten minutes and <has gone>",
            "{cue} came on at lunch and was <gone on arrival>",
            "{s} <had> {cue} this morning but is <back to normal>",
        ],
        Status::Corrected => &[
            "the referral mentions {cue}, but that entry was <for another patient>",
            "the first sheet listed {cue} <in error>",
            "the phone note gave {cue}, which was <not found> on assessment",
        ],
        _ => &[
            "{s} was told to <return if> {cue} develops",
            "{s} knows to call back <in case of> {cue}",
            "a leaflet explains <what to do about> {cue}",
        ],
    }
}

fn terse_symptom(status: Status) -> &'static [&'static str] {
    match status {
        Status::Present => &[
            "c/o {bare} since {since}",
            "{bare} on arrival",
            "{bare}, onset {ago}",
            "presents with {bare}",
            "now {bare}",
            "O/E {bare}",
            "{bare} noted at triage",
            "PC: {bare}",
            "{bare} since {since}",
            "per {rel}, pt has {bare}",
        ],
        Status::Persisting => &[
            "{bare} <not settling>",
            "<no improvement> in {bare}",
            "{bare} of {year} <back again>",
            "<ongoing> {bare}, not resolved",
            "denied {bare} at first, <now admits> it",
        ],
        Status::Only => &[
            "nil <except> {bare}",
            "no symptoms <apart from> {bare}",
            "denies all <but> {bare}",
            "nothing found <other than> {bare}",
        ],
        other => terse_event(other),
    }
}

fn terse_event(status: Status) -> &'static [&'static str] {
    match status {
        Status::Present => {
            &["{bare} {ago}", "attends after {bare} {ago}", "PC: {bare} {ago}", "per {rel}, {bare} {ago}"]
        }
        Status::Persisting => &["denied {bare} at first, <now admits> it", "{bare} {year} and <again> {ago}"],
        Status::Only => &["nil <except> {bare} {ago}", "no injury or illness <apart from> {bare} {ago}"],
        Status::Negated => &[
            "<denies> {bare}",
            "<no> {bare}",
            "<nil> {bare}",
            "{bare} <ruled out>",
            "<neg for> {bare}",
            "<no sign of> {bare}",
            "{bare}: <no>",
            "<not> c/o {bare}",
        ],
        Status::Past => &[
            "<PMH>: {bare} <{year}>",
            "<hx of> {bare} <{years}>",
            "<previous> {bare} in <{year}>, recovered",
            "<old notes>: {bare} <{year}>",
        ],
        Status::Relative => &[
            "<{rel}> had {bare} {recent}",
            "<{rel}> seen {recent} for {bare}",
            "anxious since <{rel}> had {bare}",
            "<{rel}> admitted with {bare} {recent}",
        ],
        Status::Hedged => &[
            "<possible> {bare} overnight",
            "<query> {bare} last night",
            "<cannot rule out> {bare} overnight",
            "{bare} in the night <suspected>, <not confirmed>",
            "<unsure if> {bare} overnight",
        ],
        Status::Settled => &[
            "{bare} <earlier, now settled>",
            "{bare} this morning, <gone on arrival>",
            "brief {bare} at lunch, <back to normal>",
        ],
        Status::Corrected => &[
            "{bare} on referral, entered <in error>",
            "phone note says {bare}, <not found> here",
            "first entry of {bare} belongs to <another pt>",
        ],
        Status::Advice => &["to <return if> {bare}", "advice given <in case of> {bare}", "leaflet given <re> {bare}"],
    }
}

/// The frames for two complaints in one sentence, where there are any.
pub(crate) fn pairs(first: Status, second: Status, voice: Voice) -> &'static [&'static str] {
    match voice {
        Voice::Full => full_pairs(first, second),
        Voice::Terse => terse_pairs(first, second),
    }
}

fn full_pairs(first: Status, second: Status) -> &'static [&'static str] {
    match (first, second) {
        (Status::Negated, Status::Present) => {
            &["{s} <denies> {cue} but has {cue2}", "there is <no> {bare}, but {s} does have {cue2}"]
        }
        (Status::Present, Status::Negated) => &[
            "{s} has {cue} but |no| {bare2}",
            "{s} reports {cue} |without| any {bare2}",
            "{s} has had {cue} since {since}, while {bare2} is |absent|",
        ],
        (Status::Negated, Status::Negated) => &[
            "{s} <denies> {cue} and {cue2}",
            "there is <no> {bare} or {bare2}",
            "<neither> {cue} nor {cue2} was found",
            "{s} reports <no> {bare} and |no| {bare2}",
        ],
        (Status::Present, Status::Present) => {
            &["{s} has {cue} and {cue2}", "{s} presents with {cue} together with {cue2}"]
        }
        (Status::Past, Status::Present) => {
            &["{s} <had> {cue} <{years}> and now has {cue2}", "after {cue} <in {year}>, {s} now has {cue2}"]
        }
        (Status::Present, Status::Past) => {
            &["{s} has {cue} today and |had| {cue2} |{years}|", "{s} has {cue} now; |previous| {bare2} was in |{year}|"]
        }
        (Status::Past, Status::Negated) => &["{s} <had> {cue} <{years}> but |denies| {cue2} today"],
        (Status::Negated, Status::Past) => &["{s} <denies> {cue}, although {s} |had| {cue2} |{years}|"],
        (Status::Relative, Status::Present) => {
            &["<{pos} {rel}> had {cue} {recent}, and {s} has {cue2}", "while <{pos} {rel}> had {cue}, {s} has {cue2}"]
        }
        (Status::Present, Status::Relative) => {
            &["{s} has {cue}, while |{pos} {rel}| had {cue2} {recent}", "{s} has {cue}; |{pos} {rel}| had {cue2}"]
        }
        (Status::Relative, Status::Negated) => &["<{pos} {rel}> had {cue} {recent}, but {s} |denies| {cue2}"],
        (Status::Negated, Status::Relative) => &["{s} <denies> {cue}, but |{pos} {rel}| had {cue2} {recent}"],
        (Status::Settled, Status::Present) => &["{pos} {bare} <has settled>, but {s} still has {cue2}"],
        (Status::Present, Status::Settled) => &["{s} still has {cue}, but {pos} {bare2} |has settled|"],
        _ => &[],
    }
}

fn terse_pairs(first: Status, second: Status) -> &'static [&'static str] {
    match (first, second) {
        (Status::Negated, Status::Present) => {
            &["<no> {bare}, but {bare2} on arrival", "<denies> {bare}, c/o {bare2}", "<nil> {bare}; {bare2} today"]
        }
        (Status::Present, Status::Negated) => {
            &["{bare}, |no| {bare2}", "c/o {bare}, |denies| {bare2}", "{bare} |without| {bare2}"]
        }
        (Status::Negated, Status::Negated) => {
            &["<nil> {bare} or {bare2}", "<no> {bare}, |no| {bare2}", "<denies> {bare} and {bare2}"]
        }
        (Status::Present, Status::Present) => &["{bare} and {bare2}", "{bare} with {bare2} since {since}"],
        (Status::Past, Status::Present) => &["{bare} <{year}>, now {bare2}", "<hx of> {bare}, today {bare2}"],
        (Status::Present, Status::Past) => &["{bare} today, {bare2} in |{year}|", "c/o {bare}, |hx of| {bare2}"],
        (Status::Past, Status::Negated) => &["{bare} <{year}>, |no| {bare2} today"],
        (Status::Negated, Status::Past) => &["<no> {bare} today, {bare2} |{years}|"],
        (Status::Relative, Status::Present) => &["<{rel}> had {bare}, pt has {bare2}"],
        (Status::Present, Status::Relative) => &["pt has {bare}, |{rel}| had {bare2} {recent}"],
        (Status::Relative, Status::Negated) => &["<{rel}> had {bare}, pt |denies| {bare2}"],
        (Status::Negated, Status::Relative) => &["pt <denies> {bare}, |{rel}| had {bare2}"],
        (Status::Settled, Status::Present) => &["{bare} <settled>, {bare2} still there"],
        (Status::Present, Status::Settled) => &["{bare} ongoing, {bare2} |settled|"],
        _ => &[],
    }
}
