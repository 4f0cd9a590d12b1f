//! What comes from the Hub: listings, headers, redirects and files, sent by a server on this machine.
//!
//! An input is what the server has, in pieces between lines of `----`. The first line of a piece is its name: `listing`, a
//! file of the model, or a path that a redirect leads to. Headers follow up to an empty line, a status line perhaps before
//! them, and then the body. Of several pieces with one name each is sent once, and the last of them from then on.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pellucid_hub::{Hub, Progress, pull};
use pellucid_intake::hub_cache::{CachedModel, folder_of};
use pellucid_protocol::settings::{HubName, is_commit};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::file::folder;

/// What stands between the pieces of an input.
const NEXT_PIECE: &[u8] = b"\n----\n";
/// Who the user is.
const TOKEN: &str = "hf_secret";
/// Bytes of a request at most.
const LONGEST_REQUEST: usize = 64 << 10;

/// Whatever a server sends, a model is fetched whole or refused in one line; nothing is written but what the cache is laid
/// out of, contents have the hashes that they are named by, and no other server hears of the token.
pub(crate) fn hub(bytes: &[u8]) {
    SERVER.with(|server| {
        let server = server.get_or_init(Server::new);
        let place = folder().join("hub-place");
        drop(fs::remove_dir_all(&place));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("precious"), "precious").unwrap();
        *server.sent.lock().unwrap() = Sent { pieces: pieces(bytes), ..Sent::default() };
        let home = place.join("home");
        let hub = server.hub(&home);
        let name: HubName = "org/name".parse().unwrap();
        let mut commit = None;
        // Again, into a cache that has something.
        for _ in 0..2 {
            match pull(&hub, &name, &mut Notes) {
                Ok(pulled) => {
                    assert!(is_commit(&pulled.commit));
                    let is_there = |name: &str| pulled.snapshot().join(name).is_file();
                    assert!(is_there("config.json") && pulled.files.iter().all(|file| is_there(&file.name)));
                    commit = Some(pulled.commit);
                }
                Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            }
            check_cache(&hub.cache().model(&name), commit.as_deref());
            if let Err(error) = folder_of(&"org/name".into(), Some(hub.cache())) {
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
            }
        }
        assert!(names(&place).iter().all(|name| name == "home" || name == "precious"));
        assert_eq!(fs::read(place.join("precious")).unwrap(), b"precious");
        assert!(names(&home).iter().all(|name| name == "hub"));
        assert!(!server.sent.lock().unwrap().has_leaked, "another server has heard the token");
    });
}

thread_local! {
    static SERVER: OnceCell<Server> = const { OnceCell::new() };
}

/// Whoever is told of it gets single lines.
struct Notes;

impl Progress for Notes {
    fn expect(&mut self, _bytes: u64) {}
    fn file(&mut self, name: &str) {
        assert_eq!(name.lines().count(), 1, "{name}");
    }
    fn advance(&mut self, _bytes: u64) {}
    fn note(&mut self, line: &str) {
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

/// What a model has in the cache, if `commit` was fetched whole.
fn check_cache(model: &CachedModel, commit: Option<&str>) {
    let reference = model.reference("main");
    assert_eq!(fs::read_to_string(reference).ok().as_deref(), commit, "a branch is where it was fetched whole");
    assert!(names(model.folder()).iter().all(|name| ["blobs", "refs", "snapshots"].contains(&name.as_str())));
    for name in names(&model.blobs()) {
        let content = fs::read(model.blobs().join(&name)).unwrap();
        let is_right = match name.len() {
            40 => git_hash(&content) == name,
            64 => hexadecimal(&Sha256::digest(&content)) == name,
            _ => name.ends_with(".incomplete") && [40, 64].contains(&(name.len() - ".incomplete".len())),
        };
        assert!(is_right, "{name}");
    }
    let snapshots = model.folder().join("snapshots");
    for commit in names(&snapshots) {
        assert!(is_commit(&commit), "{commit}");
        check_links(&snapshots.join(commit), &model.blobs());
    }
}

/// The files of a commit are links to contents, at most one folder deep.
fn check_links(place: &Path, blobs: &Path) {
    for name in names(place) {
        let path = place.join(&name);
        if name == "1_Pooling" && !path.is_symlink() {
            check_links(&path, blobs);
            continue;
        }
        let target = path.canonicalize().unwrap();
        assert!(path.is_symlink() && target.parent() == Some(&blobs.canonicalize().unwrap()), "{name}");
    }
}

/// Names in a folder, in their order; none if it is not there.
fn names(place: &Path) -> Vec<String> {
    let entries = fs::read_dir(place).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn git_hash(content: &[u8]) -> String {
    hexadecimal(&Sha1::new_with_prefix(format!("blob {}\0", content.len())).chain_update(content).finalize())
}

/// Something that a server has.
#[derive(Clone, Default)]
struct Piece {
    name: String,
    head: String,
    body: Vec<u8>,
}

/// The pieces of an input.
fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = Some(bytes);
    while let Some(here) = rest {
        let end = here.windows(NEXT_PIECE.len()).position(|window| window == NEXT_PIECE);
        let piece = &here[..end.unwrap_or(here.len())];
        rest = end.map(|end| &here[end + NEXT_PIECE.len()..]);
        let (name, content) = cut(piece, b"\n");
        // An empty line may follow at once.
        let (head, body) = content.strip_prefix(b"\n").map_or_else(|| cut(content, b"\n\n"), |body| (&[][..], body));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        pieces.push(Piece { name: text(name), head: text(head), body: body.to_vec() });
    }
    pieces
}

/// What stands before and after the first of these marks.
fn cut<'a>(bytes: &'a [u8], mark: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + mark.len()..]))
}

