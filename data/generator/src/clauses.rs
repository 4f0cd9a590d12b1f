//! Law: contract clauses that mention several topics and lay down a rule on one of them, which is the label.

mod acts;
mod phrases;

use acts::{ACTS, Act, NAMES, PLACES, ROLES, Topic};
use phrases::{ASIDES, GOODS, MONTHS, NUMBERS, OWN_NUMBERS, REFERENCES, Role, TOWNS, mention, rule};

use crate::dice::Dice;
use crate::draft::{Carrier, Draft};
use crate::text::{compose, fill};

/// The labels, in the order of their numbers.
pub(crate) const LABELS: &[&str] = &["termination", "liability", "confidentiality", "payment", "governing-law"];

/// Draws one clause; its label is the topic of the act it lays down.
pub(crate) fn draw(dice: &mut Dice, carrier: Carrier) -> Draft {
    let plan = Plan::draw(dice);
    let writer = Writer { parties: draw_parties(carrier, dice) };
    Draft { label: plan.label(), text: compose(&writer.clause(&plan, dice)) }
}

/// What a clause says: one act laid down, others mentioned.
#[derive(Debug)]
struct Plan {
    rule: &'static Act,
    mentions: Vec<(&'static Act, Role)>,
}

impl Plan {
    fn draw(dice: &mut Dice) -> Self {
        let topic = Topic::ALL[dice.below(Topic::ALL.len())];
        let rule = draw_act(topic, dice);
        let mut mentions: Vec<(&'static Act, Role)> = Vec::new();
        let wanted = dice.weighted(&[(0, 14), (1, 46), (2, 40)]);
        while mentions.len() < wanted {
            let mention = (draw_act(other_topic(topic, dice), dice), draw_role(dice));
            let crowded = mentions.iter().any(|(_, role)| slot(*role) == slot(mention.1));
            if mention.0.core != rule.core && !crowded {
                mentions.push(mention);
            }
        }
        Self { rule, mentions }
    }

    /// Only what is laid down decides; what is mentioned never does.
    fn label(&self) -> usize {
        self.rule.topic as usize
    }
}

/// Mostly another topic than the rule's, at times the same.
fn other_topic(topic: Topic, dice: &mut Dice) -> Topic {
    loop {
        let other = Topic::ALL[dice.below(Topic::ALL.len())];
        if other != topic || dice.chance(30) {
            return other;
        }
    }
}

fn draw_act(topic: Topic, dice: &mut Dice) -> &'static Act {
    let known: Vec<&'static Act> = ACTS.iter().filter(|act| act.topic == topic).collect();
    dice.pick(&known)
}

fn draw_role(dice: &mut Dice) -> Role {
    dice.weighted(&[
        (Role::Condition, 26),
        (Role::Exception, 16),
        (Role::Proviso, 18),
        (Role::Replaced, 10),
        (Role::Disclaimer, 12),
        (Role::Superseded, 10),
        (Role::Elsewhere, 8),
    ])
}

/// Where a mention stands; a clause has one of each at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Before,
    After,
    Sentence,
}

fn slot(role: Role) -> Slot {
    match role {
        Role::Condition | Role::Exception | Role::Replaced => Slot::Before,
        Role::Proviso => Slot::After,
        Role::Disclaimer | Role::Superseded | Role::Elsewhere => Slot::Sentence,
    }
}

/// Two parties: by their part, by name, or mixed; the planted name where the plan asks for it.
fn draw_parties(carrier: Carrier, dice: &mut Dice) -> [String; 2] {
    let (first, second) = *dice.from(ROLES);
    let mut parties = [first.to_owned(), second.to_owned()];
    let name = match carrier {
        Carrier::Planted(name) => Some(name),
        Carrier::Free => dice.chance(30).then(|| dice.pick(NAMES)),
    };
    if let Some(name) = name {
        parties[dice.below(2)] = name.to_owned();
    }
    parties
}

/// Who the clause is between.
struct Writer {
    parties: [String; 2],
}

impl Writer {
    /// The sentences of the clause.
    fn clause(&self, plan: &Plan, dice: &mut Dice) -> Vec<String> {
        let mut before = String::new();
        let mut after = String::new();
        let mut sentences = Vec::new();
        for (act, role) in &plan.mentions {
            let said = self.say(act, dice.fresh(mention(*role, act.mode)), dice);
            match slot(*role) {
                Slot::Before => before = said,
                Slot::After => after = said,
                Slot::Sentence => sentences.push(said),
            }
        }
        if before.is_empty() && dice.chance(25) {
            before = reference(dice);
        }
        let main = self.say(plan.rule, dice.pick(rule(plan.rule.mode)), dice);
        sentences.insert(dice.below(sentences.len() + 1), format!("{before}{main}{after}"));
        self.frame(sentences, dice)
    }

    /// Adds a number before the clause and a remark after it, at times.
    fn frame(&self, mut sentences: Vec<String>, dice: &mut Dice) -> Vec<String> {
        if dice.chance(40) {
            sentences.push(fill(dice.pick(ASIDES), &mut |name| dice.pick(list(name)).to_owned()));
        }
        if dice.chance(25) {
            sentences.insert(0, format!("clause {}:", dice.pick(OWN_NUMBERS)));
        }
        sentences
    }

    fn say(&self, act: &Act, frame: &str, dice: &mut Dice) -> String {
        let party = self.parties[dice.below(2)].clone();
        let place = dice.pick(PLACES);
        fill(frame, &mut |name| match name {
            "p" => party.clone(),
            "core" => act.core.replace("{place}", place),
            "tail" => dice.pick(act.tails).to_owned(),
            "n" => dice.pick(NUMBERS).to_owned(),
            other => unreachable!("no slot is called {other}"),
        })
    }
}

/// The words that a remark's slot chooses from.
fn list(slot: &str) -> &'static [&'static str] {
    match slot {
        "n" => NUMBERS,
        "goods" => GOODS,
        "town" => TOWNS,
        "month" => MONTHS,
        other => unreachable!("no slot is called {other}"),
    }
}

/// A reference to another clause by its heading.
fn reference(dice: &mut Dice) -> String {
    let heading = Topic::ALL[dice.below(Topic::ALL.len())].heading();
    fill(dice.pick(REFERENCES), &mut |name| {
        if name == "heading" { heading.to_owned() } else { dice.pick(NUMBERS).to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_what_is_laid_down() {
        let mut dice = Dice::new(1, 3);
        for _ in 0..2000 {
            let plan = Plan::draw(&mut dice);
            let writer = Writer { parties: draw_parties(Carrier::Free, &mut dice) };
            let text = compose(&writer.clause(&plan, &mut dice));
            let chars: Vec<char> = text.text.chars().collect();
            let [[start, end]] = text.rationale[..] else { panic!("one rule in {}", text.text) };
            let marked: String = chars[start..end].iter().collect();
            let verb = plan.rule.core.split("{place}").next().unwrap_or_default();
            assert!(marked.contains(verb), "{marked} in {}", text.text);
        }
    }

    #[test]
    fn every_topic_is_mentioned_under_every_label() {
        let mut dice = Dice::new(2, 3);
        let mut seen = [[0; 5]; 5];
        for _ in 0..5000 {
            let plan = Plan::draw(&mut dice);
            for (act, _) in &plan.mentions {
                seen[plan.label()][act.topic as usize] += 1;
            }
        }
        assert!(seen.iter().flatten().all(|count| *count > 30), "{seen:?}");
    }
}
