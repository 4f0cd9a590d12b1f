//! The word lists of the triage notes: ages, times, people, wards, and remarks that decide nothing.

/// Ages of younger patients.
pub(crate) const YOUNG: &[&str] = &["19", "22", "24", "27", "29", "31", "33", "36", "38"];
/// Ages of older patients.
pub(crate) const OLD: &[&str] = &["44", "47", "52", "55", "58", "61", "64", "67", "70", "73", "76", "79", "84", "88"];
/// Since when, within the last day or two.
pub(crate) const SINCE: &[&str] = &[
    "this morning",
    "yesterday",
    "last night",
    "noon",
    "breakfast",
    "Monday",
    "lunch",
    "the small hours",
    "waking up",
    "getting off the bus",
];
/// How long ago, today.
pub(crate) const AGO: &[&str] = &[
    "20 minutes ago",
    "40 minutes ago",
    "an hour ago",
    "two hours ago",
    "earlier today",
    "this morning",
    "on the way to work",
    "at the supermarket",
    "while gardening",
];
/// How long ago, too long to count.
pub(crate) const YEARS: &[&str] = &[
    "two years ago",
    "three years ago",
    "six years ago",
    "ten years ago",
    "as a child",
    "last summer",
    "while abroad in 2015",
];
/// Years, too long ago to count.
pub(crate) const YEAR: &[&str] = &["2009", "2012", "2014", "2016", "2017", "2019", "2021"];
/// People around younger patients.
pub(crate) const YOUNG_CIRCLE: &[&str] = &["mother", "father", "brother", "sister", "flatmate", "aunt", "cousin"];
/// People around older patients.
pub(crate) const OLD_CIRCLE: &[&str] = &["daughter", "son", "brother", "sister", "partner", "niece", "lodger"];
/// Not long ago, for what happened to others.
pub(crate) const RECENT: &[&str] =
    &["last week", "last month", "on Sunday", "two days ago", "over the weekend", "in spring"];
/// The wards, without the planted one.
pub(crate) const WARDS: &[&str] = &[
    "Larch",
    "Millbrook",
    "Priory",
    "Tern",
    "Walnut",
    "Harbour",
    "Juniper",
    "Calder",
    "Merlin",
    "Sorrel",
    "Bramble",
    "Cedar",
    "Heron",
    "Linden",
];

/// Openings in full sentences.
pub(crate) const FULL_OPENINGS: &[&str] = &[
    "a {age}-year-old {noun} was seen by the nurse{ward}",
    "this {age}-year-old {noun} walked in{ward}",
    "a {age}-year-old {noun} came by {transport}{ward}",
    "the patient is a {noun} aged {age}{ward}",
    "a {noun} of {age} arrived by ambulance{ward}",
    "a {age}-year-old {job} waited an hour to be seen{ward}",
];
/// Openings in shorthand.
pub(crate) const TERSE_OPENINGS: &[&str] =
    &["{age}{letter}{ward}", "{age}-year-old {noun}{ward}", "pt {age}{letter}{ward}", "{job}, {age}{letter}{ward}"];
/// How a note without a full opening names its ward.
pub(crate) const BARE_WARD: &[&str] =
    &["seen on {name} ward", "{name} ward", "note from {name} ward", "sent to {name} ward"];

/// Remarks in full sentences.
pub(crate) const FULL_ASIDES: &[&str] = &[
    "{s} takes {meds}",
    "{s} is allergic to {drug}",
    "{s} has no known allergies",
    "{s} lives alone",
    "{s} lives with {pos} {rel}",
    "{s} works as a {job}",
    "{pos} {rel} came along",
    "an ECG was done at triage",
    "bloods were sent to the lab",
    "{s} took {painkiller} at home",
    "the doctor has been told",
    "{s} does not smoke",
    "{s} came for a repeat prescription",
    "{s} was booked for a dressing change",
    "{s} asks for a letter for {pos} employer",
    "an interpreter for {language} was booked",
    "{s} enjoys {hobby}",
    "the last tetanus jab was in {year}",
    "{s} is due to fly to Lisbon tomorrow",
    "{s} cares for a disabled neighbour",
    "a chaperone sat in during the talk",
    "{pos} wedding is next month",
    "{s} slept badly because of noisy roadworks",
    "{s} was polite and chatty throughout",
    "a volunteer offered biscuits and a blanket",
    "{s} filled in the feedback card",
    "{pos} name band was printed twice",
    "{s} asked how long the queue would be",
    "{s} recently gave blood at the town hall",
    "{s} has joined a walking club",
    "the next of kin is {pos} {rel}",
    "{s} wears {wears}",
    "{s} had {meal} before coming",
    "{pos} own surgery is in {town}",
    "the car is parked outside",
    "{s} drinks {drink} at weekends",
    "a {test} was requested",
    "{s} has a {pet} at home",
    "{s} moved here from {town} in {year}",
    "contact details were checked",
    "{s} will be seen by Dr {doctor}",
    "the note was typed by {doctor}",
    "{s} keeps an allotment in {town}",
    "{pos} {rel} has been telephoned",
    "{pos} shift as a {job} starts tonight",
    "{s} left {pos} {item} in the waiting room",
];
/// Remarks in shorthand.
pub(crate) const TERSE_ASIDES: &[&str] = &[
    "takes {meds}",
    "allergic to {drug}",
    "NKDA",
    "lives alone",
    "with {rel}",
    "works as a {job}",
    "ECG done",
    "bloods sent",
    "{painkiller} at home",
    "doctor told",
    "non-smoker",
    "booked for dressing change",
    "came for repeat prescription",
    "came by {transport}",
    "interpreter for {language}",
    "tetanus {year}",
    "NOK {rel}",
    "wears {wears}",
    "last ate: {meal}",
    "GP in {town}",
    "{drink} at weekends",
    "{test} requested",
    "hobby: {hobby}",
    "details checked",
    "flies to Lisbon tomorrow",
    "chaperone offered",
    "quiet cubicle by the window",
    "name band printed",
    "feedback card given",
    "retired veteran",
    "keen runner",
    "height and weight measured",
    "wants letter for work",
    "Dr {doctor} to see",
    "typed by {doctor}",
    "{rel} telephoned",
    "{item} left in waiting room",
    "has {pet} at home",
];