/// What is sent, and what was asked.
#[derive(Default)]
struct Sent {
    pieces: Vec<Piece>,
    /// How often each name was asked for, apart from what is only to be described.
    asked: HashMap<String, usize>,
    has_leaked: bool,
}

/// The Hub and another server that it redirects to.
struct Server {
    hub: String,
    storage: String,
    sent: Arc<Mutex<Sent>>,
}

/// Which of the two is asked.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Hub,
    Storage,
}

impl Server {
    fn new() -> Self {
        let sent = Arc::new(Mutex::new(Sent::default()));
        let listeners = [Role::Hub, Role::Storage].map(|role| (role, TcpListener::bind("127.0.0.1:0").unwrap()));
        let [hub, storage] =
            [0, 1].map(|at: usize| format!("http://127.0.0.1:{}", listeners[at].1.local_addr().unwrap().port()));
        for (role, listener) in listeners {
            let server = Self { hub: hub.clone(), storage: storage.clone(), sent: Arc::clone(&sent) };
            std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| server.serve(stream, role)));
        }
        Self { hub, storage, sent }
    }

    fn hub(&self, home: &Path) -> Hub {
        let vars = [("HF_HOME", home.to_str().unwrap()), ("HF_ENDPOINT", &self.hub), ("HF_TOKEN", TOKEN)];
        let var = |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        Hub::of(var).unwrap().with_pauses(vec![Duration::ZERO])
    }

    /// Answers one request and closes the connection.
    fn serve(&self, mut stream: TcpStream, role: Role) {
        let Some(request) = request(&mut stream) else { return };
        let answer = self.answer(&request, role);
        // Whoever has heard enough hangs up.
        let _ = stream.write_all(&answer);
    }

    fn answer(&self, request: &str, role: Role) -> Vec<u8> {
        let mut sent = self.sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sent.has_leaked |= role == Role::Storage && request.contains(TOKEN);
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_head = method == "HEAD";
        let Some(piece) = sent.next(name_of(path), is_head) else {
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        };
        let from = request.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
        let start = from.unwrap_or(0).min(piece.body.len());
        let mut answer = self.head(&piece, start, &sent.pieces).into_bytes();
        if !is_head {
            answer.extend(&piece.body[start..]);
        }
        answer
    }

    /// The head of an answer: as the piece has it, and what it leaves out.
    fn head(&self, piece: &Piece, start: usize, pieces: &[Piece]) -> String {
        let is_status = |line: &&str| line.starts_with("HTTP/");
        let mut lines = piece.head.split('\n').filter(|line| !line.is_empty()).peekable();
        let status = lines.next_if(is_status).unwrap_or(match start {
            0 => "HTTP/1.1 200 OK",
            _ => "HTTP/1.1 206 Partial Content",
        });
        let mut head = vec![status.to_owned(), "connection: close".to_owned()];
        head.extend(lines.filter(|line| stays_here(line) && !waits(line)).map(|line| self.filled(line, pieces)));
        let has = |name: &str| piece.head.to_ascii_lowercase().lines().any(|line| line.starts_with(name));
        let length = piece.body.len();
        if !has("content-length:") && !has("transfer-encoding:") {
            head.push(format!("content-length: {}", length - start));
        }
        if !has("etag:") {
            head.push(format!("etag: \"{}\"", git_hash(&piece.body)));
        }
        if start > 0 && !has("content-range:") {
            head.push(format!("content-range: bytes {start}-{}/{length}", length - 1));
        }
        head.join("\r\n") + "\r\n\r\n"
    }

    /// A line with the values that an input cannot know: `{hub}`, `{storage}`, `{sha256 NAME}` and `{size NAME}`.
    fn filled(&self, line: &str, pieces: &[Piece]) -> String {
        let mut line = line.replace("{hub}", &self.hub).replace("{storage}", &self.storage);
        for piece in pieces {
            line = line.replace(&format!("{{sha256 {}}}", piece.name), &hexadecimal(&Sha256::digest(&piece.body)));
            line = line.replace(&format!("{{size {}}}", piece.name), &piece.body.len().to_string());
        }
        line
    }
}

impl Sent {
    /// What is sent to whoever asks for `name`, once more unless it is only to be described.
    fn next(&mut self, name: &str, is_head: bool) -> Option<Piece> {
        let asked = self.asked.entry(name.to_owned()).or_default();
        let all: Vec<&Piece> = self.pieces.iter().filter(|piece| piece.name == name).collect();
        let piece = all.get(*asked).or(all.last()).map(|piece| (*piece).clone());
        *asked += usize::from(!is_head);
        piece
    }
}

/// What a request is called among the pieces.
fn name_of(path: &str) -> &str {
    match path.split_once("/resolve/").and_then(|(_, file)| file.split_once('/')) {
        Some((_, name)) => name,
        None if path.starts_with("/api/") => "listing",
        None => path.trim_start_matches('/'),
    }
}

/// Whether a header leads nobody away from this machine.
fn stays_here(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let place = lower.strip_prefix("location: ");
    let is_here = |place: &str| {
        let is_path = place.starts_with('/') && !place[1..].starts_with(['/', '\\']);
        is_path || place.starts_with("{hub}/") || place.starts_with("{storage}/")
    };
    !lower.contains("location") || place.is_some_and(is_here)
}

/// Whether a header asks to wait for some time, which is done.
fn waits(line: &str) -> bool {
    let seconds = line.split_once(':').and_then(|(_, value)| value.trim().parse().ok());
    line.to_ascii_lowercase().contains("retry-after")
        && seconds.is_some_and(|seconds: u64| (1..1000).contains(&seconds))
}

/// The head of a request.
fn request(stream: &mut TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0 && head.len() < LONGEST_REQUEST)?;
        head.extend(&piece[..count]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
