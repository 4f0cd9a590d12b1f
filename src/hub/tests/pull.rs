//! Models are fetched whole or not at all, whatever the server does; nobody but the Hub sees the token.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pellucid_fixture::hub_server::{COMMIT, Fault, HubServer};
use pellucid_hub::{Hub, Progress, Pulled, pull};
use tempfile::TempDir;

const MODEL: &str = "org/name";

/// A cache of its own, and a server.
struct Place {
    folder: TempDir,
    server: HubServer,
    notes: Vec<String>,
    patience: Duration,
}

struct Notes<'a>(&'a mut Vec<String>);

impl Progress for Notes<'_> {
    fn expect(&mut self, _bytes: u64) {}
    fn file(&mut self, _name: &str) {}
    fn advance(&mut self, _bytes: u64) {}
    fn note(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}

/// Weights that are longer than what is read at once.
fn weights() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

impl Place {
    fn new() -> Self {
        let server = HubServer::new();
        let small =
            [("config.json", "{\"model_type\":\"bert\"}"), ("tokenizer.json", "{}"), ("1_Pooling/config.json", "{}")];
        server.has(MODEL, small);
        let large = ["model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx"];
        server.has(MODEL, large.map(|name| (name, [name.as_bytes(), &weights()].concat())));
        server.has(MODEL, [("../../../evil", "x"), ("/etc/evil", "x"), ("a\u{1b}[2J", "x"), ("README.md", "x")]);
        let patience = Duration::from_secs(60);
        Self { folder: tempfile::tempdir().unwrap(), server, notes: Vec::new(), patience }
    }

    fn pulled(&mut self, name: &str, more: &[(&str, &str)]) -> Result<Pulled, String> {
        let home = self.folder.path().to_str().unwrap();
        let vars = [&[("HF_HOME", home), ("HF_ENDPOINT", &self.server.endpoint)], more].concat();
        let var =
            |name: &str| vars.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let hub = Hub::of(var).map_err(|error| error.to_string())?.with_pauses(vec![Duration::ZERO; 4]);
        let hub = hub.with_patience(self.patience);
        pull(&hub, &name.parse()?, &mut Notes(&mut self.notes)).map_err(|error| error.to_string())
    }

