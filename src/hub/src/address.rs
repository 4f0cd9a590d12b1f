//! A URL, and whom it belongs to.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

/// Characters of a URL at most; those that storage signs have some two thousand.
const LONGEST: usize = 8192;

/// What is escaped in a part of a path, as Python's `quote` does.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
const PATH: &AsciiSet = &PART.remove(b'/');

/// What becomes of the slashes in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slashes {
    /// They separate the parts of a path.
    Kept,
    /// They are parts of one name.
    Escaped,
}

/// `name` as it stands in a URL.
pub(crate) fn escaped(name: &str, slashes: Slashes) -> String {
    let set = match slashes {
        Slashes::Kept => PATH,
        Slashes::Escaped => PART,
    };
    utf8_percent_encode(name, set).to_string()
}

/// The URL of something on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Uri);

/// Whom a URL belongs to: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    is_encrypted: bool,
    host: String,
    port: u16,
}

impl Address {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// When it is none, is of another scheme than http and https, or has a user in it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err("is too long for a URL".to_owned());
        }
        let uri: Uri = text.parse().map_err(|_| "is no URL".to_owned())?;
        if !uri
            .scheme_str()
            .is_some_and(|scheme| ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
        {
            return Err("is no URL that begins with https:// or http://".to_owned());
        }
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@') || authority.host().is_empty()) {
            return Err("has no plain host; a user or password does not belong into it".to_owned());
        }
        Ok(Self(uri))
    }

    /// The URL of `path`, which begins with `/`, below this one.
    pub(crate) fn below(&self, path: &str) -> Result<Self, String> {
        Self::parse(&format!("{}{path}", self.to_string().trim_end_matches('/')))
    }

    /// Where `location` leads to from here.
    ///
    /// # Errors
    /// When that is no URL, or is not encrypted although this one is.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, String> {
        let scheme = self.0.scheme_str().unwrap_or("https");
        let next = match (location.strip_prefix("//"), location.starts_with('/')) {
            (Some(rest), _) => Self::parse(&format!("{scheme}://{rest}")),
            (None, true) => {
                let host = self.0.authority().map_or("", |authority| authority.as_str());
                Self::parse(&format!("{scheme}://{host}{location}"))
            }
            (None, false) => Self::parse(location),
        };
        let next = next.map_err(|why| format!("redirects to what {why}"))?;
        if self.origin().is_encrypted && !next.origin().is_encrypted {
            return Err(format!("redirects to {}, without encryption", next.host()));
        }
        Ok(next)
    }

    /// Whom it belongs to.
    pub(crate) fn origin(&self) -> Origin {
        let is_encrypted = self.0.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let port = self.0.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        Origin { is_encrypted, host: self.host().to_ascii_lowercase(), port }
    }

    /// Its host.
    pub(crate) fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    /// Whether what is sent there can be read on the way.
    pub(crate) fn is_open(&self) -> bool {
        let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&self.host());
        !self.origin().is_encrypted && !is_here
    }

    pub(crate) fn uri(&self) -> Uri {
        self.0.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn only_plain_urls_are_taken() {
        for text in [
            "",
            "a/b",
            "/a",
            "ftp://a/b",
            "file:///etc/passwd",
            "https://",
            "https:///a",
            "https://u:p@a/b",
            "https://a b/",
            "https://a/\n",
            "javascript:x",
            &format!("https://a/{}", "x".repeat(9000)),
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(address("https://a.b/c/").below("/d/e").unwrap(), address("https://a.b/c/d/e"));
        assert_eq!(address("https://a.b").below("/d").unwrap(), address("https://a.b/d"));
    }

    #[test]
    fn names_are_escaped_as_in_python() {
        // urllib.parse.quote(name), and with safe="".
        let name = "a b/c?d%20#é&+~_.-";
        assert_eq!(escaped(name, Slashes::Kept), "a%20b/c%3Fd%2520%23%C3%A9%26%2B~_.-");
        assert_eq!(escaped("refs/pr/1", Slashes::Escaped), "refs%2Fpr%2F1");
    }

    #[test]
    fn a_redirect_stays_encrypted_and_is_known_by_whom_it_leads_to() {
        let from = address("https://hub.co/a/b");
        for (location, origin) in [
            ("/c?d=e", "https://hub.co"),
            ("https://HUB.co:443/x", "https://hub.co"),
            ("//cdn.co/x", "https://cdn.co"),
            ("https://hub.co.evil.co/", "https://hub.co.evil.co"),
            ("https://hub.co:444/", "https://hub.co:444"),
        ] {
            assert_eq!(from.redirected(location).unwrap().origin(), address(origin).origin(), "{location}");
        }
        assert!(from.redirected("http://hub.co/x").unwrap_err().contains("without encryption"));
        for location in ["", "x", "ftp://a/", "file:///x", "https://hub.co@evil.co/", "\\\\a"] {
            assert!(from.redirected(location).unwrap_err().starts_with("redirects to what "), "{location}");
        }
        let origins = ["https://a", "http://a", "https://b", "https://a:1"].map(|text| address(text).origin());
        assert!((0..4).all(|one| (0..4).all(|other| (origins[one] == origins[other]) == (one == other))));
        assert!(address("http://mirror.lan/").is_open() && !address("http://127.0.0.1:9/").is_open());
    }
}
