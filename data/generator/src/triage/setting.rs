//! Who comes and from which ward: the patient, the opening of the note, and its remarks.

use super::phrases::Voice;
use super::words;
use crate::dice::Dice;
use crate::draft::Carrier;
use crate::text::{Cued, Mark, fill};

/// The patient of a note.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    age: &'static str,
    years: Years,
    sex: Sex,
    relative: &'static str,
}

/// How the patient is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sex {
    /// She.
    Female,
    /// He.
    Male,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Years {
    Young,
    Old,
}

impl Person {
    /// A patient; a younger one of the sex asked for where the note needs it.
    pub(crate) fn draw(dice: &mut Dice, sex: Option<Sex>) -> Self {
        let years = if sex.is_some() || dice.chance(40) { Years::Young } else { Years::Old };
        let sex = sex.unwrap_or(if dice.chance(50) { Sex::Female } else { Sex::Male });
        let (ages, circle) = match years {
            Years::Young => (words::YOUNG, words::YOUNG_CIRCLE),
            Years::Old => (words::OLD, words::OLD_CIRCLE),
        };
        Self { age: dice.pick(ages), years, sex, relative: dice.pick(circle) }
    }

    fn choose<'a>(self, female: &'a str, male: &'a str) -> &'a str {
        if self.sex == Sex::Female { female } else { male }
    }

    /// A person around the patient, mostly the same one throughout a note.
    fn relative(self, dice: &mut Dice) -> &'static str {
        let circle = if self.years == Years::Young { words::YOUNG_CIRCLE } else { words::OLD_CIRCLE };
        if dice.chance(60) { self.relative } else { dice.pick(circle) }
    }

    /// What a frame's slot says for this patient.
    pub(crate) fn slot(self, name: &str, dice: &mut Dice) -> String {
        let word = match name {
            "s" => self.choose("she", "he"),
            "pos" => self.choose("her", "his"),
            "age" => self.age,
            "noun" => self.choose("woman", "man"),
            "letter" => self.choose("F", "M"),
            "rel" => self.relative(dice),
            listed => dice.pick(list(listed)),
        };
        word.to_owned()
    }
}

/// The words that a slot chooses from.
fn list(slot: &str) -> &'static [&'static str] {
    match slot {
        "since" => words::SINCE,
        "ago" => words::AGO,
        "years" => words::YEARS,
        "year" => words::YEAR,
        "recent" => words::RECENT,
        "meds" => words::MEDS,
        "job" => words::JOBS,
        "drug" => words::DRUGS,
        "painkiller" => words::PAINKILLERS,
        "language" => words::LANGUAGES,
        "hobby" => words::HOBBIES,
        "wears" => words::WEARS,
        "meal" => words::MEALS,
        "town" => words::TOWNS,
        "drink" => words::DRINKS,
        "test" => words::TESTS,
        "pet" => words::PETS,
        "doctor" => words::DOCTORS,
        "item" => words::ITEMS,
        "transport" => words::TRANSPORT,
        other => unreachable!("no slot is called {other}"),
    }
}

/// The first sentence, with the ward where the plan asks for one; none for some notes without.
pub(crate) fn opening(person: Person, voice: Voice, carrier: Carrier, dice: &mut Dice) -> Option<String> {
    let ward = match carrier {
        Carrier::Planted(name) => Some(name),
        Carrier::Free => dice.chance(30).then(|| dice.pick(words::WARDS)),
    };
    let share = if voice == Voice::Full { 75 } else { 60 };
    if !dice.chance(share) {
        return ward.map(|name| fill(dice.pick(words::BARE_WARD), &mut |_| name.to_owned()));
    }
    let frame = dice.pick(if voice == Voice::Full { words::FULL_OPENINGS } else { words::TERSE_OPENINGS });
    let ward = ward.map_or(String::new(), |name| match voice {
        Voice::Full => format!(" on {name} ward"),
        Voice::Terse => format!(", {name} ward"),
    });
    Some(fill(frame, &mut |name| if name == "ward" { ward.clone() } else { person.slot(name, dice) }))
}

/// A remark that bears on nothing.
pub(crate) fn aside(person: Person, voice: Voice, dice: &mut Dice) -> String {
    let frame = dice.fresh(if voice == Voice::Full { words::FULL_ASIDES } else { words::TERSE_ASIDES });
    fill(frame, &mut |name| person.slot(name, dice))
}

/// Stands for the cue of a frame that names none, so that its operators are marked all the same.
pub(crate) fn marker(mark: Mark) -> Cued<'static> {
    Cued { np: "", bare: "", mark }
}