    /// Pulls, which must fail with one line that has all of `parts`, and name nothing in the cache as whole.
    fn refused(&mut self, parts: &[&str]) {
        let told = self.pulled(MODEL, &[]).unwrap_err();
        assert!(!told.contains('\n') && parts.iter().all(|part| told.contains(part)), "{parts:?}: {told}");
        assert!(!self.at("refs/main").exists(), "{told}");
        self.server.heals();
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("hub/models--org--name").join(path)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_is_needed_comes_and_is_laid_out_as_in_python() {
    let mut place = Place::new();
    let pulled = place.pulled(MODEL, &[]).unwrap();
    assert_eq!(pulled.snapshot(), place.at("snapshots").join(COMMIT));
    assert_eq!(names(&pulled.snapshot()), ["1_Pooling", "config.json", "model.safetensors", "tokenizer.json"]);
    assert_eq!(fs::read(pulled.snapshot().join("model.safetensors")).unwrap().len(), weights().len() + 17);
    assert_eq!(fs::read_to_string(place.at("refs/main")).unwrap(), COMMIT);
    // `{}` twice is one content.
    assert_eq!((names(&place.at("blobs")).len(), names(&place.at(".")).len()), (3, 3));
    let link = fs::read_link(pulled.snapshot().join("1_Pooling/config.json")).unwrap();
    assert_eq!(link, Path::new("../../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b"), "git's hash");
    let locks = place.folder.path().join("hub/.locks/models--org--name");
    assert_eq!(names(&locks).len(), 3);
    assert_eq!(names(place.folder.path()), ["hub"]);
    place.server.seen();
    let again = place.pulled(MODEL, &[]).unwrap();
    assert!(again.files.iter().all(|file| file.was_there));
    assert!(place.server.seen().iter().all(|seen| seen.method == "HEAD" || seen.path.starts_with("/api/")));
    assert!(place.notes.is_empty(), "{:?}", place.notes);
}

#[test]
fn a_revision_is_a_branch_a_tag_or_a_commit() {
    let mut place = Place::new();
    let other = "f".repeat(40);
    place.server.revision("refs/pr/5", &other);
    place.pulled("org/name@refs/pr/5", &[]).unwrap();
    assert_eq!(fs::read_to_string(place.at("refs/refs/pr/5")).unwrap(), other);
    assert_eq!(names(&place.at("snapshots")), std::slice::from_ref(&other));
    place.pulled(&format!("org/name@{COMMIT}"), &[]).unwrap();
    assert_eq!(names(&place.at("refs")), ["refs"], "a commit needs no name");
    let told = place.pulled("org/name@v9", &[]).unwrap_err();
    assert!(told.starts_with("org/name@v9: has no such revision"), "{told}");
    let told = place.pulled("org/other", &[]).unwrap_err();
    assert!(told.starts_with("org/other: is not there, or is private"), "{told}");
}

#[test]
fn what_was_cut_goes_on_where_it_was() {
    let mut place = Place::new();
    place.server.fails("GET", "model.safetensors", 2, Fault::Cut(1_000_000));
    place.pulled(MODEL, &[]).unwrap();
    let ranges = |place: &Place| {
        let seen = place.server.seen().into_iter().filter(|seen| seen.is_storage && seen.method == "GET");
        seen.map(|seen| seen.range).collect::<Vec<_>>()
    };
    assert_eq!(ranges(&place), [None, Some("bytes=1000000-".to_owned()), Some("bytes=2000000-".to_owned())]);
    assert!(
        place.notes.iter().all(|note| note.contains("was cut") && note.contains("again in 0 s")),
        "{:?}",
        place.notes
    );
}

/// Leaves the beginning of the weights in the cache, as a killed program does.
fn killed(place: &mut Place) -> PathBuf {
    place.server.fails("GET", "model.safetensors", 9, Fault::Cut(200_000));
    place.refused(&["org/name: model.safetensors: the connection was cut", "5 times; try again later"]);
    let partial = place.at("blobs").read_dir().unwrap().flatten().map(|entry| entry.path());
    let partial = partial.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "incomplete"));
    place.server.seen();
    partial.unwrap()
}

#[test]
fn the_next_pull_goes_on_where_the_last_one_ended() {
    let mut place = Place::new();
    let partial = killed(&mut place);
    assert_eq!(fs::metadata(&partial).unwrap().len(), 1_000_000);
    place.pulled(MODEL, &[]).unwrap();
    let seen = place.server.seen();
    assert!(seen.iter().any(|seen| seen.is_storage && seen.range.as_deref() == Some("bytes=1000000-")), "{seen:?}");
    assert!(!partial.exists());
}

#[test]
fn a_damaged_beginning_or_a_server_without_ranges_means_from_the_start() {
    let mut place = Place::new();
    let partial = killed(&mut place);
    let mut bytes = fs::read(&partial).unwrap();
    bytes[7] ^= 1;
    fs::write(&partial, bytes).unwrap();
    place.pulled(MODEL, &[]).unwrap();
    assert!(place.notes.iter().any(|note| note.contains("is damaged; from the beginning")), "{:?}", place.notes);
    for fault in [Fault::WholeAgain, Fault::Header("content-range", Some("bytes 0-9/10".to_owned()))] {
        let mut place = Place::new();
        killed(&mut place);
        place.server.fails("GET", "model.safetensors", 1, fault);
        let pulled = place.pulled(MODEL, &[]).unwrap();
        assert_eq!(fs::read(pulled.snapshot().join("model.safetensors")).unwrap()[17..], weights());
    }
    // Longer than it can be.
    let mut place = Place::new();
    let partial = killed(&mut place);
    fs::write(partial, vec![0; 4_000_000]).unwrap();
    place.pulled(MODEL, &[]).unwrap();
}

