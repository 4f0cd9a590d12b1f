//! The Rust files of the house, read with `syn`.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use syn::{Attribute, ImplItem, Item, Meta, Signature, TraitItem};

/// Folders with code.
const ROOMS: &[&str] = &["src", "data/generator", "tests"];

/// A file.
pub(super) struct Source {
    /// From the top of the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// Lines, from 1, that are there for tests alone.
    test_lines: Vec<RangeInclusive<usize>>,
    /// Modules in files of their own that are there for tests alone: their paths without `.rs`.
    test_modules: Vec<String>,
    pub(super) functions: Vec<Function>,
    /// What `syn` says of a file that it cannot read.
    pub(super) unreadable: Option<String>,
}

/// A function outside of tests.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) lines: RangeInclusive<usize>,
    pub(super) arguments: usize,
}

/// Every file below the rooms.
pub(super) fn all(top: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    ROOMS.iter().for_each(|room| collect(top, &top.join(room), &mut sources));
    let for_tests: Vec<_> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut sources {
        if for_tests.iter().any(|module| source.belongs_to(module)) {
            source.test_lines.push(1..=usize::MAX);
        }
    }
    sources
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
            test_lines: Vec::new(),
            test_modules: Vec::new(),
            functions: Vec::new(),
            unreadable: None,
        };
        if source.is_test_file() {
            source.test_lines.push(1..=usize::MAX);
        }
        match syn::parse_file(text) {
            Ok(file) => file.items.iter().for_each(|item| source.take(item)),
            Err(error) => source.unreadable = Some(error.to_string()),
        }
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

    fn take(&mut self, item: &Item) {
        match item {
            Item::Fn(function) => {
                self.function(&function.attrs, &function.sig, function.block.brace_token.span.close());
            }
            Item::Impl(block) => block.items.iter().for_each(|item| {
                if let ImplItem::Fn(method) = item {
                    self.function(&method.attrs, &method.sig, method.block.brace_token.span.close());
                }
            }),
            Item::Trait(block) => block.items.iter().for_each(|item| {
                if let TraitItem::Fn(method) = item
                    && let Some(body) = &method.default
                {
                    self.function(&method.attrs, &method.sig, body.brace_token.span.close());
                }
            }),
            Item::Mod(module) => match (&module.content, is_for_tests(&module.attrs)) {
                (Some((brace, _)), true) => {
                    let first =
                        module.attrs.first().map_or(module.mod_token.span, |attribute| attribute.pound_token.span);
                    self.test_lines.push(first.start().line..=brace.span.close().end().line);
                }
                (Some((_, items)), false) => items.iter().for_each(|item| self.take(item)),
                (None, true) => self.test_modules.push(self.module(&module.ident.to_string())),
                (None, false) => {}
            },
            _ => {}
        }
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, end: proc_macro2::Span) {
        let lines = signature.fn_token.span.start().line..=end.end().line;
        if is_for_tests(attributes) {
            self.test_lines.push(lines);
        } else {
            let name = signature.ident.to_string();
            self.functions.push(Function { name, lines, arguments: signature.inputs.len() });
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}
