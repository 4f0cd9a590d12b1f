//! The programs: this one, the worker, its libtorch, and the device that computes.

use std::path::Path;

use pellucid_client::failure::Failure;
use pellucid_client::{stack, worker};
use pellucid_protocol::work::Work;
use serde_json::{Map, Value};

use super::finding::{Finding, Verdict};
use crate::demo;
use crate::job_lines::JobLines;
use crate::runtime::block_on;

/// The file of the first GPU of NVIDIA, if there is one.
const GPU: &str = "/dev/nvidia0";

/// Whether the machine has a GPU of NVIDIA, whatever libtorch finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gpu {
    Present,
    Absent,
}

impl Gpu {
    fn find() -> Self {
        if Path::new(GPU).exists() { Gpu::Present } else { Gpu::Absent }
    }
}

pub(super) fn findings() -> Vec<Finding> {
    let stack = stack();
    let may_start = stack.verdict == Verdict::Good;
    let mut findings = vec![own(), stack];
    match worker::locate() {
        Ok(path) if !may_start => findings.push(Finding::good("worker", path.display().to_string())),
        Ok(path) => {
            findings.push(Finding::good("worker", path.display().to_string()));
            findings.extend(libtorch(block_on(worker::output(&Work::Doctor, JobLines::on_stderr())), Gpu::find()));
        }
        Err(failure) => findings.push(Finding::bad("worker", failure.to_string(), "")),
    }
    findings.push(match demo::data_folder() {
        Ok(folder) => Finding::good("demo data", folder.display().to_string()),
        Err(failure) => Finding::warning("demo data", failure.to_string(), ""),
    });
    findings
}

fn own() -> Finding {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    Finding::good("pellucid", format!("{} on {system}", env!("CARGO_PKG_VERSION")))
}

/// The limit on stacks, below which no worker starts.
fn stack() -> Finding {
    match (stack::check(), stack::raise()) {
        (Err(failure), _) => Finding::bad("stack", failure.to_string(), ""),
        (Ok(()), Some(limit)) => Finding::good("stack", format!("{} KiB at most", limit >> 10)),
        (Ok(()), None) => Finding::good("stack", "without a limit"),
    }
}

/// Findings from what the worker says of its libtorch, a JSON object.
fn libtorch(said: Result<Vec<u8>, Failure>, gpu: Gpu) -> Vec<Finding> {
    match said.map(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes)) {
        Ok(Ok(facts)) => vec![version(&facts), device(&facts, gpu)],
        Ok(Err(error)) => {
            let detail = format!("the answer of the worker cannot be read: {error}");
            vec![Finding::bad("libtorch", detail, "rebuild both programs with `make build`")]
        }
        Err(failure) => vec![Finding::bad("libtorch", failure.to_string(), "install it with `make libtorch build`")],
    }
}

fn text(facts: &Map<String, Value>, key: &str) -> String {
    facts.get(key).and_then(Value::as_str).unwrap_or("?").to_owned()
}

fn has(facts: &Map<String, Value>, key: &str) -> bool {
    facts.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn version(facts: &Map<String, Value>) -> Finding {
    let with: Vec<&str> = [("mkl", "MKL"), ("openmp", "OpenMP")]
        .into_iter()
        .filter_map(|(key, name)| has(facts, key).then_some(name))
        .collect();
    let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
    let detail = format!("{}{with}, {}", text(facts, "libtorch"), text(facts, "path"));
    let (ours, theirs) = (env!("CARGO_PKG_VERSION"), text(facts, "version"));
    if theirs == ours {
        Finding::good("libtorch", detail)
    } else {
        let detail = format!("{detail}; the worker is version {theirs}, this program is {ours}");
        Finding::warning("libtorch", detail, "rebuild both with `make build`")
    }
}

fn device(facts: &Map<String, Value>, gpu: Gpu) -> Finding {
    let threads = facts.get("threads").and_then(Value::as_u64).unwrap_or(0);
    let gpus = facts.get("cuda_devices").and_then(Value::as_u64).unwrap_or(0);
    match (has(facts, "cuda_available") && gpus > 0, gpu) {
        (true, _) => Finding::good("device", format!("CUDA, GPUs: {gpus}; --device cpu avoids them")),
        (false, Gpu::Present) => Finding::warning(
            "device",
            format!("CPU with {threads} threads; there is a GPU that libtorch does not use"),
            "install libtorch for it with `make libtorch CUDA=1 build`",
        ),
        (false, Gpu::Absent) => Finding::good("device", format!("CPU with {threads} threads")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(more: &str) -> Result<Vec<u8>, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        Ok(format!(r#"{{"version":"{version}","libtorch":"2.11.0","path":"/t/lib.so","mkl":true,"threads":2{more}}}"#)
            .into())
    }

    #[test]
    fn what_the_worker_says_becomes_lines() {
        let lines = |more: &str, gpu| libtorch(said(more), gpu).iter().map(Finding::line).collect::<Vec<_>>();
        assert_eq!(
            lines("", Gpu::Absent),
            ["ok       libtorch    2.11.0 with MKL, /t/lib.so", "ok       device      CPU with 2 threads"]
        );
        assert!(lines("", Gpu::Present)[1].contains("make libtorch CUDA=1"));
        assert!(lines(r#","cuda_available":true,"cuda_devices":2"#, Gpu::Present)[1].contains("CUDA, GPUs: 2"));
    }

    #[test]
    fn a_worker_that_fails_is_told_with_its_remedy() {
        assert_eq!(libtorch(Ok(b"[]".to_vec()), Gpu::Absent)[0].verdict, Verdict::Bad);
        let failed = &libtorch(Err(Failure::Failed("it did not start".into())), Gpu::Absent)[0];
        assert!(
            failed.verdict == Verdict::Bad
                && failed.line().contains("it did not start; install it with `make libtorch build`")
        );
        let other = libtorch(Ok(br#"{"version":"0.0.1"}"#.to_vec()), Gpu::Absent);
        assert!(other[0].line().contains("the worker is version 0.0.1"), "{}", other[0].line());
    }
}
