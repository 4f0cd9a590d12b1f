//! The Hub and the cache that the environment names: the endpoint, the token, and whether anything may be fetched at all.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pellucid_files::bounded;
use pellucid_intake::hub_cache::{HubCache, home};

use crate::address::Address;
use crate::error::PullError;

/// Where the Hub is if the environment does not say it.
const ENDPOINT: &str = "https://huggingface.co";
/// Bytes of a token at most.
const LONGEST_TOKEN: u64 = 4096;
/// How long a connection may bring next to nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long is waited before each further try, in seconds.
const PAUSES: [u64; 4] = [1, 2, 4, 8];

/// From where and into which cache models are fetched.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) endpoint: Address,
    pub(crate) token: Option<Token>,
    pub(crate) pauses: Vec<Duration>,
    pub(crate) patience: Duration,
    cache: HubCache,
}

/// Says who the user is. It is in no message.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// The value of the header that carries it.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Hub {
    /// As `huggingface_hub` finds them: `HF_ENDPOINT`, `HF_TOKEN` or the file of the token, `HF_HUB_CACHE` and its like.
    ///
    /// # Errors
    /// When one of them makes no sense, or `HF_HUB_OFFLINE` forbids to fetch.
    pub fn of_user() -> Result<Self, PullError> {
        Self::of(|name| env::var_os(name))
    }

    /// As [`Hub::of_user`], in the environment `var`.
    ///
    /// # Errors
    /// As [`Hub::of_user`].
    pub fn of(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, PullError> {
        let is_on = |name: &&str| var(name).is_some_and(|value| is_yes(&value.to_string_lossy()));
        if let Some(name) = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].iter().find(|name| is_on(name)) {
            return Err(PullError::told(name, "is set, so nothing is fetched; unset it, or pull on another machine"));
        }
        let endpoint = var("HF_ENDPOINT").map(|value| value.to_string_lossy().trim().to_owned());
        let endpoint = endpoint.filter(|value| !value.is_empty()).unwrap_or_else(|| ENDPOINT.to_owned());
        let endpoint = Address::parse(&endpoint).map_err(|why| PullError::told("HF_ENDPOINT", why))?;
        let cache = HubCache::of(&var).ok_or_else(|| PullError::told("HF_HOME", "is not set, and there is no HOME"))?;
        let pauses = PAUSES.map(Duration::from_secs).to_vec();
        Ok(Self { endpoint, token: token(&var)?, pauses, patience: PATIENCE, cache })
    }

    /// The same, but for how long is waited before each further try.
    #[must_use]
    pub fn with_pauses(self, pauses: Vec<Duration>) -> Self {
        Self { pauses, ..self }
    }

    /// The same, but for how long a connection may bring next to nothing.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The cache.
    #[must_use]
    pub fn cache(&self) -> &HubCache {
        &self.cache
    }

    /// What the user should know before anything is sent.
    pub(crate) fn warning(&self) -> Option<String> {
        let is_open = self.token.is_some() && self.endpoint.is_open();
        is_open.then(|| format!("HF_ENDPOINT: the token goes to {} without encryption", self.endpoint.host()))
    }
}

/// As `huggingface_hub` reads a variable.
fn is_yes(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
}

/// The token of the environment, else the one that `hf auth login` has kept.
fn token(var: &impl Fn(&str) -> Option<OsString>) -> Result<Option<Token>, PullError> {
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(value) = var(name).map(|value| value.to_string_lossy().trim().to_owned())
            && !value.is_empty()
        {
            return plain(value).map(Some).map_err(|why| PullError::told(name, why));
        }
    }
    if var("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|value| is_yes(&value.to_string_lossy())) {
        return Ok(None);
    }
    let named = var("HF_TOKEN_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = named.or_else(|| Some(home(var)?.join("token"))) else { return Ok(None) };
    match bounded::read_text(&path, LONGEST_TOKEN) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => plain(text.trim().to_owned()).map(Some).map_err(|why| PullError::told(path.display(), why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PullError::io(&path, error)),
    }
}

/// A token that a header can carry.
fn plain(text: String) -> Result<Token, &'static str> {
    let is_plain = text.len() as u64 <= LONGEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { Ok(Token(text)) } else { Err("holds no token: a token is one word of letters and digits") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn hub(vars: &[(&str, &str)]) -> Result<Hub, String> {
        let var = |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        Hub::of(var).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_says_where_and_who() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().to_str().unwrap();
        let token = |vars: &[(&str, &str)]| hub(vars).unwrap().token.map(|token| token.header());
        assert_eq!(hub(&[("HF_HOME", home)]).unwrap().endpoint.to_string(), "https://huggingface.co/");
        assert_eq!(token(&[("HF_HOME", home)]), None);
        fs::write(place.path().join("token"), "hf_kept\n").unwrap();
        assert_eq!(token(&[("HF_HOME", home)]).unwrap(), "Bearer hf_kept");
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN", " hf_said ")]).unwrap(), "Bearer hf_said");
        assert_eq!(token(&[("HF_HOME", home), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert!(!format!("{:?}", hub(&[("HF_HOME", home)]).unwrap()).contains("hf_kept"));
        let open = hub(&[("HF_HOME", home), ("HF_ENDPOINT", "http://mirror.lan")]).unwrap();
        assert!(open.warning().unwrap().contains("mirror.lan without encryption"));
    }

    #[test]
    fn what_makes_no_sense_is_said_with_its_variable() {
        for (name, value, part) in [
            ("HF_HUB_OFFLINE", "1", "HF_HUB_OFFLINE: is set"),
            ("HF_HUB_OFFLINE", "True", "HF_HUB_OFFLINE: is set"),
            ("TRANSFORMERS_OFFLINE", "yes", "TRANSFORMERS_OFFLINE: is set"),
            ("HF_ENDPOINT", "huggingface.co", "HF_ENDPOINT: "),
            ("HF_ENDPOINT", "https://me:secret@hub", "HF_ENDPOINT: has no plain host"),
            ("HF_TOKEN", "a\nb", "HF_TOKEN: holds no token"),
        ] {
            let message = hub(&[("HOME", "/nowhere"), (name, value)]).unwrap_err();
            assert!(message.starts_with(part) && !message.contains("secret") && !message.contains('\n'), "{message}");
        }
        assert!(hub(&[("HOME", "/nowhere"), ("HF_HUB_OFFLINE", "0")]).is_ok());
        assert!(hub(&[]).unwrap_err().starts_with("HF_HOME: "));
    }
}