#[test]
fn what_is_not_what_was_promised_is_deleted() {
    for file in ["model.safetensors", "config.json"] {
        let mut place = Place::new();
        place.server.fails("GET", file, 1, Fault::Damage);
        place.refused(&["org/name: ", file, "is not what the Hub promises", "was deleted"]);
        assert!(!names(&place.at("blobs")).iter().any(|name| name.ends_with("incomplete")));
        place.pulled(MODEL, &[]).unwrap();
    }
    let mut place = Place::new();
    let pulled = place.pulled(MODEL, &[]).unwrap();
    let blob = pulled.snapshot().join("model.safetensors").canonicalize().unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[9] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let again = place.pulled(MODEL, &[]).unwrap();
    assert!(again.files.iter().filter(|file| !file.was_there).map(|file| &file.name).eq(["model.safetensors"]));
    assert!(place.notes.iter().any(|note| note.contains("in the cache is damaged")), "{:?}", place.notes);
}

#[test]
fn only_the_hub_itself_sees_the_token() {
    let mut place = Place::new();
    place.pulled(MODEL, &[("HF_TOKEN", "hf_secret")]).unwrap();
    let seen = place.server.seen();
    assert!(seen.iter().any(|seen| seen.is_storage));
    for seen in seen {
        assert_eq!(
            seen.token.as_deref(),
            (!seen.is_storage).then_some("Bearer hf_secret"),
            "{} {}",
            seen.method,
            seen.path
        );
    }
    place.pulled(MODEL, &[]).unwrap();
    assert!(place.server.seen().iter().all(|seen| seen.token.is_none()));
}

#[test]
fn what_the_hub_does_not_show_is_said_with_what_to_do() {
    let token = [("HF_TOKEN", "hf_secret")];
    for (status, code, vars, part) in [
        (
            401,
            "x-error-code: GatedRepo",
            &[][..],
            "is gated: accept its terms on its page of the Hub, and set HF_TOKEN",
        ),
        (403, "x-error-code: GatedRepo", &token, "a token of an account that may"),
        (403, "", &[], "may not be read"),
        (401, "", &[], "is not there, or is private"),
        (401, "", &token, "does not take the token"),
        (404, "", &[], "is not there; check its name"),
        (418, "", &[], "answers 418"),
        (302, "location: file:///etc/passwd", &[], "redirects to what is no URL"),
        (302, "location: http://u:p@127.0.0.1/", &[], "redirects to what has no plain host"),
        (302, "", &[], "answers 302 and no place to go to"),
        (302, "location: /api/models/org/name/revision/main", &[], "redirects more than 6 times"),
        (429, "retry-after: 86400", &[], "asks to wait for 86400 seconds"),
        (503, "", &[], "answers 503, 5 times; try again later"),
        (429, "retry-after: 0", &[], "answers 429, 5 times; try again later"),
    ] {
        let mut place = Place::new();
        place.server.fails("GET", "/revision/main", 99, Fault::Status(status, code));
        let told = place.pulled(MODEL, vars).unwrap_err();
        assert!(told.starts_with("org/name: ") && told.contains(part), "{status} {code}: {told}");
        assert!(!told.contains("secret") && !told.contains('\n'), "{told}");
    }
    let mut place = Place::new();
    place.server.fails("GET", "/revision/main", 2, Fault::Status(503, "retry-after: 0"));
    place.server.fails("HEAD", "config.json", 2, Fault::Status(500, ""));
    place.pulled(MODEL, &[]).unwrap();
    assert_eq!(place.notes.len(), 4, "{:?}", place.notes);
}

