//! What parties to a contract owe, may do and must not do, by topic.

/// The topics, which are the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Ending the agreement.
    Termination,
    /// Answering for loss and damage.
    Liability,
    /// Keeping things secret.
    Confidentiality,
    /// Fees and invoices.
    Payment,
    /// Whose law and whose courts.
    GoverningLaw,
}

impl Topic {
    /// All topics, in the order of their numbers.
    pub(crate) const ALL: [Self; 5] =
        [Self::Termination, Self::Liability, Self::Confidentiality, Self::Payment, Self::GoverningLaw];

    /// Its name in a heading.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Termination => "Termination",
            Self::Liability => "Liability",
            Self::Confidentiality => "Confidentiality",
            Self::Payment => "Payment",
            Self::GoverningLaw => "Governing Law",
        }
    }
}

/// What an act is to the party that it is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Something it must do.
    Duty,
    /// Something it may do.
    Right,
    /// Something it must not do.
    Ban,
}

/// One act.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Act {
    /// What it is about.
    pub(crate) topic: Topic,
    /// Whether it is a duty, a right or a ban.
    pub(crate) mode: Mode,
    /// The verb and its object.
    pub(crate) core: &'static str,
    /// Ways to go on, each empty or with a leading blank.
    pub(crate) tails: &'static [&'static str],
}

