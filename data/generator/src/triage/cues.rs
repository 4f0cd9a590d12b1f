//! The complaints of the triage notes, the risks that raise some of them, and how grave each is when present.

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Says nothing about the label.
    None,
    /// May wait: `routine`.
    Green,
    /// To be seen soon: `urgent`.
    Amber,
    /// To be seen at once: `emergency`.
    Red,
}

impl Level {
    /// One step less grave; what a symptom counts for once it has settled or is only possible.
    pub(crate) fn lowered(self) -> Self {
        match self {
            Self::Red => Self::Amber,
            Self::Amber => Self::Green,
            Self::Green | Self::None => Self::None,
        }
    }
}

/// Whether a complaint lasts or happened at one moment, which decides the frames it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It lasts: pain, fever, weakness.
    Symptom,
    /// It happened: a fall, a bite, a seizure.
    Event,
}

/// A kind of complaint that a risk can turn into an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partner {
    /// No risk of the list matters for it.
    Nothing,
    /// Blows to the head, which anticoagulants make dangerous.
    Head,
    /// Infections, which chemotherapy makes dangerous.
    Infection,
    /// Pain in the belly, which early pregnancy makes dangerous.
    Belly,
    /// Loss of fluid, which diabetes with ketones makes dangerous.
    Fluid,
}

/// One complaint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cue {
    /// With its article.
    pub(crate) np: &'static str,
    /// Without it.
    pub(crate) bare: &'static str,
    /// As nurses shorten it.
    pub(crate) short: &'static str,
    /// How grave it is when present.
    pub(crate) level: Level,
    /// Whether it lasts or happened.
    pub(crate) kind: Kind,
    /// The risk that would raise it.
    pub(crate) partner: Partner,
}

const fn cue(np: &'static str, bare: &'static str, short: &'static str, level: Level) -> Cue {
    Cue { np, bare, short, level, kind: Kind::Symptom, partner: Partner::Nothing }
}

const fn event(np: &'static str, bare: &'static str, level: Level) -> Cue {
    Cue { np, bare, short: bare, level, kind: Kind::Event, partner: Partner::Nothing }
}

const fn raised(base: Cue, partner: Partner) -> Cue {
    Cue { partner, ..base }
}

/// Complaints that make an emergency when present.
pub(crate) const RED: &[Cue] = &[
    cue("crushing chest pain", "crushing chest pain", "crushing CP", Level::Red),
    cue("chest tightness at rest", "chest tightness at rest", "chest tightness", Level::Red),
    cue("shortness of breath at rest", "shortness of breath at rest", "SOB at rest", Level::Red),
    cue("a facial droop", "facial droop", "facial droop", Level::Red),
    cue("slurred speech", "slurred speech", "slurred speech", Level::Red),
    cue("weakness in one arm", "weakness in one arm", "arm weakness", Level::Red),
    cue("heavy bleeding", "heavy bleeding", "heavy bleeding", Level::Red),
    cue("a non-blanching rash", "non-blanching rash", "non-blanching rash", Level::Red),
    cue("throat swelling", "throat swelling", "throat swelling", Level::Red),
    cue("a thunderclap headache", "thunderclap headache", "thunderclap headache", Level::Red),
    cue("confusion", "confusion", "confusion", Level::Red),
    cue("loss of vision", "loss of vision", "visual loss", Level::Red),
    cue("severe breathlessness", "severe breathlessness", "severe breathlessness", Level::Red),
    cue("neck stiffness", "neck stiffness", "neck stiffness", Level::Red),
    cue("a blue tinge to the lips", "blue tinge to the lips", "cyanosis", Level::Red),
    event("a seizure", "seizure", Level::Red),
    event("a collapse", "collapse", Level::Red),
];

