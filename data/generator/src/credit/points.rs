//! The points that credit memos weigh, and the words around them.

use super::rules::{Point, Weight, Who};

const fn point(np: &'static str, bare: &'static str, weight: Weight, who: Who) -> Point {
    Point { np, bare, weight, who }
}

/// All points.
pub(crate) const POINTS: &[Point] = &[
    point("a default", "default", Weight::Hard, Who::Any),
    point("a missed payment", "missed payment", Weight::Hard, Who::Any),
    point("a county court judgment", "county court judgment", Weight::Hard, Who::Any),
    point("an undisclosed loan", "undisclosed loan", Weight::Hard, Who::Any),
    point("an unpaid tax bill", "unpaid tax bill", Weight::Hard, Who::Any),
    point("a returned direct debit", "returned direct debit", Weight::Hard, Who::Any),
    point("an unauthorised overdraft", "unauthorised overdraft", Weight::Hard, Who::Any),
    point("a bankruptcy order", "bankruptcy order", Weight::Hard, Who::Person),
    point("payday borrowing", "payday borrowing", Weight::Hard, Who::Person),
    point("a gambling habit", "gambling habit", Weight::Hard, Who::Person),
    point("a winding-up petition", "winding-up petition", Weight::Hard, Who::Firm),
    point("a breach of covenant", "breach of covenant", Weight::Hard, Who::Firm),
    point("a trading loss", "trading loss", Weight::Hard, Who::Firm),
    point("a thin credit file", "thin credit file", Weight::Soft, Who::Any),
    point("an uneven income", "uneven income", Weight::Soft, Who::Any),
    point("a high card balance", "high card balance", Weight::Soft, Who::Person),
    point("a gap in employment", "gap in employment", Weight::Soft, Who::Person),
    point("a dependence on one customer", "dependence on one customer", Weight::Soft, Who::Firm),
    point("a dip in turnover", "dip in turnover", Weight::Soft, Who::Firm),
    point("a delay in filing accounts", "delay in filing accounts", Weight::Soft, Who::Firm),
    point("a clean payment record", "clean payment record", Weight::Strength, Who::Any),
    point("a good savings balance", "good savings balance", Weight::Strength, Who::Any),
    point("a regular surplus", "regular surplus", Weight::Strength, Who::Any),
    point("a steady salary", "steady salary", Weight::Strength, Who::Person),
    point("a permanent contract", "permanent contract", Weight::Strength, Who::Person),
    point("a second income", "second income", Weight::Strength, Who::Person),
    point("a rising profit", "rising profit", Weight::Strength, Who::Firm),
    point("a full order book", "full order book", Weight::Strength, Who::Firm),
    point("a healthy cash flow", "healthy cash flow", Weight::Strength, Who::Firm),
    point("a full guarantee", "full guarantee", Weight::Security, Who::Any),
    point("full cash cover", "full cash cover", Weight::Security, Who::Any),
    point("a first charge on property", "first charge on property", Weight::Security, Who::Any),
    point("an independent guarantee", "independent guarantee", Weight::Security, Who::Any),
];

/// Frames for the first sentence.
pub(crate) const OPENINGS: &[&str] = &[
    "request for {product} of {sum}{officer}",
    "{s} asks for {product} of {sum}{officer}",
    "{product} of {sum}{officer}",
    "application for {product}{officer}",
    "this memo concerns {product} of {sum}{officer}",
];
/// How an opening names its officer.
pub(crate) const OFFICER_TAILS: &[&str] = &[", officer {name}", ", presented by {name}", ", reviewed by {name}"];
/// How a memo without an opening names its officer.
pub(crate) const OFFICER_LINES: &[&str] = &["officer: {name}", "memo by {name}", "presented by {name}"];
/// The officers, without the planted one.
pub(crate) const OFFICERS: &[&str] =
    &["Lindqvist", "Okafor", "Marsh", "Tanner", "Reid", "Castle", "Novak", "Sutton", "Bianchi", "Farrow"];

/// Small sums.
const SMALL: &[&str] = &["£5,000", "£8,000", "£12,000", "£18,000", "£25,000"];
/// Sums for business.
const MIDDLE: &[&str] = &["£18,000", "£25,000", "£40,000", "£60,000", "£80,000"];
/// Sums for property.
const LARGE: &[&str] = &["£150,000", "£180,000", "£220,000", "£300,000"];