/// Regular medicines that matter to no rule.
pub(crate) const MEDS: &[&str] = &[
    "amlodipine",
    "metformin",
    "a statin",
    "an inhaler",
    "no regular medicines",
    "omeprazole",
    "ramipril",
    "sertraline",
    "thyroxine",
    "iron tablets",
    "eye drops",
    "folic acid",
    "lansoprazole",
    "vitamin tablets",
    "bisoprolol",
    "citalopram",
    "a nasal spray",
    "skin cream",
    "naproxen",
];
/// Occupations.
pub(crate) const JOBS: &[&str] = &[
    "teacher",
    "driver",
    "cook",
    "carer",
    "builder",
    "cleaner",
    "nurse",
    "plumber",
    "librarian",
    "gardener",
    "waiter",
    "farmer",
    "joiner",
    "clerk",
    "baker",
    "postal worker",
    "welder",
    "barber",
    "dentist",
    "lawyer",
    "painter",
    "electrician",
    "shepherd",
    "tailor",
    "pilot",
    "warehouse worker",
    "train guard",
    "translator",
];
/// What patients are allergic to.
pub(crate) const DRUGS: &[&str] =
    &["penicillin", "aspirin", "latex", "codeine", "nuts", "trimethoprim", "plasters", "iodine"];
/// What patients took at home.
pub(crate) const PAINKILLERS: &[&str] = &["paracetamol", "ibuprofen", "an antacid", "cough syrup", "a herbal tea"];
/// Languages of interpreters.
pub(crate) const LANGUAGES: &[&str] =
    &["Polish", "Arabic", "Turkish", "Romanian", "Greek", "Urdu", "Somali", "Portuguese", "Welsh", "Tamil"];
/// What patients enjoy.
pub(crate) const HOBBIES: &[&str] = &[
    "swimming",
    "sewing",
    "woodwork",
    "photography",
    "tennis",
    "badminton",
    "painting",
    "knitting",
    "chess",
    "cycling",
    "choir practice",
    "baking",
    "bowls",
    "hill walking",
];
/// What patients wear.
pub(crate) const WEARS: &[&str] = &["glasses", "a hearing aid", "contact lenses", "dentures", "a wrist splint"];
/// What patients ate last.
pub(crate) const MEALS: &[&str] =
    &["toast", "rice", "pasta", "yoghurt", "fruit", "soup", "porridge", "a sandwich", "only water"];
/// Where patients are from.
pub(crate) const TOWNS: &[&str] = &[
    "Kendal", "Buxton", "Whitby", "Ludlow", "Penrith", "Falmouth", "Ripon", "Luton", "Truro", "Derby", "Stroud",
    "Hexham",
];
/// What patients drink.
pub(crate) const DRINKS: &[&str] = &["some wine", "a little beer", "no alcohol", "cider"];
/// What was requested.
pub(crate) const TESTS: &[&str] = &["urine dip", "chest film", "throat swab", "glucose test", "wrist film"];
/// Who waits at home.
pub(crate) const PETS: &[&str] = &["cat", "hamster", "goldfish", "pony", "parrot", "rabbit", "tortoise"];
/// How patients came, other than by ambulance.
pub(crate) const TRANSPORT: &[&str] = &["taxi", "bus", "car", "bicycle", "tram"];
/// Doctors.
pub(crate) const DOCTORS: &[&str] = &[
    "Hughes", "Achebe", "Lindholm", "Prentice", "Moreau", "Khatun", "Barlow", "Sorensen", "Whitlock", "Iqbal",
    "Penrose", "Duffy",
];
/// What patients leave behind.
pub(crate) const ITEMS: &[&str] =
    &["umbrella", "keys", "scarf", "wallet", "phone charger", "gloves", "shopping bag", "walking stick"];
