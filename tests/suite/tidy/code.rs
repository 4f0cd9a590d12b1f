//! Rust text as code alone: comments and the insides of strings become blanks, line by line as they were.

/// `text` without comments and without what stands in quotes.
pub(super) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut blanked, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        let end = at + literal(&chars[at..], chars[..at].last().copied());
        if end == at {
            blanked.push(chars[at]);
            at += 1;
        } else {
            blanked.extend(chars[at..end].iter().map(|&char| if char == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    blanked
}

/// How many characters at the start of `rest` are a comment, a string or a character; 0 if they are code.
fn literal(rest: &[char], before: Option<char>) -> usize {
    let inside_name = before.is_some_and(is_word);
    match rest {
        ['/', '/', ..] => rest.iter().position(|&char| char == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => 1 + quoted(&rest[1..], '"'),
        ['\'', '\\', ..] => 1 + quoted(&rest[1..], '\''),
        ['\'', _, '\'', ..] => 3,
        ['r', ..] if !inside_name => raw_string(rest, 1),
        ['b' | 'c', 'r', ..] if !inside_name => raw_string(rest, 2),
        _ => 0,
    }
}

/// Block comments may hold others.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < rest.len() {
        match rest[at..at + 2] {
            ['/', '*'] => (depth, at) = (depth + 1, at + 2),
            ['*', '/'] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Characters to the closing quote, and that quote.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A string such as `r#"…"#` whose quote comes after `start` letters and some hashes; 0 if it is none.
fn raw_string(rest: &[char], start: usize) -> usize {
    let hashes = rest[start..].iter().take_while(|&&char| char == '#').count();
    if rest.get(start + hashes) != Some(&'"') {
        return 0;
    }
    let first = start + hashes + 1;
    let closes =
        |at: usize| rest[at] == '"' && rest[at + 1..].iter().take_while(|&&char| char == '#').count() >= hashes;
    (first..rest.len()).find(|&at| closes(at)).map_or(rest.len(), |at| at + 1 + hashes)
}

/// A word, `::` or a single mark, with its line from 1.
pub(super) type Token<'a> = (usize, &'a str);

/// The words and marks of `code`.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    (1..)
        .zip(code.lines())
        .flat_map(|(number, line)| in_line(line).into_iter().map(move |word| (number, word)))
        .collect()
}

fn in_line(mut line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some(first) = line.chars().next() {
        let length = match first {
            _ if is_word(first) => line.find(|char| !is_word(char)).unwrap_or(line.len()),
            _ if line.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() {
            found.push(&line[..length]);
        }
        line = &line[length..];
    }
    found
}

pub(super) fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}
