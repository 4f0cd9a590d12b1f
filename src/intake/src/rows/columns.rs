//! Which column of a data file is for what: as the user says, or by the names that data sets have, or not at all.

use std::collections::HashSet;

use pellucid_protocol::settings::Switch;
use pellucid_protocol::settings::reading::{ColumnNames, Reading, Role};

/// The names of a pair of texts, the first text first: those of GLUE and SuperGLUE, and usual ones.
const PAIRS: &[(&str, &str)] = &[
    ("text", "text_pair"),
    ("text", "pair"),
    ("text", "text2"),
    ("text1", "text2"),
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "passage"),
    ("query", "passage"),
    ("query", "document"),
];
/// Columns of a table at most, as many as a spreadsheet has.
pub(super) const MOST: usize = 1 << 14;
/// The names of a single text.
const TEXTS: &[&str] = &["text", "sentence"];
/// The names of the label.
const LABELS: &[&str] = &["label", "labels", "class", "category", "is_duplicate", NLI_LABEL];
/// The label of SNLI and MNLI; `-` is none, where those who were asked do not agree.
pub(super) const NLI_LABEL: &str = "gold_label";
/// The names of what a row is called.
const IDS: &[&str] = &["id", "idx", "guid", "uid"];
/// The likeness of two names (Jaro and Winkler) from which one may be meant by the other, as clap does it.
const ALIKE: f64 = 0.7;
/// The name of the rationale.
const RATIONALE: &str = "rationale";

/// The columns of a file by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// The text.
    pub text: usize,
    /// The second text of a pair.
    pub pair: Option<usize>,
    /// The label.
    pub label: Option<usize>,
    /// What the row is called.
    pub id: Option<usize>,
    /// What must not be on both sides of a split.
    pub group: Option<usize>,
    /// The rationale.
    pub rationale: Option<usize>,
}

/// Why no columns are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unclear {
    /// What was named is not there, or there twice: what is wrong and what to do.
    Wrong(String),
    /// A column that was named is not there: the words that a list of the columns follows.
    Missing(String),
    /// Nobody can know: the words that a list of the columns follows.
    Unknown(String),
}

/// Columns that are listed at most.
const LISTED: usize = 12;

/// The column at `place` as a message names it.
fn called(names: &[String], place: usize) -> String {
    if names[place].is_empty() { format!("column {} without a name", place + 1) } else { names[place].clone() }
}

/// The first of some columns, and how many more there are.
pub(super) fn listed(columns: &[String]) -> String {
    let shown = columns[..columns.len().min(LISTED)].join(", ");
    if columns.len() > LISTED { format!("{shown} and {} more", columns.len() - LISTED) } else { shown }
}

/// Those of `names` that are not among `others`.
pub(super) fn not_in(names: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<String> = others.iter().map(|name| folded(name)).collect();
    names.iter().filter(|name| !others.contains(&folded(name))).cloned().collect()
}

/// What is wrong with a file that has the column `name` for `role`, where `first` has none.
pub(super) fn other(role: Role, name: &str, first: &str) -> String {
    let what = match role {
        Role::Pair => "a second text",
        Role::Label => "labels",
        Role::Id => "ids",
        Role::Text | Role::Group | Role::Rationale => "a role",
    };
    format!(
        "has the column `{name}`, {what}, and {first} has none; give both the same columns, or name those to read with \
         --text-column, {}",
        role.flag()
    )
}

/// The name of a column as it is compared.
pub(super) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether data sets have a column of this name, or the user has named one so.
pub(super) fn is_known(name: &str, reading: &Reading) -> bool {
    let name = folded(name);
    let usual = TEXTS.iter().chain(LABELS).any(|known| *known == name);
    let of_pair = PAIRS.iter().any(|(first, second)| *first == name || *second == name);
    let is = |given: &str| folded(given) == name && !is_number(given);
    let named = |names: &ColumnNames| Role::ALL.iter().any(|role| names.of(*role).is_some_and(is));
    usual || of_pair || named(&reading.columns) || named(&reading.trained_on)
}

/// Whether a column is given by its number.
pub(super) fn is_number(given: &str) -> bool {
    !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit())
}

