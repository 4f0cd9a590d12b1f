//! The observations of the triage notes: heart rate, blood pressure, saturations and breathing rate.

use super::cues::Level;
use super::phrases::Voice;
use super::rules::Readings;
use super::setting::{Person, marker};
use crate::dice::Dice;
use crate::text::{Mark, phrase};

/// One kind of observation with its values by gravity.
struct Gauge {
    full: &'static str,
    short: &'static str,
    unit: &'static str,
    normal: &'static [&'static str],
    amber: &'static [&'static str],
    red: &'static [&'static str],
}

const GAUGES: &[Gauge] = &[
    Gauge {
        full: "a heart rate of",
        short: "HR",
        unit: "",
        normal: &["68", "72", "76", "80"],
        amber: &["114", "118", "122"],
        red: &["144", "148", "152"],
    },
    Gauge {
        full: "a blood pressure of",
        short: "BP",
        unit: "",
        normal: &["118/74", "124/78", "132/80"],
        amber: &["96/60", "98/62"],
        red: &["74/40", "78/44", "82/48"],
    },
    SATS,
    Gauge {
        full: "a breathing rate of",
        short: "RR",
        unit: "",
        normal: &["14", "16", "18"],
        amber: &["23", "24"],
        red: &["34", "36"],
    },
];

const SATS: Gauge = Gauge {
    full: "saturations of",
    short: "sats",
    unit: "%",
    normal: &["97", "98", "99"],
    amber: &["92", "93"],
    red: &["82", "84", "86"],
};

impl Gauge {
    fn value(&self, level: Level, dice: &mut Dice) -> String {
        let values = match level {
            Level::Red => self.red,
            Level::Amber => self.amber,
            Level::Green | Level::None => self.normal,
        };
        format!("{}{}", dice.pick(values), self.unit)
    }

    fn show(&self, level: Level, voice: Voice, dice: &mut Dice) -> String {
        let name = if voice == Voice::Full { self.full } else { self.short };
        format!("{name} {}", self.value(level, dice))
    }
}

const FULL_BEFORE: &[&str] = &[
    "saturations <were> {bad} <last winter> and are {good} today",
    "saturations of {bad} were recorded <in {year}>; today they are {good}",
];
const FULL_FAULT: &[&str] = &[
    "the first saturations of {bad} came <from a loose probe>; the repeat shows {good}",
    "the monitor showed saturations of {bad} <by mistake>, and the repeat was {good}",
];
const TERSE_BEFORE: &[&str] = &["sats {bad} <last winter>, {good} today", "sats {bad} <in {year}>, now {good}"];
const TERSE_FAULT: &[&str] =
    &["sats {bad} with <loose probe>, {good} on repeat", "first sats {bad} <in error>, repeat {good}"];

/// The sentence of the observations.
pub(crate) fn readings(readings: Readings, mark: Mark, person: Person, voice: Voice, dice: &mut Dice) -> String {
    let frames = match (readings, voice) {
        (Readings::Now(level), _) => return current(level, mark, voice, dice),
        (Readings::Before, Voice::Full) => FULL_BEFORE,
        (Readings::Before, Voice::Terse) => TERSE_BEFORE,
        (Readings::Fault, Voice::Full) => FULL_FAULT,
        (Readings::Fault, Voice::Terse) => TERSE_FAULT,
    };
    let (bad, good) = (SATS.value(Level::Red, dice), SATS.value(Level::None, dice));
    phrase(dice.fresh(frames), &[marker(mark)], &mut |name| match name {
        "bad" => bad.clone(),
        "good" => good.clone(),
        other => person.slot(other, dice),
    })
}

/// Two or three observations of today, one of them as grave as said and the others normal.
fn current(level: Level, mark: Mark, voice: Voice, dice: &mut Dice) -> String {
    let mut order: Vec<&Gauge> = GAUGES.iter().collect();
    dice.shuffle(&mut order);
    let grave = order[0].show(level, voice, dice);
    let decides = mark == Mark::Whole && level >= Level::Amber;
    let mut shown = vec![if decides { format!("[{grave}]") } else { grave }];
    let more = 1 + dice.below(2);
    shown.extend(order[1..=more].iter().map(|gauge| gauge.show(Level::None, voice, dice)));
    dice.shuffle(&mut shown);
    let last = shown.pop().unwrap_or_default();
    match voice {
        Voice::Full => {
            let start = dice.pick(&["observations show", "the nurse records", "triage measured"]);
            format!("{start} {} and {last}", shown.join(", "))
        }
        Voice::Terse => format!("{}{}, {last}", dice.pick(&["obs: ", "", "today "]), shown.join(", ")),
    }
}