/// What a customer asks for, and the sums that go with it.
pub(crate) type Product = (&'static str, &'static [&'static str]);

/// What private customers ask for.
pub(crate) const PERSON_PRODUCTS: &[Product] = &[
    ("a car loan", SMALL),
    ("a personal loan", SMALL),
    ("a home improvement loan", SMALL),
    ("a mortgage", LARGE),
    ("a bridging loan", LARGE),
    ("a holiday loan", SMALL),
];
/// What businesses ask for.
pub(crate) const FIRM_PRODUCTS: &[Product] = &[
    ("an overdraft", MIDDLE),
    ("a term loan", MIDDLE),
    ("a van lease", SMALL),
    ("a property loan", LARGE),
    ("an invoice line", MIDDLE),
    ("a stock loan", MIDDLE),
];

/// How private customers are called.
pub(crate) const PERSON_NAMES: &[&str] = &["the applicant", "the borrower", "the customer"];
/// How businesses are called.
pub(crate) const FIRM_NAMES: &[&str] = &["the company", "the business", "the firm"];
/// Whose a private customer's points can be instead.
pub(crate) const PERSON_OTHERS: &[&str] =
    &["a namesake", "the former partner", "a brother", "the previous tenant", "a late aunt", "an old flatmate"];
/// Whose a business's points can be instead.
pub(crate) const FIRM_OTHERS: &[&str] =
    &["a sister company", "the previous owner", "a near namesake", "a supplier", "the landlord", "a rival"];

/// Years long enough ago.
pub(crate) const YEARS: &[&str] = &["2009", "2012", "2014", "2016", "2017", "2019"];
/// Times not long ago.
pub(crate) const RECENT: &[&str] = &["last month", "this spring", "in the last quarter", "this year", "in March"];

/// Remarks about private customers that decide nothing.
pub(crate) const PERSON_ASIDES: &[&str] = &[
    "the term is {term} years",
    "repayment would be monthly",
    "the rate would be fixed",
    "payslips were seen",
    "{s} works as a {job}",
    "{s} rents a flat",
    "{s} moved here in {year}",
    "{s} also mentioned plans for {home}",
    "the request came by {channel}",
    "the officer met {s} {recent}",
    "{s} has {children} children",
    "{s} banks with the {town} branch",
    "the car is kept in {town}",
    "identity was checked against a passport",
    "{s} prefers a fixed payment date",
    "a translation of the deed is attached",
    "photographs of the vehicle were supplied",
    "the interview lasted forty minutes",
    "{s} brought a folder of letters",
    "the calculator on our website was used first",
    "{s} heard of the bank through a radio advert",
    "signatures match the specimen card",
    "the cooling-off notice was explained",
    "a broker in {town} made the introduction",
    "{s} plans to move to {town}",
    "insurance was declined by {s} as too dear",
    "the hobby named on the form is {hobby}",
];
/// Remarks about businesses that decide nothing.
pub(crate) const FIRM_ASIDES: &[&str] = &[
    "the term is {term} years",
    "repayment would be monthly",
    "the rate would be fixed",
    "accounts for two years were seen",
    "{s} runs a {trade}",
    "{s} rents its premises",
    "{s} was founded in {year}",
    "{s} also mentioned plans for {plant}",
    "the request came by {channel}",
    "the officer visited the site {recent}",
    "{s} employs {staff} people",
    "{s} banks with the {town} branch",
    "the head office is in {town}",
    "the auditors are based in {town}",
    "{s} exports {goods}",
    "a broker in {town} made the introduction",
    "{s} plans a second site in {town}",
    "the board meets every month",
    "the lease on the showroom runs to Christmas",
    "minutes of the annual meeting are attached",
    "{s} sponsors a local football team",
    "the brochure describes eleven product lines",
    "two apprentices joined after the summer holidays",
    "the logo was redrawn recently",
    "an environmental questionnaire was completed",
    "the warehouse roof carries solar panels",
    "{s} buys its {goods} at auction",
];
/// Terms of loans, in years.
pub(crate) const TERMS: &[&str] = &["two", "three", "four", "five", "seven", "ten"];
/// What private customers work as.
pub(crate) const JOBS: &[&str] = &[
    "teacher",
    "driver",
    "cook",
    "carer",
    "builder",
    "nurse",
    "librarian",
    "plumber",
    "clerk",
    "florist",
    "mechanic",
    "surveyor",
    "optician",
    "chef",
    "architect",
    "courier",
    "translator",
    "electrician",
    "potter",
];
/// What businesses run.
pub(crate) const TRADES: &[&str] = &[
    "bakery",
    "garage",
    "farm shop",
    "print works",
    "hotel",
    "haulage yard",
    "brewery",
    "nursery",
    "sawmill",
    "pharmacy",
    "dairy",
    "boatyard",
    "laundry",
    "tannery",
    "vineyard",
    "cinema",
    "foundry",
    "campsite",
    "bookshop",
];
/// What private customers want the money for.
pub(crate) const HOMES: &[&str] = &[
    "a new kitchen",
    "a used car",
    "a wedding",
    "roof repairs",
    "solar panels",
    "a motorbike",
    "a garden office",
    "dental work",
    "a piano",
    "a caravan",
    "double glazing",
    "a loft conversion",
    "a language course",
    "a heat pump",
];
/// What businesses want the money for.
pub(crate) const PLANT: &[&str] = &[
    "new equipment",
    "a larger oven",
    "a forklift",
    "office furniture",
    "seasonal stock",
    "a cold store",
    "new software",
    "a lathe",
    "a delivery bicycle",
    "a printing press",
    "warehouse racking",
    "a tractor",
    "shop fittings",
    "a packing machine",
];
/// How requests arrive.
pub(crate) const CHANNELS: &[&str] = &["post", "telephone", "email", "web form"];
/// Towns with a branch.
pub(crate) const TOWNS: &[&str] = &[
    "Kendal", "Buxton", "Whitby", "Ludlow", "Penrith", "Falmouth", "Ripon", "Luton", "Truro", "Derby", "Stroud",
    "Hexham", "Oban",
];
/// How many children.
pub(crate) const CHILDREN: &[&str] = &["no", "two", "three", "four"];
/// How many people a business employs.
pub(crate) const STAFF: &[&str] = &["six", "nine", "twelve", "twenty", "forty"];
/// What businesses trade in.
pub(crate) const GOODS: &[&str] = &[
    "timber",
    "glass",
    "tiles",
    "leather",
    "honey",
    "paper",
    "paint",
    "candles",
    "toys",
    "carpets",
    "wool",
    "cheese",
    "furniture",
    "pottery",
    "seeds",
    "bicycles",
];
/// What applicants name as a hobby.
pub(crate) const HOBBIES: &[&str] =
    &["sailing", "pottery", "astronomy", "fencing", "ballet", "chess", "cycling", "baking", "angling"];
