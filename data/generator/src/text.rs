//! Turns marked phrases into finished text: slots filled, articles and capitals right, rationale spans counted.
//!
//! Phrases carry their marks as characters that never occur in the texts: `[` and `]` enclose words that decide the
//! label; `<…>` and `|…|` enclose the operator (negation, time, owner …) of a frame's first and second cue.

/// The fewest and the most words of a text.
pub(crate) const WORDS: std::ops::RangeInclusive<usize> = 8..=60;

/// A finished text and the character spans of the words that decide its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// The text as a reader sees it.
    pub(crate) text: String,
    /// Half-open character ranges, in order and apart from one another.
    pub(crate) rationale: Vec<[usize; 2]>,
}

impl Text {
    /// How many words the text has, counted between blanks.
    pub(crate) fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }

    /// Whether it has the right length and says what decides its label.
    pub(crate) fn is_sound(&self) -> bool {
        WORDS.contains(&self.words()) && !self.rationale.is_empty()
    }
}

/// What of a phrase belongs to the rationale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing: the phrase does not bear on the label.
    Plain,
    /// The operator only: it keeps a cue from counting that would have changed the label.
    Operator,
    /// Operator and cue: together they decide the label.
    Whole,
}

/// A cue that goes into a frame, with its article and without.
pub(crate) struct Cued<'a> {
    /// With its article: `a sore throat`.
    pub(crate) np: &'a str,
    /// Without it: `sore throat`.
    pub(crate) bare: &'a str,
    /// What of it to mark.
    pub(crate) mark: Mark,
}

impl Cued<'_> {
    fn show(&self, form: &str) -> String {
        if self.mark == Mark::Whole { format!("[{form}]") } else { form.to_owned() }
    }
}

/// Fills a frame with one cue or two; any other slot is asked of `slots`.
pub(crate) fn phrase(frame: &str, cues: &[Cued], slots: &mut dyn FnMut(&str) -> String) -> String {
    let filled = fill(frame, &mut |name| match name {
        "cue" => cues[0].show(cues[0].np),
        "bare" => cues[0].show(cues[0].bare),
        "cue2" => cues[1].show(cues[1].np),
        "bare2" => cues[1].show(cues[1].bare),
        other => slots(other),
    });
    let first = cues.first().map_or(Mark::Plain, |cue| cue.mark);
    let second = cues.get(1).map_or(Mark::Plain, |cue| cue.mark);
    // One negation over two cues ("no A or B") counts as soon as it holds back either of them.
    let alone = frame.contains('|') || second != Mark::Operator;
    let shared = if alone { first } else { second };
    operators(&filled, shared, second)
}

fn operators(filled: &str, first: Mark, second: Mark) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in filled.chars() {
        match c {
            '<' if first != Mark::Plain => out.push('['),
            '>' if first != Mark::Plain => out.push(']'),
            '|' => {
                inside = !inside;
                if second != Mark::Plain {
                    out.push(if inside { '[' } else { ']' });
                }
            }
            '<' | '>' => {}
            _ => out.push(c),
        }
    }
    out
}

