//! One file: it goes on where it was cut, and what has come is kept only if it has the hash that was promised.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use pellucid_files::regular;
use rustix::fs::{Mode, OFlags, open};
use ureq::http::{StatusCode, header};

use crate::client::{Ask, Client, PIECE, Trouble, cut, slow, text_of};
use crate::content_hash::Hasher;
use crate::pace::Pace;
use crate::progress::Progress;
use crate::remote_file::RemoteFile;

/// After so many bytes the attempts are counted anew.
const ENOUGH: u64 = 1 << 20;

/// The part of a file that has come.
struct Partial<'a> {
    wanted: &'a RemoteFile,
    path: &'a Path,
    file: File,
    hasher: Hasher,
    length: u64,
}

impl<'a> Partial<'a> {
    /// What an earlier attempt has left at `path`, or nothing.
    fn open(path: &'a Path, wanted: &'a RemoteFile) -> io::Result<Self> {
        // As `huggingface_hub` makes it: whoever the umask lets may read it. A link there is not this program's.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(open(path, flags, Mode::from_raw_mode(0o666))?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
        }
        let mut partial = Self { wanted, path, hasher: wanted.hash.hasher(wanted.size), length: 0, file };
        if partial.file.metadata()?.len() > wanted.size {
            partial.restart()?;
        }
        let mut piece = vec![0; PIECE];
        loop {
            let count = partial.file.read(&mut piece)?;
            if count == 0 {
                return Ok(partial);
            }
            partial.hasher.add(&piece[..count]);
            partial.length += count as u64;
        }
    }

    /// Forgets what has come.
    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.hasher, self.length) = (self.wanted.hash.hasher(self.wanted.size), 0);
        Ok(())
    }

    fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.hasher.add(piece);
        self.length += piece.len() as u64;
        Ok(())
    }

    fn told(&self, error: &io::Error) -> Trouble {
        Trouble::Lasting(format!("{}: {error}", self.path.display()))
    }
}

/// Fetches `wanted` into the file at `path`, which may hold the beginning of it. It is whole and right then.
pub(crate) fn download(
    client: &Client,
    wanted: &RemoteFile,
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let mut partial = Partial::open(path, wanted).map_err(told)?;
    let mut kept = partial.length;
    progress.advance(kept);
    loop {
        complete(client, &mut partial, progress)?;
        let found = partial.hasher.clone().finish();
        if found == wanted.hash.digits() {
            return partial.file.sync_all().map_err(told);
        }
        if kept == 0 {
            fs::remove_file(path).map_err(told)?;
            return Err(mismatch(wanted, &found));
        }
        // What was there before may be what is wrong.
        progress.note(&format!("{}: what an earlier attempt has left is damaged; from the beginning", wanted.name));
        partial.restart().map_err(told)?;
        kept = 0;
    }
}

fn mismatch(wanted: &RemoteFile, found: &str) -> String {
    let (kind, promised) = (wanted.hash.kind(), wanted.hash.digits());
    format!(
        "what came is not what the Hub promises ({kind} {found}, not {promised}), and was deleted; if a second pull says the same, mistrust the server"
    )
}

/// Fetches until all bytes are there.
fn complete(client: &Client, partial: &mut Partial<'_>, progress: &mut dyn Progress) -> Result<(), String> {
    let (mut failures, mut before) = (0, partial.length);
    while partial.length < partial.wanted.size {
        if let Err(trouble) = go_on(client, partial, progress) {
            if partial.length >= before + ENOUGH {
                (failures, before) = (0, partial.length);
            }
            client.wait(&mut failures, trouble, progress)?;
        }
    }
    Ok(())
}

/// Asks for what is missing, and takes what comes.
fn go_on(client: &Client, partial: &mut Partial<'_>, progress: &mut dyn Progress) -> Result<(), Trouble> {
    let answer = client.send(&partial.wanted.address, Ask::Get(partial.length))?;
    let (start, size) = (partial.length, partial.wanted.size);
    let is_next = match answer.status() {
        StatusCode::PARTIAL_CONTENT => text_of(&answer, header::CONTENT_RANGE.as_str()).is_some_and(|range| {
            range.strip_prefix("bytes ").and_then(|range| range.split('-').next()) == Some(start.to_string().as_str())
        }),
        StatusCode::OK => start == 0,
        _ => false,
    };
    if !is_next {
        partial.restart().map_err(|error| partial.told(&error))?;
    }
    if !is_next && answer.status() != StatusCode::OK {
        return Err(Trouble::Passing("the server does not go on where it was cut".to_owned(), None));
    }
    let promised = text_of(&answer, header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    if let Some(promised) = promised.filter(|promised| *promised != size - partial.length) {
        return Err(Trouble::Lasting(format!("the server sends {promised} bytes, and said {}", size - partial.length)));
    }
    take(answer.into_body().into_reader(), partial, client.pace(), progress)
}

/// Takes what comes, but no more than was promised.
fn take(
    mut from: impl Read,
    partial: &mut Partial<'_>,
    mut pace: Pace,
    progress: &mut dyn Progress,
) -> Result<(), Trouble> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).map_err(|error| cut(&error))?;
        let missing = partial.wanted.size - partial.length;
        if count as u64 > missing {
            let why = format!("the server sends more than the {} bytes that it promised", partial.wanted.size);
            partial.restart().map_err(|error| partial.told(&error))?;
            return Err(Trouble::Lasting(why));
        }
        if count == 0 {
            let whole = missing == 0;
            return if whole { Ok(()) } else { Err(Trouble::Passing("the connection was cut".to_owned(), None)) };
        }
        partial.add(&piece[..count]).map_err(|error| partial.told(&error))?;
        progress.advance(count as u64);
        if pace.is_too_slow(count, Instant::now()) {
            return Err(slow());
        }
    }
}

/// Whether the file at `path` is `wanted`.
///
/// # Errors
/// When it cannot be read, or is no regular file.
pub(crate) fn is_whole(path: &Path, wanted: &RemoteFile) -> io::Result<bool> {
    let mut file = match regular::open_named(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() != wanted.size {
        return Ok(false);
    }
    let (mut hasher, mut piece) = (wanted.hash.hasher(wanted.size), vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(hasher.finish() == wanted.hash.digits());
        }
        hasher.add(&piece[..count]);
    }
}

/// Where the part of a file lies that has come, beside its place.
pub(crate) fn partial_of(blob: &Path) -> PathBuf {
    let mut name = blob.as_os_str().to_owned();
    name.push(".incomplete");
    name.into()
}
