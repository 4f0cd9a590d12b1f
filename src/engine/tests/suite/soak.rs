//! A day of events through the server, with a client attached: memory stays where it was, and nothing is lost.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use pellucid_engine::worker::message::Report;
use pellucid_engine::worker::server::{Controls, Server};
use pellucid_protocol::event::{Ended, Eval, Outcome, Step};
use pellucid_protocol::{Event, Metrics};
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use serde_json::json;

/// Ten steps a second for a day.
const DAY: u64 = 864_000;
/// Growth that is allowed, as a share.
const FLAT: f64 = 0.01;
/// Moments at which memory is looked at.
const LOOKS: u64 = 20;

#[test]
#[ignore = "a day in half a minute: `make chaos` asks for it"]
fn a_day_of_events_leaves_memory_flat() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::new(folder.path());
    let (events, from_thread) = tokio::sync::mpsc::channel(1024);
    let (requests, _received) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sizes, client) = runtime.block_on(async {
        let lock = pellucid_engine::worker::run_folder::own(&run).unwrap();
        let controls = Controls { requests, interrupt: pellucid_engine::interrupt::Interrupt::default() };
        let server = Server::open(run.clone(), lock, controls).unwrap();
        let client = attach(run.worker_info().unwrap().socket);
        let thread = std::thread::spawn(move || produce(&events));
        server.serve(from_thread).await.unwrap();
        (thread.join().unwrap(), client)
    });
    // With it the last connections go, as they do with the process.
    drop(runtime);
    let heard = client.join().unwrap();
    let mut log = LogReader::new(&run.events());
    let (mut records, length) = (0, std::fs::metadata(run.events()).unwrap().len());
    for end in (1..).map(|part| part * (8 << 20)).take_while(|end| *end < length + (8 << 20)) {
        records += log.read_until(end).unwrap().len() as u64;
    }
    let sent = DAY + DAY / 100 + 1;
    let (early, last) = (sizes[sizes.len() / 10] as f64, sizes[sizes.len() - 1] as f64);
    let growth = last / early - 1.0;
    println!(
        "{}",
        json!({"chaos": "soak/hub", "events": sent, "in_log": records, "heard": heard,
            "mib_early": early / 1_048_576.0, "mib_last": last / 1_048_576.0, "growth": growth,
            "sound": growth < FLAT && records == sent})
    );
    assert_eq!(records, sent, "records in the log");
    assert!(heard > 0, "whoever is attached hears something though events come without a pause");
    assert!(growth < FLAT, "memory grew by {:.2} %", growth * 100.0);
}

/// Sends a day's events, and looks at memory now and then.
fn produce(events: &tokio::sync::mpsc::Sender<Report>) -> Vec<u64> {
    let mut sizes = Vec::new();
    let send = |event| events.blocking_send(Report::Event(event)).unwrap();
    let mut metrics = Metrics::default();
    for step in 1..=DAY {
        for name in ["loss/total", "loss/task", "loss/l1", "optim/lr", "optim/grad_norm", "speed/step_ms"] {
            metrics.set(name, 1.0 / step as f64);
        }
        send(Event::Step(Step { step, epoch: step as f64 / 1000.0, metrics: metrics.clone() }));
        if step.is_multiple_of(100) {
            send(Event::Eval(Eval { step, epoch: 0.5, metrics: metrics.clone(), best: false, predictions: None }));
        }
        if step.is_multiple_of(DAY / LOOKS) {
            sizes.push(resident());
        }
    }
    send(Event::Ended(Ended { step: DAY, outcome: Outcome::Finished, message: None, metrics }));
    sizes
}

/// Hears events until the worker is gone. Whoever falls behind is let go, and comes again.
fn attach(socket: std::path::PathBuf) -> JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut heard = 0;
        while let Ok(mut stream) = UnixStream::connect(&socket) {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            for line in lines {
                heard += u64::from(line.contains("\"kind\":\"event\""));
                if line.contains("\"event\":\"ended\"") {
                    let _ = writeln!(stream, r#"{{"id":1,"command":"release"}}"#);
                    return heard;
                }
            }
        }
        heard
    })
}

/// Bytes of memory in use.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}
