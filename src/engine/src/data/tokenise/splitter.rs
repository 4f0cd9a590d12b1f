//! The pre-tokenizer of a tokenizer, step by step, so that neither its patterns nor what it adds go beyond the limits.

use tokenizers::pattern::Invert;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    NormalizedString, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper,
    SplitDelimiterBehavior,
};

use super::meter::Meter;
use super::pattern::{LimitedPattern, Search};

/// Steps of a pre-tokenizer at most.
const MOST_STEPS: usize = 64;

/// The steps of a pre-tokenizer; none if there is none.
#[derive(Debug, Default)]
pub(super) struct SplitterSteps(Vec<Step>);

#[derive(Debug)]
enum Step {
    /// Splits at what a pattern finds.
    Split { pattern: LimitedPattern, behavior: SplitDelimiterBehavior, sense: Sense },
    /// Makes up to `growth` bytes of each.
    Other { step: PreTokenizerWrapper, growth: usize },
}

/// Which of the pieces of a text are the delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Matches,
    WhatIsBetween,
}

impl SplitterSteps {
    /// The steps of `splitter`.
    ///
    /// # Errors
    /// When there are too many of them, or one has a pattern that is none.
    pub(super) fn of(splitter: Option<&PreTokenizerWrapper>) -> Result<Self, String> {
        let mut steps = Vec::new();
        splitter.map_or(Ok(()), |whole| flatten(whole, &mut steps))?;
        Ok(Self(steps))
    }

    /// Splits `text`, whose parts have together as many bytes as `meter` knows.
    ///
    /// # Errors
    /// When it grows too much or takes too long.
    pub(super) fn apply(&self, text: &mut PreTokenizedString, meter: &Meter) -> Result<(), String> {
        self.0.iter().try_for_each(|step| step.apply(text, meter))
    }
}

fn flatten(splitter: &PreTokenizerWrapper, steps: &mut Vec<Step>) -> Result<(), String> {
    if let PreTokenizerWrapper::Sequence(all) = splitter {
        return all.as_ref().iter().try_for_each(|part| flatten(part, steps));
    }
    if steps.len() == MOST_STEPS {
        return Err(format!("its pre-tokenizer has more than {MOST_STEPS} steps"));
    }
    steps.push(Step::of(splitter)?);
    Ok(())
}

impl Step {
    fn of(step: &PreTokenizerWrapper) -> Result<Self, String> {
        let growth = match step {
            PreTokenizerWrapper::Split(split) => return Self::of_split(split),
            // A space before each part, and two bytes for each byte.
            PreTokenizerWrapper::ByteLevel(bytes) => 2 + 2 * usize::from(bytes.add_prefix_space),
            // A letter for each space, and one before each part.
            PreTokenizerWrapper::Metaspace(_) => 2 * char::MAX.len_utf8(),
            _ => 1,
        };
        Ok(Self::Other { step: step.clone(), growth })
    }

    fn of_split(split: &Split) -> Result<Self, String> {
        let pattern = match &split.pattern {
            SplitPattern::String(text) => LimitedPattern::Text(text.clone()),
            SplitPattern::Regex(written) => LimitedPattern::regex(written)?,
        };
        let sense = if split.invert { Sense::WhatIsBetween } else { Sense::Matches };
        Ok(Self::Split { pattern, behavior: split.behavior, sense })
    }

    fn apply(&self, text: &mut PreTokenizedString, meter: &Meter) -> Result<(), String> {
        meter.check_time()?;
        match self {
            Self::Split { pattern, behavior, sense } => {
                let search = Search { pattern, meter, replaced: None };
                let split = |_, part: NormalizedString| match sense {
                    Sense::Matches => part.split(search, *behavior),
                    Sense::WhatIsBetween => part.split(Invert(search), *behavior),
                };
                text.split(split).map_err(|error| error.to_string())
            }
            Self::Other { step, growth } => {
                step.pre_tokenize(text).map_err(|error| error.to_string())?;
                grown(text, growth * meter.done(), meter)
            }
        }
    }
}

/// Takes note of what the parts of a text have become, `most` bytes at most.
fn grown(text: &PreTokenizedString, most: usize, meter: &Meter) -> Result<(), String> {
    meter.set(0);
    let mut length = most;
    if most > meter.room() {
        let parts = text.get_splits(OffsetReferential::Normalized, OffsetType::None);
        length = parts.iter().map(|(part, ..)| part.len()).sum();
    }
    meter.check_room(length)?;
    meter.set(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts that the library makes, and those of the steps.
    fn both(json: &str, text: &str) -> (Vec<String>, Result<Vec<String>, String>) {
        let whole: PreTokenizerWrapper = serde_json::from_str(json).unwrap();
        let (mut theirs, mut ours) = (PreTokenizedString::from(text), PreTokenizedString::from(text));
        whole.pre_tokenize(&mut theirs).unwrap();
        let meter = Meter::new(text.len());
        meter.add(text.len());
        let done = SplitterSteps::of(Some(&whole)).unwrap().apply(&mut ours, &meter);
        let parts = |text: &PreTokenizedString| {
            let parts = text.get_splits(OffsetReferential::Original, OffsetType::Byte);
            parts.iter().map(|(part, (from, to), _)| format!("{part} {from} {to}")).collect()
        };
        (parts(&theirs), done.map(|()| parts(&ours)))
    }

    #[test]
    fn ordinary_pre_tokenizers_do_what_the_library_does() {
        let split = |pattern: &str, invert: bool, behavior: &str| {
            format!(r#"{{"type":"Split","pattern":{pattern},"behavior":"{behavior}","invert":{invert}}}"#)
        };
        let words = r#"{"Regex":"\\p{L}+|\\s+(?!\\S)|\\s+"}"#;
        let bytes = r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#;
        for json in [
            r#"{"type":"BertPreTokenizer"}"#.to_owned(),
            r#"{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true}"#.to_owned(),
            bytes.to_owned(),
            split(r#"{"String":" "}"#, false, "Removed"),
            split(words, true, "Isolated"),
            format!(r#"{{"type":"Sequence","pretokenizers":[{},{bytes}]}}"#, split(words, false, "MergedWithPrevious")),
        ] {
            for text in ["It's a fine  film, isn't it? \u{e9}\u{6f22} ", "", &" \u{f1}o".repeat(5000)] {
                let (expected, found) = both(&json, text);
                assert!(found.unwrap() == expected, "{json}");
            }
        }
    }

    #[test]
    fn a_chain_that_doubles_a_text_again_and_again_is_stopped() {
        let bytes = r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}"#;
        let chain = [bytes; 6].join(",");
        let whole: PreTokenizerWrapper =
            serde_json::from_str(&format!(r#"{{"type":"Sequence","pretokenizers":[{chain}]}}"#)).unwrap();
        let (text, meter) = ("\u{e9}".repeat(100_000), Meter::new(200_000));
        meter.add(text.len());
        let why = SplitterSteps::of(Some(&whole)).unwrap().apply(&mut text.as_str().into(), &meter).unwrap_err();
        assert!(why.contains("remove what multiplies the text"), "{why}");
    }
}
