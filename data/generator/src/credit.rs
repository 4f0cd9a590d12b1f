//! Finance: credit memos, made from points for and against a loan, each decided by the rules of [`rules`].

mod phrases;
mod points;
mod rules;

use phrases::{frames, pairs};
use points::POINTS;
use rules::{Fact, Outcome, Point, Side, Status, Weight, Who, decide};

use crate::dice::Dice;
use crate::draft::{Carrier, Draft};
use crate::text::{Cued, Mark, compose, fill, phrase};

/// The labels, in the order of their numbers.
pub(crate) const LABELS: &[&str] = &["approve", "decline"];

/// Draws one memo; its label comes from its facts.
pub(crate) fn draw(dice: &mut Dice, carrier: Carrier) -> Draft {
    let writer = Writer::draw(dice);
    let facts = writer.facts(dice);
    let verdict = decide(&facts);
    let label = usize::from(verdict.outcome != Outcome::Approve);
    Draft { label, text: compose(&writer.memo(&facts, &verdict.marks, carrier, dice)) }
}

fn draw_status(point: &Point, dice: &mut Dice) -> Status {
    match point.weight {
        Weight::Hard => dice.weighted(&[
            (Status::Live, 14),
            (Status::Still, 9),
            (Status::Absent, 26),
            (Status::Gone, 15),
            (Status::Other, 11),
            (Status::Corrected, 8),
            (Status::Unsure, 7),
            (Status::Ahead, 6),
        ]),
        Weight::Soft => dice.weighted(&[
            (Status::Live, 24),
            (Status::Still, 10),
            (Status::Absent, 26),
            (Status::Gone, 16),
            (Status::Other, 10),
            (Status::Corrected, 8),
        ]),
        Weight::Strength | Weight::Security => dice.weighted(&[
            (Status::Live, 42),
            (Status::Still, 16),
            (Status::Absent, 14),
            (Status::Gone, 14),
            (Status::Other, 6),
            (Status::Unsure, 8),
        ]),
    }
}

/// Who a memo is about.
struct Writer {
    who: Who,
    name: &'static str,
}

impl Writer {
    fn draw(dice: &mut Dice) -> Self {
        let (who, names) =
            if dice.chance(50) { (Who::Person, points::PERSON_NAMES) } else { (Who::Firm, points::FIRM_NAMES) };
        Self { who, name: dice.pick(names) }
    }

