//! No one else looks in or steers: permissions whatever the umask, no port, and a socket that survives what it is sent.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pellucid_record::RunDir;

use crate::program::{Workplace, is_alive, is_end, is_step, program, text};

/// Steps that no test waits for.
const ENDLESS: [&str; 5] = ["--headless", "--max-steps", "100000", "--eval-every", "20"];

/// A training that is under way, begun with this umask.
fn training(place: &Workplace, umask: &str) -> RunDir {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program("pellucid"));
    command.args(place.train(&ENDLESS)).current_dir(place.path()).envs(place.environment());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // It is ended with the worker, which the place ends.
    std::thread::spawn(move || child.wait());
    place.wait_for_event("an evaluation", |event| matches!(event, pellucid_protocol::Event::Checkpoint(_)));
    place.run()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let deeper = entries.iter().filter(|path| path.is_dir() && !path.is_symlink());
    let deeper: Vec<PathBuf> = deeper.flat_map(|path| below(path)).collect();
    entries.into_iter().chain(deeper).collect()
}

#[test]
fn nobody_else_can_read_a_run_or_reach_its_socket_whatever_the_umask() {
    let place = Workplace::new();
    let run = training(&place, "000");
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(run.root()), 0o700);
    let all = below(run.root());
    assert!(all.len() > 10, "{all:?}");
    for path in all.iter().filter(|path| path.exists() && !path.is_symlink()) {
        assert_eq!(mode(path) & 0o077, 0, "{} is {:o}", path.display(), mode(path));
    }
    let socket = run.worker_info().unwrap().socket;
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(socket.parent().unwrap(), run.root());
}

#[test]
#[cfg(target_os = "linux")]
fn the_worker_has_no_port() {
    let place = Workplace::new();
    let run = training(&place, "022");
    let pid = run.worker_info().unwrap().owner.pid;
    let links =
        fs::read_dir(format!("/proc/{pid}/fd")).unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let sockets: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    assert!(!sockets.is_empty(), "its own socket is one");
    for table in ["tcp", "tcp6", "udp", "udp6", "raw"] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        let open: Vec<_> =
            table.lines().filter(|line| sockets.iter().any(|inode| line.contains(inode.as_str()))).collect();
        assert!(open.is_empty(), "{open:?}");
    }
}

/// Sends one line, and gives what came back beside events until the line was answered or the connection closed.
fn send(run: &RunDir, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(run.worker_info().unwrap().socket).unwrap();
    // A line that is too long is not read to its end.
    let _ = stream.write_all(line).and_then(|()| stream.write_all(b"\n"));
    let mut answer = String::new();
    for line in BufReader::new(stream).take(1 << 20).lines().map_while(Result::ok) {
        if line.contains("\"reply\"") {
            answer = line;
            break;
        }
    }
    answer
}

#[test]
fn what_is_no_command_is_refused_and_does_no_harm() {
    let place = Workplace::new();
    let run = training(&place, "022");
    let deep = "[".repeat(100_000);
    for nonsense in [&b"{}"[..], b"\xff\xfe", b"\0\0\0\0", deep.as_bytes(), br#"{"id":1,"command":"fly"}"#] {
        let answer = send(&run, nonsense);
        assert!(answer.contains("not a command"), "{answer}");
    }
    assert_eq!(send(&run, &vec![b'x'; 3 << 20]), "", "the connection is closed");
    let info = run.worker_info().unwrap();
    assert!(is_alive(info.owner.pid));
    assert!(send(&run, br#"{"id":7,"command":"stop"}"#).contains(r#""id":7,"error":null"#));
    place.wait_for_event("the end", is_end);
}

#[test]
fn a_run_whose_links_lead_out_is_not_taken_up_again() {
    let place = Workplace::new();
    let done = place.output(place.train(&["--headless", "--max-steps", "4", "--eval-every", "2"]));
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    place.wait_for_event("a step", is_step);
    place.wait_for_worker_to_leave();
    let (run, victim) = (place.run(), place.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    for link in [run.log(), run.view(), run.root().join("checkpoints/best")] {
        let _ = fs::remove_file(&link);
        symlink(&victim, &link).unwrap();
        let output = place.output(["resume", "--headless", run.root().to_str().unwrap()]);
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(1) && told.contains("leads out of the run folder"), "{told}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        fs::remove_file(&link).unwrap();
    }
}