impl Columns {
    /// The columns of a table with these names. `labelled` says that rows need a label.
    ///
    /// # Errors
    /// When a column that was named is not there, or one that is needed has no known name, or several have one.
    pub(super) fn choose(names: &[String], reading: &Reading, labelled: bool) -> Result<Self, Unclear> {
        let choice = Choice { written: names, names: names.iter().map(|name| folded(name)).collect(), reading };
        let pair = choice.named(Role::Pair)?;
        let (text, pair) = match (choice.named(Role::Text)?, pair) {
            (Some(text), pair) => (text, pair),
            (None, None) if choice.trained_on(Role::Text)?.is_some() => choice.texts_trained_on(labelled)?,
            (None, Some(_)) => {
                return Err(Unclear::Wrong(format!("{} needs --text-column as well", Role::Pair.flag())));
            }
            (None, None) => choice.texts()?,
        };
        let known = |role: Role| choice.named(role)?.map_or_else(|| choice.trained_on(role), |place| Ok(Some(place)));
        let label = match known(Role::Label)? {
            Some(label) => Some(label),
            None => choice.label(labelled)?,
        };
        let found = Self {
            text,
            pair,
            label,
            id: known(Role::Id)?.or_else(|| choice.one_of(IDS)),
            group: choice.named(Role::Group)?,
            rationale: known(Role::Rationale)?.or_else(|| choice.one_of(&[RATIONALE])),
        };
        found.refuse_texts_as_ids(reading)?.refuse_twice(names)
    }

    /// The place of the column for `role`.
    #[must_use]
    pub(super) fn of(&self, role: Role) -> Option<usize> {
        match role {
            Role::Text => Some(self.text),
            Role::Pair => self.pair,
            Role::Label => self.label,
            Role::Id => self.id,
            Role::Group => self.group,
            Role::Rationale => self.rationale,
        }
    }

    /// The columns that stand for nothing here.
    pub(super) fn unused(&self, names: &[String]) -> Vec<String> {
        let is_used = |place: &usize| Role::ALL.iter().any(|role| self.of(*role) == Some(*place));
        (0..names.len()).filter(|place| !is_used(place)).map(|place| called(names, place)).collect()
    }

    /// A column of `names` that would have a role which none has here, and that would be missed: other rows of the data
    /// set have none like it.
    pub(super) fn overlooked<'a>(
        names: &'a [String],
        read: &ColumnNames,
        reading: &Reading,
    ) -> Option<(Role, &'a str)> {
        let named = |known: &[&str]| names.iter().find(|name| known.contains(&folded(name).as_str()));
        let second = |text: &str| {
            let of = |(first, second): &&(&str, &str)| *first == text && named(&[*second]).is_some();
            PAIRS.iter().find(of).and_then(|(_, second)| named(&[*second]))
        };
        let first = |text: &str| {
            let of = |(first, second): &&(&str, &str)| *second == text && named(&[*first]).is_some();
            PAIRS.iter().find(of).and_then(|(first, _)| named(&[*first]))
        };
        let pair = |text: &str| second(&folded(text)).or_else(|| first(&folded(text)));
        let found = |role: Role| match role {
            // Who names the text and no second one wants none.
            Role::Pair if reading.columns.text.is_none() => read.text.as_deref().and_then(pair),
            Role::Label => named(LABELS),
            Role::Id => named(IDS),
            Role::Rationale => named(&[RATIONALE]),
            Role::Text | Role::Pair | Role::Group => None,
        };
        let missing = Role::ALL.into_iter().filter(|role| read.of(*role).is_none());
        missing.filter_map(|role| Some((role, found(role)?.as_str()))).next()
    }

    /// Ids are written where texts are private.
    fn refuse_texts_as_ids(self, reading: &Reading) -> Result<Self, Unclear> {
        match self.id {
            Some(id) if reading.private.is_on() && (id == self.text || Some(id) == self.pair) => Err(Unclear::Wrong(
                "--id-column names a column of texts, and ids are written where --private keeps texts out; name another"
                    .to_owned(),
            )),
            _ => Ok(self),
        }
    }

    /// One column for two things is a mistake, but for what must not be on both sides of a split.
    fn refuse_twice(self, names: &[String]) -> Result<Self, Unclear> {
        let roles: Vec<Role> = Role::ALL.into_iter().filter(|role| *role != Role::Group && *role != Role::Id).collect();
        for (at, first) in roles.iter().enumerate() {
            for second in &roles[at + 1..] {
                if self.of(*first).is_some() && self.of(*first) == self.of(*second) {
                    let name = self.of(*first).map_or("", |place| names[place].as_str());
                    let (first, second) = (first.flag(), second.flag());
                    return Err(Unclear::Wrong(format!("column `{name}` cannot be both {first} and {second}")));
                }
            }
        }
        Ok(self)
    }
}

/// Whether one column has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    No,
    Once(usize),
    Twice,
}

impl Found {
    fn of(mut places: impl Iterator<Item = usize>) -> Self {
        match (places.next(), places.next()) {
            (None, _) => Self::No,
            (Some(place), None) => Self::Once(place),
            (Some(_), Some(_)) => Self::Twice,
        }
    }
}

