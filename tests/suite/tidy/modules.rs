//! The modules of a crate, what each of them names of the others, and which file that is in.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Token, is_word, tokens};
use super::sources::Source;

/// Segments of a path: `crate::model::params` is three of them.
type Path = Vec<String>;

/// A module that has a file of its own.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    /// Names that `use` brings in, and their paths.
    imports: BTreeMap<String, Path>,
    /// Every path that is written down, with its line.
    paths: Vec<(usize, Path)>,
}

/// A crate, without what is there for tests alone. The root's name is the empty string.
pub(super) struct Modules(BTreeMap<String, Module>);

/// One module names something that is defined in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) from: String,
    pub(super) to: String,
    /// Where that is written.
    pub(super) file: String,
    pub(super) line: usize,
}

impl Modules {
    /// The crate in `folder`, of all the files of the house.
    pub(super) fn of(folder: &str, sources: &[Source]) -> Self {
        let top = format!("{folder}/src/");
        let mut modules = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.is_test_line(1)) {
            let inside = source.path.strip_prefix(&top).and_then(|path| path.strip_suffix(".rs"));
            if let Some(path) = inside.filter(|path| !path.starts_with("bin/")) {
                let name = if matches!(path, "lib" | "main") { String::new() } else { path.replace('/', "::") };
                modules.insert(name, Module::read(source));
            }
        }
        Self(modules)
    }

    /// The modules right below the root.
    pub(super) fn top(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| !name.is_empty() && !name.contains("::"))
    }

    /// The file of the module `name`.
    pub(super) fn file(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |module| &module.file)
    }

    /// Everything that a module names of another, in the order of the files; each pair once.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut seen = BTreeSet::new();
        let written =
            self.0.iter().flat_map(|(from, module)| module.paths.iter().map(move |path| (from, module, path)));
        let resolved = written.filter_map(|(from, module, (line, path))| {
            let to = self.resolve(from, path, &mut BTreeSet::new())?;
            let new = to != *from && seen.insert((from, to.clone()));
            new.then(|| Use { from: from.clone(), to, file: module.file.clone(), line: *line })
        });
        resolved.collect()
    }

    /// The module in which the thing at `path` is defined, as seen from `from`; `None` if that is in another crate.
    fn resolve(&self, from: &str, path: &[String], seen: &mut BTreeSet<(String, String)>) -> Option<String> {
        let mut rest = path.iter().peekable();
        let mut at = match rest.peek()?.as_str() {
            "crate" => {
                rest.next();
                String::new()
            }
            "self" => {
                rest.next();
                from.to_owned()
            }
            "super" => from.to_owned(),
            name => {
                let bound = self.step(from, name, seen)?;
                rest.next();
                bound
            }
        };
        while rest.next_if(|segment| *segment == "super").is_some() {
            at = parent(&at).to_owned();
        }
        for segment in rest {
            match self.step(&at, segment, seen) {
                Some(further) => at = further,
                None => break,
            }
        }
        Some(at)
    }

    /// From the module `at` to the module in which its `name` is defined, if that is another.
    fn step(&self, at: &str, name: &str, seen: &mut BTreeSet<(String, String)>) -> Option<String> {
        let module = self.0.get(at)?;
        if module.children.contains(name) {
            return Some(join(at, name));
        }
        let import = module.imports.get(name)?;
        // `use x::x` would look for itself.
        if !seen.insert((at.to_owned(), name.to_owned())) {
            return None;
        }
        let found = self.resolve(at, import, seen);
        seen.remove(&(at.to_owned(), name.to_owned()));
        found
    }
}

/// The module around `module`; the root's is itself.
pub(super) fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// The module right below the root that `module` is or lies in; `None` for the root.
pub(super) fn top(module: &str) -> Option<&str> {
    module.split("::").next().filter(|name| !name.is_empty())
}

fn join(module: &str, child: &str) -> String {
    if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") }
}

impl Module {
    fn read(source: &Source) -> Self {
        let mut module = Self { file: source.path.clone(), ..Self::default() };
        let tokens: Vec<_> = tokens(&source.code).into_iter().filter(|token| !source.is_test_line(token.0)).collect();
        let mut at = 0;
        while at < tokens.len() {
            at += match tokens[at..] {
                [(_, "mod"), (_, name), (_, ";"), ..] => {
                    module.children.insert(name.to_owned());
                    3
                }
                [(_, "use"), ..] => 1 + module.import(&tokens[at + 1..], &[]),
                [(line, first), (_, "::"), ..] if starts_path(first) => module.path(line, &tokens[at..]),
                _ => 1,
            }
        }
        module
    }

    /// Reads one tree of a `use` after `before`, and says how many tokens that took.
    fn import(&mut self, tokens: &[Token], before: &[String]) -> usize {
        let (mut path, mut at) = (before.to_vec(), 0);
        loop {
            match tokens[at..] {
                [(_, "::"), ..] => at += 1,
                [(_, "{"), ..] => return at + self.imports_in_braces(&tokens[at..], &path),
                [(_, "*"), ..] => return at + 1,
                [(line, "self"), ..] if !before.is_empty() && path.len() == before.len() => {
                    return at + 1 + self.bind(line, path, &tokens[at + 1..]);
                }
                [(line, word), ..] if word.starts_with(is_word) => {
                    path.push(word.to_owned());
                    at += 1;
                    if tokens.get(at).is_none_or(|next| next.1 != "::") {
                        return at + self.bind(line, path, &tokens[at..]);
                    }
                }
                _ => return at + 1,
            }
        }
    }

    fn imports_in_braces(&mut self, tokens: &[Token], path: &[String]) -> usize {
        let mut at = 1;
        while at < tokens.len() && tokens[at].1 != "}" {
            at += if tokens[at].1 == "," { 1 } else { self.import(&tokens[at..], path) };
        }
        at + 1
    }

    /// Notes what a `use` brings in, by its own name or by the one after `as`; how many tokens that took.
    fn bind(&mut self, line: usize, path: Path, after: &[Token]) -> usize {
        let (name, taken) = match after {
            [(_, "as"), (_, name), ..] => ((*name).to_owned(), 2),
            _ => (path.last().cloned().unwrap_or_default(), 0),
        };
        self.imports.insert(name, path.clone());
        self.paths.push((line, path));
        taken
    }

    /// Notes a path that stands in the code; how many tokens it has.
    fn path(&mut self, line: usize, tokens: &[Token]) -> usize {
        let mut path = vec![tokens[0].1.to_owned()];
        let mut at = 1;
        while let [(_, "::"), (_, word), ..] = tokens[at..]
            && word.starts_with(is_word)
        {
            path.push(word.to_owned());
            at += 2;
        }
        self.paths.push((line, path));
        at
    }
}

fn starts_path(word: &str) -> bool {
    word.starts_with(|char| is_word(char) && !char.is_numeric())
}