/// Replaces every `{name}` in the frame by what `slots` says for it.
pub(crate) fn fill(frame: &str, slots: &mut dyn FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = frame;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').expect("a slot is closed in the same frame");
        out.push_str(before);
        out.push_str(&slots(name));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Joins sentences: each begins with a capital, ends with a stop, and has its articles right.
pub(crate) fn compose(sentences: &[String]) -> Text {
    let whole: Vec<String> = sentences.iter().map(|s| finish(s)).collect();
    unmark(&articles(&whole.join(" ")))
}

fn finish(sentence: &str) -> String {
    let mut out = String::new();
    let mut started = false;
    for c in sentence.trim().chars() {
        if !started && c.is_alphanumeric() {
            out.extend(c.to_uppercase());
            started = true;
        } else {
            out.push(c);
        }
    }
    let last = out.trim_end_matches(']').chars().last();
    if !matches!(last, Some('.' | ':' | '?')) {
        out.push('.');
    }
    out
}

fn articles(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let fixed: Vec<String> = words.iter().enumerate().map(|(i, word)| article(word, words.get(i + 1))).collect();
    fixed.join(" ")
}

fn article(word: &str, next: Option<&&str>) -> String {
    let open = if word.starts_with('[') { "[" } else { "" };
    let close = if word.ends_with(']') { "]" } else { "" };
    let (short, long) = match word.trim_matches(['[', ']']) {
        "a" | "an" => ("a", "an"),
        "A" | "An" => ("A", "An"),
        _ => return word.to_owned(),
    };
    let chosen = if next.is_some_and(|next| vowel_sound(next)) { long } else { short };
    format!("{open}{chosen}{close}")
}

/// Whether a word is spoken with a vowel first: `hour`, `8`, `18`, `ECG`, but not `unit` or `one`.
fn vowel_sound(word: &str) -> bool {
    let word = word.trim_start_matches(['[', '(', '\'', '£']);
    let digits: String = word.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    if !digits.is_empty() {
        return digits.starts_with('8') || digits == "11" || digits == "18" || digits.starts_with("18,");
    }
    let lower = word.to_lowercase();
    if ["uni", "use", "usu", "one", "eu"].iter().any(|start| lower.starts_with(start)) && !lower.starts_with("unin") {
        return false;
    }
    let spelled = word.chars().take(2).all(|c| c.is_ascii_uppercase())
        && word.starts_with(['F', 'H', 'L', 'M', 'N', 'R', 'S', 'X']);
    spelled || lower.starts_with("hour") || lower.starts_with(['a', 'e', 'i', 'o', 'u'])
}

fn unmark(marked: &str) -> Text {
    let mut text = String::new();
    let mut rationale: Vec<[usize; 2]> = Vec::new();
    let mut at = 0;
    let mut start = 0;
    for c in marked.chars() {
        match c {
            '[' => start = at,
            ']' => push_span(&mut rationale, [start, at]),
            _ => {
                text.push(c);
                at += 1;
            }
        }
    }
    Text { text, rationale }
}

/// Adds a span, or lengthens the last one where only a blank lies between them.
fn push_span(spans: &mut Vec<[usize; 2]>, span: [usize; 2]) {
    match spans.last_mut() {
        Some(last) if span[0] <= last[1] + 1 => last[1] = span[1],
        _ => spans.push(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(text: &Text) -> Vec<String> {
        let chars: Vec<char> = text.text.chars().collect();
        text.rationale.iter().map(|[a, b]| chars[*a..*b].iter().collect()).collect()
    }

    #[test]
    fn spans_count_characters_not_bytes() {
        let text = compose(&["owes £5 and [a default] now".to_owned()]);
        assert_eq!(text.text, "Owes £5 and a default now.");
        assert_eq!(slices(&text), ["a default"]);
    }

    #[test]
    fn neighbouring_marks_become_one_span() {
        let text = compose(&["[had] [a fever] [earlier], well [now]".to_owned()]);
        assert_eq!(slices(&text), ["Had a fever earlier", "now"]);
    }

    #[test]
    fn articles_follow_the_sound() {
        let text = compose(&["a 84-year-old with an cough, a [ECG], an unit and a unpaid bill".to_owned()]);
        assert_eq!(text.text, "An 84-year-old with a cough, an ECG, a unit and an unpaid bill.");
    }

    #[test]
    fn operators_are_marked_for_their_own_cue() {
        let cue = |mark| Cued { np: "a fever", bare: "fever", mark };
        let frame = "<denies> {cue} but |had| {cue2}";
        let done = phrase(frame, &[cue(Mark::Operator), cue(Mark::Plain)], &mut |_| String::new());
        assert_eq!(done, "[denies] a fever but had a fever");
        let done = phrase("<no> {bare} or {bare2}", &[cue(Mark::Plain), cue(Mark::Operator)], &mut |_| String::new());
        assert_eq!(done, "[no] fever or fever");
    }
}
