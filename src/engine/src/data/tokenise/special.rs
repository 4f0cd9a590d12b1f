//! The special and added tokens of a tokenizer, as the files beside `tokenizer.json` have them.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::class::{MaskForm, TokenizerClass, Writer};

/// The roles of special tokens, in the order in which transformers takes them.
pub(super) const ROLES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// The keys of further special tokens.
pub(super) const MORE: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// A token as a file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    token: AddedToken,
    form: Form,
}

/// How a token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As a text: it is added only if it is not there.
    Text,
    /// With what it takes in: it is added, or changed, in any case.
    Token {
        /// Whether it says whether it is looked up in normalised text.
        normalized: Option<bool>,
    },
}

impl Written {
    /// A token from `value`, in `key`.
    fn read(key: &str, value: &Value) -> Result<Self, String> {
        if let Value::String(content) = value {
            return Ok(Self { token: AddedToken::from(content.as_str(), true), form: Form::Text });
        }
        let content = value.get("content").and_then(Value::as_str);
        let content = content.ok_or_else(|| format!("{key} has `{value}`, which is no token"))?;
        let flag = |name: &str| value.get(name).and_then(Value::as_bool);
        let token = AddedToken::from(content, flag("special").unwrap_or(false))
            .single_word(flag("single_word").unwrap_or(false))
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false));
        let normalized = flag("normalized");
        Ok(Self { token, form: Form::Token { normalized } }.settled())
    }

    /// The same, looked up in normalised text if it says so, or if it says nothing and is not special.
    fn settled(mut self) -> Self {
        if let Form::Token { normalized } = self.form {
            self.token.normalized = normalized.unwrap_or(!self.token.special);
        }
        self
    }

    /// The same as a special token.
    fn special(mut self) -> Self {
        self.token.special = true;
        self.settled()
    }
}

/// The files beside `tokenizer.json`.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenFiles {
    /// `tokenizer_config.json`.
    pub(super) config: Map<String, Value>,
    /// `special_tokens_map.json`.
    pub(super) special_tokens_map: Map<String, Value>,
    /// `added_tokens.json`.
    pub(super) added_tokens: Map<String, Value>,
}

/// The special and added tokens of a tokenizer.
#[derive(Debug, Clone)]
pub(super) struct SpecialTokens {
    /// Tokens of roles and further ones, in the order in which they are added.
    special: Vec<(String, Written)>,
    /// Added tokens that the files beside `tokenizer.json` have, by their number.
    added: Vec<(u64, Written)>,
    /// The added tokens of `tokenizer.json`.
    known: Vec<AddedToken>,
    /// Where those in `added` are from.
    source: Source,
    writer: Writer,
}

/// The files that added tokens are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// `added_tokens_decoder` of `tokenizer_config.json`.
    Decoder,
    /// `special_tokens_map.json` and `added_tokens.json`.
    OlderFiles,
}

impl SpecialTokens {
    /// Those of a tokenizer of `class` whose `tokenizer.json` has the added tokens `numbered`. `added_tokens_decoder` makes
    /// the two older files void.
    ///
    /// # Errors
    /// A token that is none, by the key that it is in.
    pub(super) fn of(
        files: &TokenFiles,
        class: TokenizerClass,
        numbered: &HashMap<u32, AddedToken>,
    ) -> Result<Self, String> {
        let mut named = files.config.clone();
        let decoder = named.remove("added_tokens_decoder");
        let mut tokens = Self {
            special: Vec::new(),
            added: decoder.as_ref().map_or_else(|| Ok(Vec::new()), decoded)?,
            known: numbered.values().cloned().collect(),
            source: if decoder.is_some() { Source::Decoder } else { Source::OlderFiles },
            writer: class.writer,
        };
        if tokens.source == Source::OlderFiles {
            named.extend(files.special_tokens_map.clone());
        }
        for (role, value) in roles(&named, class.writer)? {
            if let Some(token) = tokens.of_role(&role, value, class)? {
                tokens.special.push((role, token));
            }
        }
        if tokens.source == Source::OlderFiles {
            let is_numbered = |id: u64| u32::try_from(id).is_ok_and(|id| numbered.contains_key(&id));
            tokens.added = tokens.legacy(&files.added_tokens)?;
            tokens.added.retain(|(id, _)| !is_numbered(*id));
        }
        Ok(tokens)
    }

    /// The tokens of `added_tokens.json`.
    fn legacy(&self, file: &Map<String, Value>) -> Result<Vec<(u64, Written)>, String> {
        let token = |(content, id): (&String, &Value)| {
            let id = id.as_u64().ok_or_else(|| format!("added_tokens.json gives `{content}` the number {id}"))?;
            let special = self.contents().any(|other| other == content);
            let form = Form::Token { normalized: Some(!special) };
            Ok((id, Written { token: AddedToken::from(content.as_str(), special), form }))
        };
        let mut added: Vec<_> = file.iter().map(token).collect::<Result<_, String>>()?;
        added.sort_by_key(|(id, _)| *id);
        Ok(added)
    }
}

