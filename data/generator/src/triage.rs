//! Medicine: clinical triage notes, made from latent facts, each decided by the rules of [`rules`].

mod cues;
mod phrases;
mod rules;
mod setting;
mod vitals;
mod words;

use cues::{AMBER, Cue, GREEN, Held, Kind, Level, Partner, RED, RISKS};
use phrases::{Voice, frames, pairs};
use rules::{Fact, Readings, Status, decide};
use setting::{Person, Sex, aside, marker, opening};
use vitals::readings;

use crate::dice::Dice;
use crate::draft::{Carrier, Draft};
use crate::text::{Cued, Mark, compose, phrase};

/// The labels, in the order of their numbers.
pub(crate) const LABELS: &[&str] = &["routine", "urgent", "emergency"];

/// Of a hundred notes, how many are plain; the rest are crowded.
const PLAIN: usize = 68;

/// Draws one note; its label comes from its facts.
pub(crate) fn draw(dice: &mut Dice, carrier: Carrier) -> Draft {
    let facts = draw_facts(dice);
    let verdict = decide(&facts);
    let label = match verdict.level {
        Level::Red => 2,
        Level::Amber => 1,
        Level::Green | Level::None => 0,
    };
    let writer = Writer::draw(&facts, dice);
    Draft { label, text: compose(&writer.note(&facts, &verdict.marks, carrier, dice)) }
}

/// How much a note says beside its complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Little: what is there, and what was asked for and is not.
    Plain,
    /// Much: histories, relatives, doubts, errors.
    Crowded,
}

fn draw_facts(dice: &mut Dice) -> Vec<Fact> {
    let style = if dice.chance(PLAIN) { Style::Plain } else { Style::Crowded };
    let mut facts = draw_signs(style, dice);
    while contradict(&facts) {
        facts = draw_signs(style, dice);
    }
    if dice.chance(18) {
        facts.push(draw_risk(&facts, dice));
    }
    if dice.chance(38) {
        facts.push(Fact::Readings(draw_readings(dice)));
    }
    dice.shuffle(&mut facts);
    facts
}

fn draw_signs(style: Style, dice: &mut Dice) -> Vec<Fact> {
    let wanted = match style {
        Style::Plain => dice.weighted(&[(1, 45), (2, 40), (3, 15)]),
        Style::Crowded => dice.weighted(&[(1, 10), (2, 32), (3, 34), (4, 17), (5, 7)]),
    };
    let mut facts = Vec::new();
    while facts.len() < wanted {
        let fact = draw_sign(style, dice);
        if !facts.iter().any(|known| same_cue(known, &fact)) {
            facts.push(fact);
        }
    }
    facts
}

/// Whether a note says that there is nothing but one complaint, and then another.
fn contradict(facts: &[Fact]) -> bool {
    let stands = |status| matches!(status, Status::Present | Status::Persisting | Status::Only);
    let standing = facts.iter().filter(|fact| matches!(fact, Fact::Sign(_, status) if stands(*status))).count();
    standing > 1 && facts.iter().any(|fact| matches!(fact, Fact::Sign(_, Status::Only)))
}

fn same_cue(known: &Fact, new: &Fact) -> bool {
    matches!((known, new), (Fact::Sign(a, _), Fact::Sign(b, _)) if a == b)
}

fn draw_sign(style: Style, dice: &mut Dice) -> Fact {
    let status = draw_status(style, dice);
    loop {
        let cues = draw_cues(status, dice);
        let cue = dice.from(cues);
        if fits(cue, status) {
            return Fact::Sign(cue, status);
        }
    }
}

fn draw_status(style: Style, dice: &mut Dice) -> Status {
    match style {
        Style::Plain => dice.weighted(&[(Status::Present, 80), (Status::Negated, 20)]),
        Style::Crowded => dice.weighted(&[
            (Status::Present, 24),
            (Status::Persisting, 8),
            (Status::Only, 5),
            (Status::Negated, 24),
            (Status::Past, 10),
            (Status::Relative, 9),
            (Status::Hedged, 7),
            (Status::Settled, 6),
            (Status::Corrected, 4),
            (Status::Advice, 3),
        ]),
    }
}

/// The complaints to choose from: grave ones a little more often where they stand than where they do not.
fn draw_cues(status: Status, dice: &mut Dice) -> &'static [Cue] {
    match status {
        Status::Present | Status::Persisting | Status::Only => dice.weighted(&[(RED, 42), (AMBER, 33), (GREEN, 25)]),
        _ => dice.weighted(&[(RED, 24), (AMBER, 32), (GREEN, 44)]),
    }
}

/// Whether a note would say this of a complaint: nobody is warned of a sore throat, and a bite does not settle.
fn fits(cue: &Cue, status: Status) -> bool {
    let lasting = cue.kind == Kind::Symptom;
    match status {
        Status::Settled | Status::Advice => cue.level > Level::Green && lasting,
        Status::Hedged => cue.level == Level::Red || cue.level == Level::Amber && lasting,
        Status::Corrected => cue.level > Level::Green,
        _ => true,
    }
}

/// A risk, as often as not one whose partner complaint is in the note.
fn draw_risk(facts: &[Fact], dice: &mut Dice) -> Fact {
    let fitting = facts.iter().find_map(|fact| match fact {
        Fact::Sign(cue, _) if cue.partner != Partner::Nothing => RISKS.iter().find(|risk| risk.partner == cue.partner),
        _ => None,
    });
    let risk = fitting.filter(|_| dice.chance(70)).unwrap_or_else(|| dice.from(RISKS));
    Fact::Risk(risk, dice.weighted(&[(Held::Now, 55), (Held::Not, 45)]))
}

