//! A file on the Hub: its size and its hash, as the Hub says them before it sends it.

use ureq::Body;
use ureq::http::{Response, header};

use crate::address::{Address, Slashes, escaped};
use crate::client::{Ask, Client, LINKED_ETAG, Trouble, text_of};
use crate::content_hash::ContentHash;
use crate::listing::Commit;
use crate::progress::Progress;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    /// Its path in the repository.
    pub(crate) name: String,
    /// From where it is fetched.
    pub(crate) address: Address,
    /// Its bytes.
    pub(crate) size: u64,
    /// The hash that it must have.
    pub(crate) hash: ContentHash,
}

impl RemoteFile {
    /// Asks the Hub what the file `name` of `commit` is, which must have at most `limit` bytes.
    pub(crate) fn ask(
        client: &Client,
        commit: &Commit,
        (name, limit): (&str, u64),
        progress: &mut dyn Progress,
    ) -> Result<Self, String> {
        let path = escaped(name, Slashes::Kept);
        let address = client.address(&format!("/{}/resolve/{}/{path}", commit.repository, commit.hash))?;
        let (size, hash) = client.patiently(progress, || {
            let answer = client.send(&address, Ask::Head)?;
            told(&answer, commit).map_err(Trouble::Lasting)
        })?;
        if size > limit {
            return Err(format!("would have {size} bytes; a file of its kind has {limit} at most"));
        }
        Ok(Self { name: name.to_owned(), address, size, hash })
    }
}

/// Size and hash of a file, of the headers that tell them.
fn told(answer: &Response<Body>, commit: &Commit) -> Result<(u64, ContentHash), String> {
    if let Some(other) = text_of(answer, "x-repo-commit").filter(|other| *other != commit.hash) {
        let other: String = other.chars().take(40).collect();
        return Err(format!("the Hub answers for the commit {other}, and was asked for {}", commit.hash));
    }
    let etag = text_of(answer, LINKED_ETAG).or_else(|| text_of(answer, header::ETAG.as_str()));
    let etag = etag.ok_or("the server does not say its hash (no etag), so it could not be checked")?;
    let hash = ContentHash::of_etag(etag)
        .ok_or("the server gives a hash (etag) of no known kind, so it could not be checked")?;
    let length = || text_of(answer, header::CONTENT_LENGTH.as_str()).filter(|_| answer.status().is_success());
    let size = text_of(answer, "x-linked-size").or_else(length).and_then(|size| size.parse().ok());
    Ok((size.ok_or("the server does not say its size")?, hash))
}
