//! A row as it must be: what of its cells is its text, its label and the rest.

use std::borrow::Cow;

use pellucid_protocol::explanation::Span;
use pellucid_protocol::settings::label_as_read;
use pellucid_protocol::settings::reading::Role;
use serde_json::Value;

use super::table::{Cell, LabelNeed};

/// Bytes that a text or a label has at most.
pub const LONGEST_TEXT: usize = 1 << 20;

/// The parts of a row.
#[derive(Debug, Default)]
pub(super) struct Filled<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) pair: Option<Cow<'a, str>>,
    pub(super) label: Option<Cow<'a, str>>,
    /// The label as it is written, if that is not how it is read.
    pub(super) label_written: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) group: Option<Cow<'a, str>>,
    pub(super) rationale: Vec<Span>,
}

type Checked<T> = Result<T, String>;

impl<'a> Filled<'a> {
    /// The row with these cells, of columns with these roles.
    ///
    /// # Errors
    /// What is missing or is not what it must be.
    pub(super) fn of(roles: &[Role], cells: &'a [Cell<'a>], need: LabelNeed) -> Checked<Self> {
        let mut filled = Self::default();
        let mut marked = &Cell::Missing;
        for (role, cell) in roles.iter().zip(cells) {
            match role {
                Role::Text => filled.text = text(cell)?,
                Role::Pair => filled.pair = pair(cell)?,
                Role::Label => {
                    filled.label = label(cell, need)?;
                    filled.label_written = written_otherwise(cell, filled.label.as_deref());
                }
                Role::Id => filled.id = name(cell, "the id")?,
                Role::Group => filled.group = Some(group(cell)?),
                Role::Rationale => marked = cell,
            }
        }
        filled.rationale = rationale(marked, &filled.text)?;
        filled.refuse_too_long().map(|()| filled)
    }

    fn refuse_too_long(&self) -> Checked<()> {
        let parts = [Some(&self.text), self.pair.as_ref(), self.label.as_ref(), self.id.as_ref(), self.group.as_ref()];
        match parts.into_iter().flatten().find(|part| part.len() > LONGEST_TEXT) {
            Some(long) => Err(format!("has a text of {} bytes; {LONGEST_TEXT} at most: cut it into rows", long.len())),
            None => Ok(()),
        }
    }
}

fn text<'a>(cell: &'a Cell<'_>) -> Checked<Cow<'a, str>> {
    match cell {
        Cell::Text(text) if text.trim().is_empty() => Err("the text is empty; remove the row".to_owned()),
        Cell::Text(text) => no_nul(text.as_ref()),
        Cell::Missing => Err("has no text".to_owned()),
        Cell::Plain(_) | Cell::Rounded(_) | Cell::Nested(_) => Err("the text is not a string".to_owned()),
    }
}

fn no_nul(text: &str) -> Checked<Cow<'_, str>> {
    if text.contains('\0') { Err("has a NUL, which no text has".to_owned()) } else { Ok(Cow::Borrowed(text)) }
}

fn pair<'a>(cell: &'a Cell<'_>) -> Checked<Option<Cow<'a, str>>> {
    match cell {
        Cell::Text(text) => no_nul(text.as_ref()).map(Some),
        Cell::Missing => Ok(None),
        Cell::Plain(_) | Cell::Rounded(_) | Cell::Nested(_) => {
            Err("the second text is neither a string nor null".to_owned())
        }
    }
}

/// What is wrong with a number of too many digits.
fn rounded(what: &str) -> String {
    format!("{what} is a number of more digits than are kept; put it in quotes")
}

/// One rule for all formats: without the blanks around it, and a whole number without a fraction.
fn label<'a>(cell: &'a Cell<'_>, need: LabelNeed) -> Checked<Option<Cow<'a, str>>> {
    let written = match cell {
        Cell::Text(text) | Cell::Plain(text) => label_as_read(text),
        Cell::Missing => "",
        Cell::Rounded(_) => return Err(rounded("the label")),
        Cell::Nested(_) => return Err("the label is a list; a text with several labels cannot be read".to_owned()),
    };
    match (written.is_empty(), need) {
        (true, LabelNeed::Required) => Err("the label is empty".to_owned()),
        (true, LabelNeed::Optional) => Ok(None),
        (false, _) => Ok(Some(Cow::Borrowed(written))),
    }
}

fn written_otherwise<'a>(cell: &'a Cell<'_>, read: Option<&str>) -> Option<Cow<'a, str>> {
    let (Cell::Text(written) | Cell::Plain(written)) = cell else { return None };
    read.filter(|read| *read != written).map(|_| Cow::Borrowed(written.as_ref()))
}

/// As a label is read: pandas writes the number of a patient as `7.0` where another row of the file has none.
fn group<'a>(cell: &'a Cell<'_>) -> Checked<Cow<'a, str>> {
    match name(cell, "the group")?.ok_or("has no group; remove the row, or leave such rows out with --skip-bad N")? {
        Cow::Borrowed(written) => Ok(Cow::Borrowed(label_as_read(written))),
        Cow::Owned(written) => Ok(Cow::Owned(label_as_read(&written).to_owned())),
    }
}

fn name<'a>(cell: &'a Cell<'_>, what: &str) -> Checked<Option<Cow<'a, str>>> {
    match cell {
        Cell::Text(text) | Cell::Plain(text) => {
            Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed))
        }
        Cell::Missing => Ok(None),
        Cell::Rounded(_) => Err(rounded(what)),
        Cell::Nested(_) => Err(format!("{what} is neither a string nor a number")),
    }
}

/// The parts of `text` that a rationale marks, written as `[[start, end], ..]` in characters.
fn rationale(cell: &Cell<'_>, text: &str) -> Checked<Vec<Span>> {
    let value: Value = match cell {
        Cell::Missing => return Ok(Vec::new()),
        Cell::Text(written) if written.trim().is_empty() => return Ok(Vec::new()),
        Cell::Text(written) | Cell::Plain(written) | Cell::Rounded(written) => {
            serde_json::from_str(written).map_err(|_| "`rationale` is not JSON, e.g. [[0,4]]")?
        }
        Cell::Nested(value) => value.as_ref().clone(),
    };
    let spans: Vec<Span> = serde_json::from_value(value)
        .map_err(|_| "`rationale` is not a list of [start, end] pairs of characters".to_owned())?;
    let length = text.chars().count();
    match spans.iter().find(|span| span.start >= span.end || span.end > length) {
        Some(span) => {
            Err(format!("rationale [{}, {}] is not within the {length} characters of the text", span.start, span.end))
        }
        None => Ok(spans),
    }
}