/// The tokens of `added_tokens_decoder`, in the order of their numbers.
fn decoded(decoder: &Value) -> Result<Vec<(u64, Written)>, String> {
    let all = decoder.as_object().ok_or("added_tokens_decoder is no object of numbers and tokens")?;
    let token = |(number, value): (&String, &Value)| {
        let number = number.parse().map_err(|_| format!("added_tokens_decoder has the number `{number}`"))?;
        if !value.is_object() {
            return Err(format!("added_tokens_decoder has `{value}`, which is no token"));
        }
        Ok((number, Written::read("added_tokens_decoder", value)?))
    };
    let mut tokens: Vec<_> = all.iter().map(token).collect::<Result<_, String>>()?;
    tokens.sort_by_key(|(number, _)| *number);
    Ok(tokens)
}

/// Each role, and each further special token, with what `named` has for it.
fn roles(named: &Map<String, Value>, writer: Writer) -> Result<Vec<(String, Option<Value>)>, String> {
    let mut roles: Vec<_> = ROLES.iter().map(|&role| (role.to_owned(), named.get(role).cloned())).collect();
    // Transformers 5 takes every key with such a name for a role.
    let is_more = |key: &str| writer == Writer::Five && key.ends_with("_token") && !ROLES.contains(&key);
    let more = named.iter().filter(|(key, value)| is_more(key) && value.is_string());
    roles.extend(more.map(|(key, value)| (key.clone(), Some(value.clone()))));
    for key in MORE {
        match named.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => roles.extend(list.iter().map(|value| (key.to_owned(), Some(value.clone())))),
            Some(Value::Object(map)) => {
                roles.extend(map.iter().map(|(role, value)| (role.clone(), Some(value.clone()))));
            }
            Some(other) => return Err(format!("{key} is `{other}`, not a list of tokens")),
        }
    }
    Ok(roles)
}

impl SpecialTokens {
    /// The token of a role, from what the files have for it or else from its class. Where the older files count, what
    /// they write with braces is special.
    fn of_role(&self, role: &str, value: Option<Value>, class: TokenizerClass) -> Result<Option<Written>, String> {
        let legacy = self.source == Source::OlderFiles;
        let default = class.tokens.iter().find(|(of, _)| *of == role).map(|(_, token)| Value::from(*token));
        let written = match (value, default) {
            (Some(Value::Null), _) | (None, None) => return Ok(None),
            (Some(value), _) => {
                let written = Written::read(role, &value)?;
                let written = if legacy && written.form != Form::Text { written.special() } else { written };
                self.added_as(&written.token.content).unwrap_or(written)
            }
            (None, Some(default)) => Written::read(role, &default)?,
        };
        let takes_spaces = role == "mask_token" && class.mask == MaskForm::WithSpaces && written.form == Form::Text;
        let form = Form::Token { normalized: None };
        Ok(Some(if takes_spaces { Written { token: written.token.lstrip(true), form } } else { written }))
    }

    /// The added token with this content, with all that it takes in.
    fn added_as(&self, content: &str) -> Option<Written> {
        let whole = |token: &AddedToken| Written {
            form: Form::Token { normalized: Some(token.normalized) },
            token: token.clone(),
        };
        let known = self.known.iter().filter(|_| self.source == Source::OlderFiles).map(whole);
        let added = self.added.iter().map(|(_, token)| token.clone());
        known.chain(added).find(|token| token.token.content == content)
    }

    fn contents(&self) -> impl Iterator<Item = &String> {
        self.special.iter().map(|(_, token)| &token.token.content)
    }

    /// The content of the token of a role.
    pub(super) fn content(&self, role: &str) -> Option<&str> {
        self.special.iter().find(|(of, _)| of == role).map(|(_, token)| token.token.content.as_str())
    }

    /// Whether `added_tokens_decoder` is there and has other tokens than `tokenizer.json`.
    pub(super) fn differ(&self) -> bool {
        let added: Vec<&AddedToken> = self.added.iter().map(|(_, token)| &token.token).collect();
        let same = added.len() == self.known.len() && self.known.iter().all(|known| added.contains(&known));
        self.source == Source::Decoder && !same
    }

    /// The tokens that `tokenizer.json` lacks, or has in another form, in the order in which they are added.
    pub(super) fn missing(&self) -> Vec<AddedToken> {
        let added = self.added.iter().map(|(_, token)| token);
        let of_files: Vec<Written> = added.filter(|token| !self.known.contains(&token.token)).cloned().collect();
        let is_there = |content: &str| {
            let mut all = self.known.iter().chain(of_files.iter().map(|own| &own.token));
            all.any(|token| token.content == content)
        };
        let mut missing = of_files.clone();
        for (at, (_, token)) in self.special.iter().enumerate() {
            let content = &token.token.content;
            let is_first = self.special[..at].iter().all(|(_, before)| before.token.content != *content);
            let is_missing = match (self.writer, token.form) {
                (Writer::Five, _) | (Writer::Four, Form::Text) => !is_there(content),
                (Writer::Four, Form::Token { .. }) => of_files.iter().all(|own| own.token != token.token),
            };
            if is_first && is_missing {
                missing.push(token.clone());
            }
        }
        let is_special = |token: &Written| self.contents().any(|content| *content == token.token.content);
        missing.into_iter().map(|token| if is_special(&token) { token.special().token } else { token.token }).collect()
    }
}