#[test]
fn a_listing_that_is_none_is_refused() {
    for (body, part) in [
        ("<html>", "does not answer as a Hub does"),
        ("{}", "does not answer as a Hub does"),
        (r#"{"sha":"../../../../etc","siblings":[]}"#, "names a commit that is none"),
        (r#"{"sha":"0123","siblings":[]}"#, "names a commit that is none"),
        (&format!(r#"{{"sha":"{COMMIT}","siblings":[]}}"#), "has no config.json"),
        (&format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"config.json"}}]}}"#), "has no weights"),
        (&"[".repeat(100_000), "does not answer as a Hub does"),
        (&" ".repeat((16 << 20) + 1), "its list of files has more than 16777216 bytes"),
    ] {
        let mut place = Place::new();
        place.server.fails("GET", "/revision/main", 1, Fault::Body(body.to_owned()));
        place.refused(&["org/name: ", part]);
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let sha = "a".repeat(64);
    let cases: [(&str, &str, &'static str, Option<&str>, &str); 11] = [
        ("HEAD", "config.json", "etag", None, "does not say its hash"),
        ("HEAD", "config.json", "etag", Some("\"../../../evil\""), "of no known kind"),
        ("HEAD", "config.json", "etag", Some("\"abc\""), "of no known kind"),
        ("HEAD", "config.json", "etag", Some(&sha), "is not what the Hub promises (SHA-256"),
        ("HEAD", "config.json", "x-repo-commit", Some("../x"), "answers for the commit ../x"),
        ("HEAD", "config.json", "content-length", Some("99999999"), "has 4194304 at most"),
        ("HEAD", "config.json", "content-length", Some("9"), "sends 21 bytes, and said 9"),
        ("HEAD", "model.safetensors", "x-linked-size", Some("999999999999999"), "has 214748364800 at most"),
        ("HEAD", "model.safetensors", "x-linked-size", Some("-1"), "does not say its size"),
        ("HEAD", "model.safetensors", "x-linked-size", Some("10"), "sends 3000017 bytes, and said 10"),
        ("HEAD", "model.safetensors", "x-linked-etag", Some("\"..\""), "of no known kind"),
    ];
    for (method, file, header, value, part) in cases {
        let mut place = Place::new();
        let method = if method == "HEAD" { "HEAD" } else { "GET" };
        place.server.fails(method, file, 1, Fault::Header(header, value.map(str::to_owned)));
        place.refused(&["org/name: ", file, part]);
    }
}

#[test]
fn a_body_without_end_is_cut_off() {
    let mut place = Place::new();
    place.server.fails("GET", "model.safetensors", 1, Fault::Endless);
    place.refused(&["model.safetensors: the server sends more than the 3000017 bytes that it promised"]);
    let longest =
        names(&place.at("blobs")).iter().map(|name| fs::metadata(place.at("blobs").join(name)).unwrap().len()).max();
    assert!(longest.unwrap() <= 3_000_017);
    place.server.fails("GET", "model.safetensors", 1, Fault::Header("content-length", Some("5".to_owned())));
    place.refused(&["sends 5 bytes, and said 3000017"]);
}

#[test]
fn shards_come_by_their_index_and_only_under_plain_names() {
    let index = |name: &str| format!(r#"{{"weight_map":{{"a":"{name}","b":"model-2.safetensors"}}}}"#);
    let sharded = |name: &str| {
        let mut place = Place::new();
        place.server = HubServer::new();
        place.server.has(MODEL, [("config.json", "{}".to_owned()), ("model.safetensors.index.json", index(name))]);
        place
            .server
            .has(MODEL, [("model-1.safetensors", "one"), ("model-2.safetensors", "two"), ("pytorch_model.bin", "x")]);
        place
    };
    let mut place = sharded("model-1.safetensors");
    let pulled = place.pulled(MODEL, &[]).unwrap();
    let expected = ["config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"];
    assert_eq!(names(&pulled.snapshot()), expected);
    for name in ["../../../x.safetensors", "/etc/x.safetensors", "sub/x.safetensors", "x.sh", "..", ""] {
        sharded(name).refused(&["model.safetensors.index.json: "]);
    }
    sharded("model-9.safetensors").refused(&["names model-9.safetensors, which the model does not have"]);
}

#[test]
fn pulls_at_once_fetch_once() {
    let place = Place::new();
    let (server, home) = (&place.server, place.folder.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let vars = [("HF_HOME", home.to_str().unwrap()), ("HF_ENDPOINT", server.endpoint.as_str())];
                let var =
                    |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
                pull(&Hub::of(var).unwrap(), &MODEL.parse().unwrap(), &mut Notes(&mut Vec::new())).unwrap();
            });
        }
    });
    let bodies = server.seen().into_iter().filter(|seen| seen.is_storage && seen.method == "GET").count();
    assert_eq!(bodies, 1);
}