    fn choose<T: ?Sized>(&self, person: &'static T, firm: &'static T) -> &'static T {
        if self.who == Who::Firm { firm } else { person }
    }

    /// One to three concerns and one or two supports.
    fn facts(&self, dice: &mut Dice) -> Vec<Fact> {
        let concerns = dice.weighted(&[(1, 35), (2, 45), (3, 20)]);
        let supports = dice.weighted(&[(1, 45), (2, 45), (3, 10)]);
        let mut facts: Vec<Fact> = Vec::new();
        while facts.len() < concerns + supports {
            let side = if facts.len() < concerns { Side::Concern } else { Side::Support };
            let fact = self.fact(side, dice);
            if facts.iter().all(|known| known.point != fact.point) {
                facts.push(fact);
            }
        }
        dice.shuffle(&mut facts);
        facts
    }

    fn fact(&self, side: Side, dice: &mut Dice) -> Fact {
        let weight = match side {
            Side::Concern => dice.weighted(&[(Weight::Hard, 65), (Weight::Soft, 35)]),
            Side::Support => dice.weighted(&[(Weight::Strength, 60), (Weight::Security, 40)]),
        };
        let fits = |point: &&Point| point.weight == weight && (point.who == Who::Any || point.who == self.who);
        let known: Vec<&'static Point> = POINTS.iter().filter(fits).collect();
        let point = dice.pick(&known);
        loop {
            let status = draw_status(point, dice);
            // A court's order is there or not; only what customers and banks do can be in doubt.
            if status != Status::Unsure || point.weight != Weight::Hard || point.who == Who::Any {
                return Fact { point, status };
            }
        }
    }

    /// The sentences of the memo.
    fn memo(&self, facts: &[Fact], marks: &[Mark], carrier: Carrier, dice: &mut Dice) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut at = 0;
        while at < facts.len() {
            let pair = self.pair(&facts[at..], &marks[at..], dice);
            at += if pair.is_some() { 2 } else { 1 };
            sentences.push(pair.unwrap_or_else(|| self.single(facts[at - 1], marks[at - 1], dice)));
        }
        self.add_asides(&mut sentences, dice);
        if let Some(first) = self.opening(carrier, dice) {
            sentences.insert(0, first);
        }
        sentences
    }

    fn single(&self, fact: Fact, mark: Mark, dice: &mut Dice) -> String {
        let frame = dice.fresh(frames(fact.point.weight.side(), fact.status));
        self.say(frame, &[cued(fact, mark)], dice)
    }

    /// Both of the next two facts in one sentence, where a frame joins them and chance agrees.
    fn pair(&self, facts: &[Fact], marks: &[Mark], dice: &mut Dice) -> Option<String> {
        let [first, second, ..] = facts else {
            return None;
        };
        let standing = |fact: &Fact| (fact.point.weight.side(), fact.status);
        let known = pairs(standing(first), standing(second));
        if known.is_empty() || !dice.chance(60) {
            return None;
        }
        Some(self.say(dice.fresh(known), &[cued(*first, marks[0]), cued(*second, marks[1])], dice))
    }

    fn add_asides(&self, sentences: &mut Vec<String>, dice: &mut Dice) {
        for _ in 0..dice.weighted(&[(0, 40), (1, 40), (2, 20)]) {
            let frame = dice.fresh(self.choose(points::PERSON_ASIDES, points::FIRM_ASIDES));
            let remark = self.say(frame, &[], dice);
            if !sentences.contains(&remark) {
                sentences.insert(dice.below(sentences.len() + 1), remark);
            }
        }
    }

    fn opening(&self, carrier: Carrier, dice: &mut Dice) -> Option<String> {
        let officer = match carrier {
            Carrier::Planted(name) => Some(name),
            Carrier::Free => dice.chance(30).then(|| dice.pick(points::OFFICERS)),
        };
        let named =
            |frames: &[&'static str], name: &str, dice: &mut Dice| fill(dice.pick(frames), &mut |_| name.to_owned());
        if dice.chance(35) {
            return officer.map(|name| named(points::OFFICER_LINES, name, dice));
        }
        let tail = officer.map_or(String::new(), |name| named(points::OFFICER_TAILS, name, dice));
        let (product, sums) = *dice.from(self.choose(points::PERSON_PRODUCTS, points::FIRM_PRODUCTS));
        Some(fill(dice.pick(points::OPENINGS), &mut |name| match name {
            "officer" => tail.clone(),
            "product" => product.to_owned(),
            "sum" => dice.pick(sums).to_owned(),
            other => self.slot(other, dice),
        }))
    }

    fn say(&self, frame: &str, cues: &[Cued], dice: &mut Dice) -> String {
        phrase(frame, cues, &mut |slot| self.slot(slot, dice))
    }

    fn slot(&self, name: &str, dice: &mut Dice) -> String {
        let word = match name {
            "s" => self.name,
            "other" => dice.pick(self.choose(points::PERSON_OTHERS, points::FIRM_OTHERS)),
            listed => dice.pick(list(listed)),
        };
        word.to_owned()
    }
}

/// The words that a slot chooses from.
fn list(slot: &str) -> &'static [&'static str] {
    match slot {
        "year" => points::YEARS,
        "recent" => points::RECENT,
        "term" => points::TERMS,
        "job" => points::JOBS,
        "trade" => points::TRADES,
        "home" => points::HOMES,
        "plant" => points::PLANT,
        "channel" => points::CHANNELS,
        "town" => points::TOWNS,
        "children" => points::CHILDREN,
        "staff" => points::STAFF,
        "goods" => points::GOODS,
        "hobby" => points::HOBBIES,
        other => unreachable!("no slot is called {other}"),
    }
}

fn cued(fact: Fact, mark: Mark) -> Cued<'static> {
    Cued { np: fact.point.np, bare: fact.point.bare, mark }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_does_not_stand_is_never_marked() {
        let mut dice = Dice::new(1, 2);
        for _ in 0..3000 {
            let facts = Writer::draw(&mut dice).facts(&mut dice);
            for (fact, mark) in facts.iter().zip(&decide(&facts).marks) {
                let doubtful = fact.status == Status::Unsure && fact.point.weight == Weight::Hard;
                let stands = matches!(fact.status, Status::Live | Status::Still) || doubtful;
                assert!(stands || *mark != Mark::Whole, "{fact:?}");
            }
        }
    }

    #[test]
    fn the_same_point_comes_under_both_labels() {
        let mut dice = Dice::new(3, 2);
        let mut seen = [0; 2];
        for _ in 0..4000 {
            dice.new_text();
            let draft = draw(&mut dice, Carrier::Free);
            seen[draft.label] += usize::from(draft.text.text.to_lowercase().contains("county court judgment"));
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    }
}