/// What columns are chosen from.
struct Choice<'a> {
    /// Their names as they are written.
    written: &'a [String],
    /// As they are compared.
    names: Vec<String>,
    reading: &'a Reading,
}

impl Choice<'_> {
    /// The column that the user has named for `role`.
    fn named(&self, role: Role) -> Result<Option<usize>, Unclear> {
        let Some(given) = self.reading.columns.of(role) else { return Ok(None) };
        let flag = role.flag();
        match self.place(given) {
            Found::Twice => Err(Unclear::Wrong(format!(
                "{flag} {given}: two columns have that name; give the number of one, from 1"
            ))),
            Found::Once(place)
                if is_number(given) && self.number(given).is_some() && self.number(given) != Some(place) =>
            {
                let number = place + 1;
                Err(Unclear::Wrong(format!(
                    "{flag} {given}: that is the name of column {number} and the number of another; rename it"
                )))
            }
            Found::Once(place) => Ok(Some(place)),
            Found::No => match self.number(given) {
                Some(place) => Ok(Some(place)),
                None => {
                    let near = match (self.reading.private, self.near(&folded(given))) {
                        (Switch::Off, Some(near)) => format!(" (did you mean `{near}`?)"),
                        _ => String::new(),
                    };
                    Err(Unclear::Missing(format!("{flag} {given}: there is no such column{near}; there are")))
                }
            },
        }
    }

    /// The column whose name is nearest to one that is not there, if they are alike.
    fn near(&self, name: &str) -> Option<&str> {
        let alike = |other: &&String| strsim::jaro_winkler(other, name);
        let near = self.names.iter().filter(|other| !other.is_empty()).map(|other| (alike(&other), other.as_str()));
        near.filter(|(likeness, _)| *likeness >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, near)| near)
    }

    /// The place of a column that is given by its number, from 1.
    fn number(&self, given: &str) -> Option<usize> {
        let place = given.parse::<usize>().ok()?.checked_sub(1)?;
        (place < self.names.len()).then_some(place)
    }

    /// The column of this name: the one that is written so, or the only one but for case and blanks.
    fn place(&self, name: &str) -> Found {
        let exact = Found::of((0..self.names.len()).filter(|place| self.written[*place] == name));
        let folded = folded(name);
        let alike = || Found::of((0..self.names.len()).filter(|place| self.names[*place] == folded));
        if exact == Found::No { alike() } else { exact }
    }

    /// The column that was for `role` where the model was trained, if it is here.
    fn trained_on(&self, role: Role) -> Result<Option<usize>, Unclear> {
        let Some(name) = self.reading.trained_on.of(role) else { return Ok(None) };
        match self.place(name) {
            Found::No => Ok(None),
            Found::Once(place) => Ok(Some(place)),
            Found::Twice => Err(Unclear::Wrong(format!(
                "the model was trained on `{name}`, and two columns have that name; give the number of one, from 1, with {}",
                role.flag()
            ))),
        }
    }

    /// The texts that the model was trained on. One of a pair alone is none.
    fn texts_trained_on(&self, labelled: bool) -> Result<(usize, Option<usize>), Unclear> {
        let pair = self.trained_on(Role::Pair)?;
        match self.trained_on(Role::Text)? {
            Some(text) if pair.is_some() || self.reading.trained_on.pair.is_none() => Ok((text, pair)),
            _ if labelled => self.texts(),
            _ => {
                Err(Unclear::Unknown("the model was trained on pairs of texts, and here is one; there are".to_owned()))
            }
        }
    }

    /// The only column with one of `known` names; `None` where there is none, or more than one.
    fn one_of(&self, known: &[&str]) -> Option<usize> {
        let mut places = (0..self.names.len()).filter(|place| known.contains(&self.names[*place].as_str()));
        places.next().filter(|_| places.next().is_none())
    }

    fn all_of(&self, name: &str) -> usize {
        self.names.iter().filter(|other| *other == name).count()
    }

    /// The text, and the second text of a pair. More than one possibility is none.
    fn texts(&self) -> Result<(usize, Option<usize>), Unclear> {
        let place = |name: &str| self.names.iter().position(|other| other == name);
        let whole: Vec<(usize, Option<usize>)> =
            PAIRS.iter().filter_map(|(first, second)| Some((place(first)?, Some(place(second)?)))).collect();
        let in_pair = |at: usize| whole.iter().any(|(first, second)| *first == at || *second == Some(at));
        let single = TEXTS.iter().filter_map(|name| place(name)).filter(|at| !in_pair(*at)).map(|at| (at, None));
        let all: Vec<(usize, Option<usize>)> = whole.iter().copied().chain(single).collect();
        let twice = |at: usize| self.all_of(&self.names[at]) > 1;
        match all.as_slice() {
            [(text, pair)] if !twice(*text) && !pair.is_some_and(twice) => Ok((*text, *pair)),
            [] => Err(Unclear::Unknown("no column is called `text` or `sentence`; there are".to_owned())),
            _ => Err(Unclear::Unknown("more than one column could be the text; there are".to_owned())),
        }
    }

    fn label(&self, labelled: bool) -> Result<Option<usize>, Unclear> {
        let found = self.names.iter().filter(|name| LABELS.contains(&name.as_str())).count();
        match found {
            0 if labelled => Err(Unclear::Unknown("no column is called `label`; there are".to_owned())),
            0 | 1 => Ok(self.one_of(LABELS)),
            _ if labelled => Err(Unclear::Unknown("more than one column could be the label; there are".to_owned())),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &str, given: &ColumnNames) -> Result<Columns, Unclear> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        Columns::choose(&names, &Reading { columns: given.clone(), ..Reading::default() }, true)
    }

    fn found(names: &str) -> (usize, Option<usize>, Option<usize>) {
        let columns = chosen(names, &ColumnNames::default()).unwrap();
        (columns.text, columns.pair, columns.label)
    }

    #[test]
    fn the_pairs_of_glue_are_read_in_their_order() {
        assert_eq!(found("index,question,sentence,label"), (1, Some(2), Some(3)));
        assert_eq!(found("sentence,question,label"), (1, Some(0), Some(2)));
        assert_eq!(found("passage,question,label"), (1, Some(0), Some(2)));
        assert_eq!(found("label,hypothesis,premise"), (2, Some(1), Some(0)));
        assert_eq!(found("id,qid1,qid2,question1,question2,is_duplicate"), (3, Some(4), Some(5)));
        assert_eq!(found("gold_label,sentence1,sentence2,label1"), (1, Some(2), Some(0)));
        assert_eq!(found("Text, LABEL "), (0, None, Some(1)));
    }

    #[test]
    fn what_could_be_several_or_nothing_is_not_chosen() {
        for names in [
            "note,label",
            "text,note",
            "text,sentence,label",
            "text,text,label",
            "text,label,class",
            "premise,label",
            "question,label",
            "text,question,passage,label",
            "sentence1,sentence2,text,label",
        ] {
            assert!(matches!(chosen(names, &ColumnNames::default()), Err(Unclear::Unknown(_))), "{names}");
        }
    }

    #[test]
    fn the_user_names_columns_by_name_or_number() {
        let given = |text: &str, label: &str| ColumnNames {
            text: Some(text.to_owned()),
            label: Some(label.to_owned()),
            ..ColumnNames::default()
        };
        let columns = chosen("diagnosis_group,note_body,text", &given("Note_Body", "1")).unwrap();
        assert_eq!((columns.text, columns.label, columns.pair), (1, Some(0), None));
        let unused = ["a".to_owned(), "b".to_owned(), "date".to_owned()];
        assert_eq!(columns.unused(&unused), ["date"]);
        for (text, label, part) in [
            ("0", "1", "no such column"),
            ("4", "1", "no such column"),
            ("note", "1", "no such column"),
            ("1", "1", "both"),
        ] {
            let told = chosen("a,b,c", &given(text, label)).unwrap_err();
            let (Unclear::Wrong(told) | Unclear::Unknown(told) | Unclear::Missing(told)) = told;
            assert!(told.contains(part), "{told}");
        }
        let Err(Unclear::Missing(near)) = chosen("id,note_body,label", &given("note_bdy", "label")) else { panic!() };
        assert!(near.contains("no such column (did you mean `note_body`?); there are"), "{near}");
        let trained_on =
            ColumnNames { text: Some("note".to_owned()), label: Some("group".to_owned()), ..ColumnNames::default() };
        let reading = Reading { trained_on, ..Reading::default() };
        let columns = |names: &str| {
            let names: Vec<String> = names.split(',').map(str::to_owned).collect();
            Columns::choose(&names, &reading, false).map(|columns| (columns.text, columns.label))
        };
        assert_eq!(columns("patient,note").unwrap(), (1, None));
        assert_eq!(columns("group,note,text").unwrap(), (1, Some(0)), "as it was trained");
        assert_eq!(columns("label,text").unwrap(), (1, Some(0)), "by the usual names, where there is no `note`");
        let alone = ColumnNames { pair: Some("b".to_owned()), ..ColumnNames::default() };
        assert!(matches!(chosen("text,b,label", &alone), Err(Unclear::Wrong(_))));
    }
}