#[test]
fn links_that_somebody_has_put_into_the_cache_are_not_followed() {
    let mut place = Place::new();
    let partial = killed(&mut place);
    let victim = place.folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(&partial).unwrap();
    std::os::unix::fs::symlink(&victim, &partial).unwrap();
    assert!(place.pulled(MODEL, &[]).is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn an_answer_of_which_next_to_nothing_comes_is_given_up() {
    for file in ["/revision/main", "model.safetensors"] {
        let mut place = Place::new();
        place.patience = Duration::from_millis(50);
        place.server.fails("GET", file, 99, Fault::Drip);
        place.refused(&["next to nothing comes, 5 times; try again later"]);
    }
}

#[test]
fn an_answer_that_is_no_http_is_not_asked_for_again() {
    let mut place = Place::new();
    place.server.fails("GET", "/revision/main", 99, Fault::Header("bad header", Some("x".to_owned())));
    place.refused(&["org/name: 127.0.0.1 does not answer as a server of the web does"]);
    assert_eq!((place.server.seen().len(), place.notes.len()), (1, 0));
}

#[test]
fn a_pipe_in_the_cache_is_waited_for_by_nobody() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let mut place = Place::new();
    let pulled = place.pulled(MODEL, &[]).unwrap();
    let pipe = |path: &Path| {
        fs::remove_file(path).unwrap();
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    };
    pipe(&place.at("refs/main"));
    place.pulled(MODEL, &[]).unwrap();
    assert_eq!(fs::read_to_string(place.at("refs/main")).unwrap(), COMMIT);
    let blob = pulled.snapshot().join("config.json").canonicalize().unwrap();
    pipe(&blob);
    let told = place.pulled(MODEL, &[]).unwrap_err();
    assert!(told.starts_with(blob.to_str().unwrap()) && told.ends_with("is no regular file"), "{told}");
}

#[test]
fn names_are_escaped_in_urls() {
    let (odd, plain) = ("a b?%41#é.safetensors", "model-2.safetensors");
    let mut place = Place::new();
    place.server = HubServer::new();
    let index = format!(r#"{{"weight_map":{{"a":"{odd}","b":"{plain}"}}}}"#);
    place
        .server
        .has(MODEL, [("config.json", "{}"), ("model.safetensors.index.json", &index), (odd, "1"), (plain, "2")]);
    let pulled = place.pulled(MODEL, &[]).unwrap();
    assert_eq!(fs::read_to_string(pulled.snapshot().join(odd)).unwrap(), "1");
    let asked = format!("/resolve/{COMMIT}/a%20b%3F%2541%23%C3%A9.safetensors");
    assert!(place.server.seen().iter().any(|seen| seen.path.ends_with(&asked)));
}

#[test]
fn an_adapter_beside_a_model_is_left_out_and_said() {
    let mut place = Place::new();
    place.server.has(MODEL, [("adapter_config.json", "{}")]);
    let pulled = place.pulled(MODEL, &[]).unwrap();
    assert!(!pulled.snapshot().join("adapter_config.json").exists());
    assert!(place.notes.iter().any(|note| note.starts_with("adapter_config.json is not fetched")), "{:?}", place.notes);
}