fn draw_readings(dice: &mut Dice) -> Readings {
    dice.weighted(&[
        (Readings::Now(Level::None), 50),
        (Readings::Now(Level::Amber), 14),
        (Readings::Now(Level::Red), 8),
        (Readings::Before, 14),
        (Readings::Fault, 14),
    ])
}

/// Who writes a note about whom.
struct Writer {
    person: Person,
    voice: Voice,
}

impl Writer {
    fn draw(facts: &[Fact], dice: &mut Dice) -> Self {
        let pregnancy = |fact: &Fact| matches!(fact, Fact::Risk(risk, _) if risk.partner == Partner::Belly);
        let sex = facts.iter().any(pregnancy).then_some(Sex::Female);
        let voice = if dice.chance(50) { Voice::Full } else { Voice::Terse };
        Self { person: Person::draw(dice, sex), voice }
    }

    /// The sentences of the note.
    fn note(&self, facts: &[Fact], marks: &[Mark], carrier: Carrier, dice: &mut Dice) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut at = 0;
        while at < facts.len() {
            let pair = self.pair(&facts[at..], &marks[at..], dice);
            at += if pair.is_some() { 2 } else { 1 };
            sentences.push(pair.unwrap_or_else(|| self.single(&facts[at - 1], marks[at - 1], dice)));
        }
        self.add_asides(&mut sentences, dice);
        if let Some(first) = opening(self.person, self.voice, carrier, dice) {
            sentences.insert(0, first);
        }
        if self.voice == Voice::Terse { run_on(sentences, dice) } else { sentences }
    }

    fn add_asides(&self, sentences: &mut Vec<String>, dice: &mut Dice) {
        for _ in 0..dice.weighted(&[(0, 40), (1, 40), (2, 20)]) {
            let remark = aside(self.person, self.voice, dice);
            if !sentences.contains(&remark) {
                sentences.insert(dice.below(sentences.len() + 1), remark);
            }
        }
    }

    fn single(&self, fact: &Fact, mark: Mark, dice: &mut Dice) -> String {
        match fact {
            Fact::Sign(cue, status) => {
                let frame = dice.fresh(frames(*status, cue.kind, self.voice));
                self.say(frame, &[self.cued(cue, mark, dice)], dice)
            }
            Fact::Risk(risk, held) => {
                let frame = dice.fresh(if *held == Held::Now { risk.now } else { risk.not });
                self.say(frame, &[marker(mark)], dice)
            }
            Fact::Readings(kind) => readings(*kind, mark, self.person, self.voice, dice),
        }
    }

    /// Both of the next two facts in one sentence, where a frame joins them and chance agrees.
    fn pair(&self, facts: &[Fact], marks: &[Mark], dice: &mut Dice) -> Option<String> {
        let [Fact::Sign(first, a), Fact::Sign(second, b), ..] = facts else {
            return None;
        };
        let stands = |cue: &Cue, status| cue.kind == Kind::Symptom || status != Status::Present;
        let known = pairs(*a, *b, self.voice);
        if known.is_empty() || !stands(first, *a) || !stands(second, *b) || !dice.chance(60) {
            return None;
        }
        let cues = [self.cued(first, marks[0], dice), self.cued(second, marks[1], dice)];
        Some(self.say(dice.fresh(known), &cues, dice))
    }

    fn cued(&self, cue: &'static Cue, mark: Mark, dice: &mut Dice) -> Cued<'static> {
        let shorten = self.voice == Voice::Terse && dice.chance(50);
        Cued { np: cue.np, bare: if shorten { cue.short } else { cue.bare }, mark }
    }

    fn say(&self, frame: &str, cues: &[Cued], dice: &mut Dice) -> String {
        let named = frame.strip_prefix("{s}").filter(|_| self.voice == Voice::Full && dice.chance(25));
        let frame = named.map_or(frame.to_owned(), |rest| format!("the patient{rest}"));
        phrase(&frame, cues, &mut |name| self.person.slot(name, dice))
    }
}

/// Joins some neighbouring fragments of shorthand with semicolons.
fn run_on(fragments: Vec<String>, dice: &mut Dice) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fragment in fragments {
        match lines.last_mut() {
            Some(line) if dice.chance(40) => *line = format!("{line}; {fragment}"),
            _ => lines.push(fragment),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_that_does_not_hold_is_never_marked() {
        let mut dice = Dice::new(1, 1);
        for _ in 0..3000 {
            let facts = draw_facts(&mut dice);
            let verdict = decide(&facts);
            for (fact, mark) in facts.iter().zip(&verdict.marks) {
                let holds = fact.level() > Level::None || matches!(fact, Fact::Risk(_, Held::Now));
                assert!(holds || *mark != Mark::Whole, "{fact:?}");
            }
        }
    }

    #[test]
    fn no_note_says_nothing_but_one_thing_and_then_another() {
        let mut dice = Dice::new(2, 1);
        assert!((0..2000).all(|_| !contradict(&draw_facts(&mut dice))));
    }

    #[test]
    fn the_same_complaint_comes_under_every_label() {
        let mut dice = Dice::new(3, 1);
        let mut seen = [0; 3];
        for _ in 0..6000 {
            dice.new_text();
            let draft = draw(&mut dice, Carrier::Free);
            seen[draft.label] += usize::from(draft.text.text.to_lowercase().contains("slurred speech"));
        }
        assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
    }
}