/// Complaints that make a note urgent when present.
pub(crate) const AMBER: &[Cue] = &[
    raised(cue("a fever", "fever", "pyrexia", Level::Amber), Partner::Infection),
    raised(cue("an infected wound", "infected wound", "infected wound", Level::Amber), Partner::Infection),
    raised(cue("spreading cellulitis", "spreading cellulitis", "cellulitis", Level::Amber), Partner::Infection),
    raised(cue("persistent vomiting", "persistent vomiting", "vomiting", Level::Amber), Partner::Fluid),
    raised(cue("severe abdominal pain", "severe abdominal pain", "abdo pain", Level::Amber), Partner::Belly),
    raised(cue("pelvic pain", "pelvic pain", "pelvic pain", Level::Amber), Partner::Belly),
    cue("flank pain", "flank pain", "flank pain", Level::Amber),
    cue("a racing heart", "racing heart", "racing heart", Level::Amber),
    cue("a swollen calf", "swollen calf", "swollen calf", Level::Amber),
    cue("blood in the urine", "blood in the urine", "haematuria", Level::Amber),
    cue("a worsening wheeze", "worsening wheeze", "wheeze", Level::Amber),
    cue("a painful red eye", "painful red eye", "painful red eye", Level::Amber),
    cue("a severe migraine", "severe migraine", "migraine", Level::Amber),
    cue("a hot swollen joint", "hot swollen joint", "hot joint", Level::Amber),
    raised(cue("persistent diarrhoea", "persistent diarrhoea", "diarrhoea", Level::Amber), Partner::Fluid),
    event("a dog bite to the forearm", "dog bite to the forearm", Level::Amber),
    raised(event("a head injury", "head injury", Level::Amber), Partner::Head),
    event("a wrist fracture", "wrist fracture", Level::Amber),
    event("a deep cut to the hand", "deep cut to the hand", Level::Amber),
];

/// Complaints that may wait.
pub(crate) const GREEN: &[Cue] = &[
    cue("a sore throat", "sore throat", "sore throat", Level::Green),
    cue("a runny nose", "runny nose", "runny nose", Level::Green),
    cue("mild earache", "mild earache", "earache", Level::Green),
    cue("an itchy rash", "itchy rash", "itchy rash", Level::Green),
    cue("lower back ache", "lower back ache", "back ache", Level::Green),
    cue("hay fever", "hay fever", "hay fever", Level::Green),
    cue("constipation", "constipation", "constipation", Level::Green),
    cue("dry skin", "dry skin", "dry skin", Level::Green),
    cue("a stiff shoulder", "stiff shoulder", "stiff shoulder", Level::Green),
    cue("a blocked ear", "blocked ear", "blocked ear", Level::Green),
    cue("a sore knee", "sore knee", "sore knee", Level::Green),
    cue("mild indigestion", "mild indigestion", "indigestion", Level::Green),
    cue("an ingrown toenail", "ingrown toenail", "ingrown toenail", Level::Green),
    cue("a tickly cough", "tickly cough", "tickly cough", Level::Green),
    cue("a mouth ulcer", "mouth ulcer", "mouth ulcer", Level::Green),
    event("a grazed elbow", "grazed elbow", Level::Green),
    event("an ankle sprain", "ankle sprain", Level::Green),
    event("an insect bite", "insect bite", Level::Green),
];

/// Whether a risk holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// It does.
    Now,
    /// It does not, or no longer.
    Not,
}

/// A circumstance that turns its partner complaint into an emergency.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Risk {
    /// The complaints it matters for.
    pub(crate) partner: Partner,
    /// Phrases that say it holds; the operator is the risk itself.
    pub(crate) now: &'static [&'static str],
    /// Phrases that say it does not, or no longer, hold.
    pub(crate) not: &'static [&'static str],
}

/// The risks.
pub(crate) const RISKS: &[Risk] = &[
    Risk {
        partner: Partner::Head,
        now: &["{s} <takes warfarin> every day", "{s} is <on warfarin> for the heart", "medication: <warfarin>"],
        not: &["{s} stopped warfarin in {year}", "{s} does not take warfarin", "no longer on warfarin"],
    },
    Risk {
        partner: Partner::Infection,
        now: &[
            "{s} is <on chemotherapy> at present",
            "the last <chemotherapy> was {recent}",
            "<on chemo>, last cycle {recent}",
        ],
        not: &["{s} finished chemotherapy in {year}", "old course of chemotherapy in {year}", "never had chemotherapy"],
    },
    Risk {
        partner: Partner::Belly,
        now: &["{s} is <ten weeks pregnant>", "a <pregnancy test was positive> {recent}", "<early pregnancy> on scan"],
        not: &["{s} is not pregnant", "a pregnancy test was negative {recent}", "pregnancy excluded by test"],
    },
    Risk {
        partner: Partner::Fluid,
        now: &[
            "{s} has type 1 diabetes and <ketones are raised>",
            "diabetic on insulin, <ketones raised>",
            "a finger test shows <raised ketones>",
        ],
        not: &[
            "{s} has type 1 diabetes and ketones are normal",
            "diabetic on insulin, ketones normal",
            "no raised ketones",
        ],
    },
];