const fn act(topic: Topic, mode: Mode, core: &'static str, tails: &'static [&'static str]) -> Act {
    Act { topic, mode, core, tails }
}

/// All acts.
pub(crate) const ACTS: &[Act] = &[
    act(Topic::Payment, Mode::Duty, "pay the fees", &[" within thirty days", " each month in advance", " in full", ""]),
    act(Topic::Payment, Mode::Duty, "settle every invoice", &[" within thirty days", " by bank transfer", ""]),
    act(Topic::Payment, Mode::Right, "charge interest on late sums", &[" at four per cent a year", ""]),
    act(Topic::Payment, Mode::Duty, "reimburse travel costs", &[" against receipts", " within fourteen days"]),
    act(Topic::Payment, Mode::Duty, "pay a deposit", &[" before work begins", " by bank transfer"]),
    act(Topic::Payment, Mode::Duty, "refund any overpayment", &[" within fourteen days", " in full"]),
    act(
        Topic::Payment,
        Mode::Ban,
        "withhold any part of the price",
        &[" without written reasons", " in case of a claim"],
    ),
    act(Topic::Payment, Mode::Right, "raise the price", &[" once a year", " by written notice"]),
    act(Topic::Payment, Mode::Right, "send an invoice", &[" at the end of each month", " once notice is given"]),
    act(
        Topic::Termination,
        Mode::Right,
        "terminate this agreement",
        &[" by written notice", " within thirty days", " in full"],
    ),
    act(
        Topic::Termination,
        Mode::Right,
        "end this agreement at once",
        &[" if fees remain unpaid", " by written notice"],
    ),
    act(Topic::Termination, Mode::Right, "cancel any open order", &[" before delivery", " within fourteen days"]),
    act(Topic::Termination, Mode::Right, "withdraw from this agreement", &[" once a year", " in case of a claim"]),
    act(
        Topic::Termination,
        Mode::Duty,
        "bring the services to an end",
        &[" within thirty days", " on the expiry date"],
    ),
    act(Topic::Termination, Mode::Ban, "terminate this agreement", &[" in the first year", " without written reasons"]),
    act(
        Topic::Termination,
        Mode::Duty,
        "give notice of non-renewal",
        &[" within fourteen days", " before the expiry date"],
    ),
    act(
        Topic::Termination,
        Mode::Ban,
        "cancel the services",
        &[" before the expiry date", " because of a late invoice"],
    ),
    act(Topic::Liability, Mode::Duty, "indemnify the other party", &[" against third-party claims", " in full"]),
    act(Topic::Liability, Mode::Duty, "make good any damage", &[" caused by its staff", " within thirty days"]),
    act(Topic::Liability, Mode::Duty, "bear the risk of loss", &[" until delivery", " before delivery"]),
    act(Topic::Liability, Mode::Right, "limit its liability", &[" to the price paid", " to the fees of one year"]),
    act(
        Topic::Liability,
        Mode::Ban,
        "claim for loss of profit",
        &[" from the other party", " once this agreement ends"],
    ),
    act(Topic::Liability, Mode::Right, "recover damages", &[" for late delivery", " for late payment"]),
    act(Topic::Liability, Mode::Ban, "exclude its liability", &[" for fraud", " for loss caused by its staff"]),
    act(Topic::Liability, Mode::Duty, "compensate the other party", &[" for any loss", " for defective services"]),
    act(
        Topic::Confidentiality,
        Mode::Duty,
        "keep the technical data secret",
        &[" for five years", " once this agreement ends"],
    ),
    act(
        Topic::Confidentiality,
        Mode::Ban,
        "disclose the price list",
        &[" to any third party", " without written consent"],
    ),
    act(
        Topic::Confidentiality,
        Mode::Duty,
        "return all confidential papers",
        &[" within fourteen days", " before the expiry date"],
    ),
    act(Topic::Confidentiality, Mode::Right, "share the report", &[" with its staff", " with any court"]),
    act(Topic::Confidentiality, Mode::Ban, "publish the results", &[" without written consent", " before delivery"]),
    act(
        Topic::Confidentiality,
        Mode::Duty,
        "destroy its copies of the records",
        &[" within thirty days", " on the expiry date"],
    ),
    act(
        Topic::Confidentiality,
        Mode::Ban,
        "reveal the terms of this agreement",
        &[" to the press", " to any third party"],
    ),
    act(
        Topic::Confidentiality,
        Mode::Ban,
        "use the invoice data",
        &[" for any other purpose", " without written consent"],
    ),
    act(Topic::GoverningLaw, Mode::Duty, "bring any claim in the courts of {place}", &[" by written notice", ""]),
    act(Topic::GoverningLaw, Mode::Duty, "refer every dispute to arbitration in {place}", &[" within thirty days", ""]),
    act(
        Topic::GoverningLaw,
        Mode::Duty,
        "submit to the jurisdiction of {place}",
        &[" for any claim", " in case of a claim"],
    ),
    act(Topic::GoverningLaw, Mode::Duty, "apply the law of {place}", &[" to this agreement", " to any claim for fees"]),
    act(Topic::GoverningLaw, Mode::Ban, "sue outside {place}", &[" for any unpaid invoice", " for any loss"]),
    act(
        Topic::GoverningLaw,
        Mode::Right,
        "turn to the courts of {place}",
        &[" for any third-party claims", " by written notice"],
    ),
    act(Topic::GoverningLaw, Mode::Duty, "accept the law of {place}", &[" for this agreement", " for any dispute"]),
    act(Topic::GoverningLaw, Mode::Duty, "appoint an agent for service in {place}", &[" within fourteen days", ""]),
    act(
        Topic::Payment,
        Mode::Duty,
        "pay the licence fee",
        &[" in four instalments", " on the first day of each quarter"],
    ),
    act(Topic::Payment, Mode::Right, "deduct bank charges", &[" from the next invoice", " from the deposit"]),
    act(Topic::Payment, Mode::Duty, "pay all taxes due on the price", &[" in full", " within thirty days"]),
    act(Topic::Payment, Mode::Ban, "set off its own claims against the fees", &["", " without written consent"]),
    act(
        Topic::Payment,
        Mode::Right,
        "suspend payment of a disputed invoice",
        &[" for thirty days", " by written notice"],
    ),
    act(
        Topic::Termination,
        Mode::Right,
        "let this agreement lapse",
        &[" on the expiry date", " in case of insolvency"],
    ),
    act(Topic::Termination, Mode::Right, "revoke the licence", &[" for a serious breach", " by written notice"]),
    act(Topic::Termination, Mode::Duty, "close the account", &[" on the expiry date", " at the end of each quarter"]),
    act(
        Topic::Termination,
        Mode::Right,
        "rescind any contract of sale",
        &[" for a serious breach", " before delivery"],
    ),
    act(Topic::Termination, Mode::Ban, "renew this agreement", &[" in case of insolvency", " without written consent"]),
    act(Topic::Liability, Mode::Duty, "answer for the acts of its agents", &[" in full", " towards the other party"]),
    act(Topic::Liability, Mode::Duty, "insure the equipment against theft", &[" until delivery", " for five years"]),
    act(Topic::Liability, Mode::Duty, "repair defective goods", &[" at its own cost", " within fourteen days"]),
    act(Topic::Liability, Mode::Ban, "seek compensation for delay", &[" caused by a strike", " in case of a flood"]),
    act(Topic::Liability, Mode::Right, "refuse liability for indirect loss", &[" in case of a strike", ""]),
    act(Topic::Confidentiality, Mode::Duty, "protect the trade secrets", &[" with proper care", " for five years"]),
    act(
        Topic::Confidentiality,
        Mode::Ban,
        "copy the design drawings",
        &[" for any other purpose", " without written consent"],
    ),
    act(Topic::Confidentiality, Mode::Duty, "encrypt all personal data", &[" before transfer", " with proper care"]),
    act(Topic::Confidentiality, Mode::Right, "show the accounts", &[" to its auditors", " to a tax office"]),
    act(Topic::Confidentiality, Mode::Duty, "treat the loss figures as private", &["", " for five years"]),
    act(Topic::GoverningLaw, Mode::Duty, "settle disputes before a mediator in {place}", &["", " within thirty days"]),
    act(Topic::GoverningLaw, Mode::Right, "appeal to the high court of {place}", &[" in case of a claim", ""]),
    act(
        Topic::GoverningLaw,
        Mode::Ban,
        "contest the jurisdiction of {place}",
        &[" in case of insolvency", " for any loss"],
    ),
    act(
        Topic::GoverningLaw,
        Mode::Duty,
        "read this agreement by the law of {place}",
        &["", " in any dispute about fees"],
    ),
];

/// Where courts sit.
pub(crate) const PLACES: &[&str] =
    &["England", "Scotland", "Ireland", "Norway", "France", "Denmark", "Delaware", "Ontario", "Malta", "Jersey"];

/// Pairs of parties by their part in the contract.
pub(crate) const ROLES: &[(&str, &str)] = &[
    ("the Supplier", "the Customer"),
    ("the Contractor", "the Client"),
    ("the Agency", "the Client"),
    ("the Consultant", "the Company"),
    ("the Licensor", "the Licensee"),
    ("the Carrier", "the Shipper"),
    ("the Author", "the Publisher"),
    ("the Manufacturer", "the Distributor"),
];

/// Parties by name, without the planted one.
pub(crate) const NAMES: &[&str] =
    &["Marlow", "Fenwick", "Ostara", "Tolland", "Brightwater", "Quillon", "Sandfield", "Ardmore"];
