//! The Rust files of the house, and which of their lines are there for tests alone.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use super::code::{Token, code, tokens};

/// Folders with code.
const ROOMS: &[&str] = &["src", "data/generator", "tests"];

/// A file.
pub(super) struct Source {
    /// From the top of the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and the insides of strings.
    pub(super) code: String,
    /// Lines, from 1, that are there for tests alone.
    test_lines: Vec<RangeInclusive<usize>>,
    /// Modules in files of their own that are there for tests alone: their paths without `.rs`.
    test_modules: Vec<String>,
}

/// Every file below the rooms.
pub(super) fn all(top: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    ROOMS.iter().for_each(|room| collect(top, &top.join(room), &mut sources));
    mark_test_files(&mut sources);
    sources
}

/// Files of test modules are test code as a whole.
pub(super) fn mark_test_files(sources: &mut [Source]) {
    let for_tests: Vec<_> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in sources {
        if for_tests.iter().any(|module| source.belongs_to(module)) {
            source.test_lines.push(1..=usize::MAX);
        }
    }
}

fn collect(top: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(top, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let shown = path.strip_prefix(top).unwrap().display().to_string();
            sources.push(Source::new(&shown, &fs::read_to_string(&path).unwrap()));
        }
    }
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: code(text),
            test_lines: Vec::new(),
            test_modules: Vec::new(),
        };
        if source.is_test_file() {
            source.test_lines.push(1..=usize::MAX);
        }
        source.find_tests();
        source
    }

    /// Whether this is a file of a suite: this one, or that of a crate.
    fn is_test_file(&self) -> bool {
        Path::new(&self.path).iter().any(|part| part == "tests")
    }

    /// Whether this is the file of `module`, or of a module below it.
    fn belongs_to(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    /// The path, without `.rs`, of the module `name` that this file declares.
    fn module(&self, name: &str) -> String {
        let own = self.path.trim_end_matches(".rs");
        let folder = own.strip_suffix("/lib").or_else(|| own.strip_suffix("/main")).unwrap_or(own);
        format!("{folder}/{name}")
    }

    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Lines of code outside of tests, without comments and the insides of strings, with their numbers.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines()).filter(|&(number, _)| !self.is_test_line(number))
    }

    /// Notes every item that is compiled for tests alone.
    fn find_tests(&mut self) {
        const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
        let code = self.code.clone();
        let tokens = tokens(&code);
        for start in 0..tokens.len().saturating_sub(MARK.len()) {
            if tokens[start..].iter().zip(MARK).all(|(token, mark)| token.1 == mark) {
                let rest = &tokens[start + MARK.len()..];
                let item = &rest[..item_length(rest)];
                self.test_lines.push(tokens[start].0..=item.last().map_or(usize::MAX, |end| end.0));
                if let [.., (_, "mod"), (_, name), (_, ";")] = item {
                    self.test_modules.push(self.module(name));
                }
            }
        }
    }
}

/// Tokens of the first item of `tokens`: to its semicolon, to the end of its body, or to the end of what it stands in.
fn item_length(tokens: &[Token]) -> usize {
    let (mut depth, mut has_body) = (0_usize, true);
    for (at, &(_, token)) in tokens.iter().enumerate() {
        match token {
            "use" | "static" | "const" if depth == 0 => has_body = false,
            "fn" | "impl" if depth == 0 => has_body = true,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at,
            ")" | "]" | "}" => {
                depth -= 1;
                if depth == 0 && has_body && token == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}
