//! Why a process ended: its exit code or signal, and whether the kernel killed it because memory ran out.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Numbers of processes that the kernel has killed because memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OomKills {
    /// In this process's control group; `None` if the system does not say.
    group: Option<u64>,
    /// On the machine; `None` if the system does not say.
    machine: Option<u64>,
}

impl OomKills {
    /// The current numbers.
    pub(super) fn now() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let group = account_files(&groups).find_map(|path| count(&fs::read_to_string(path).ok()?));
        Self { group, machine: fs::read_to_string("/proc/vmstat").ok().as_deref().and_then(count) }
    }
}

/// The files with the numbers of the control groups in `/proc/self/cgroup`, of version 2 and 1 (cgroups(7)).
fn account_files(groups: &str) -> impl Iterator<Item = String> + '_ {
    groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (kinds, path) = rest.split_once(':')?;
        let path = path.trim_end_matches('/');
        match kinds {
            "" => Some(format!("/sys/fs/cgroup{path}/memory.events")),
            kinds if kinds.split(',').any(|kind| kind == "memory") => {
                Some(format!("/sys/fs/cgroup/memory{path}/memory.oom_control"))
            }
            _ => None,
        }
    })
}

/// The number after `oom_kill`.
fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// How a worker ended without saying so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// The kernel killed it because memory ran out.
    Memory(Exhausted),
}

/// Which memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhausted {
    /// That of the control group, which has a limit.
    ControlGroup,
    /// That of the machine.
    Machine,
    /// That of the machine, at about that time; whether it was the reason is not known.
    MachineMaybe,
}

impl Crash {
    /// The crash of process `pid`, from its exit status and the numbers `before` it started and `after` its end.
    pub(super) fn of(pid: u32, status: ExitStatus, (before, after): (&OomKills, &OomKills)) -> Self {
        let Some(signal) = status.signal() else { return Crash::Code(status.code().unwrap_or(-1)) };
        if signal != 9 {
            return Crash::Signal(signal);
        }
        let rose = |before: Option<u64>, after: Option<u64>| after > before && before.is_some();
        if rose(before.group, after.group) {
            Crash::Memory(Exhausted::ControlGroup)
        } else if !rose(before.machine, after.machine) && after.machine.is_some() {
            Crash::Signal(9)
        } else if kernel_killed(pid) {
            Crash::Memory(Exhausted::Machine)
        } else if after.machine.is_some() {
            Crash::Memory(Exhausted::MachineMaybe)
        } else {
            Crash::Signal(9)
        }
    }

    /// One line for people; `printed` is what the process has printed.
    pub(super) fn message(self, printed: &str) -> String {
        let how = match self {
            Crash::Code(code) => format!("the worker ended with exit code {code}"),
            Crash::Signal(number) => match name(number) {
                Some(name) => format!("the worker was ended by signal {number} ({name})"),
                None => format!("the worker was ended by signal {number}"),
            },
            Crash::Memory(Exhausted::ControlGroup) => {
                "out of memory: the kernel killed the worker at the limit of its control group (SIGKILL); \
                 a smaller --batch-size needs less"
                    .to_owned()
            }
            Crash::Memory(Exhausted::Machine) => {
                "out of memory: the kernel killed the worker (SIGKILL); a smaller --batch-size needs less".to_owned()
            }
            Crash::Memory(Exhausted::MachineMaybe) => {
                "the worker was ended by signal 9 (SIGKILL) while the machine was out of memory".to_owned()
            }
        };
        // A process that is killed from outside has no time to print why.
        let said = if matches!(self, Crash::Signal(9 | 15) | Crash::Memory(_)) { None } else { cause(printed) };
        said.map_or(how.clone(), |said| format!("{how}, saying: {said}"))
    }
}

/// The line of an output that names the cause: the message of a C++ exception or of a panic, else the last line.
fn cause(printed: &str) -> Option<&str> {
    let lines = || printed.lines().map(str::trim).rev();
    let named = |prefix: &'static str| lines().find_map(move |line| line.strip_prefix(prefix).map(str::trim));
    let last =
        || lines().find(|line| !line.is_empty() && !line.starts_with("note:") && !line.contains("RUST_BACKTRACE"));
    named("what():").or_else(|| named("Message:")).or_else(last).filter(|line| !line.is_empty())
}

/// The name of a signal, by its number on most systems (signal(7)).
fn name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        _ => return None,
    })
}

/// Whether the kernel's log says that the kernel killed this process; false if this user may not read that log.
fn kernel_killed(pid: u32) -> bool {
    let non_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let Ok(mut log) = fs::OpenOptions::new().read(true).custom_flags(non_blocking).open("/dev/kmsg") else {
        return false;
    };
    let wanted = format!("Killed process {pid} ");
    let mut line = vec![0; 8192];
    // Each read returns one message. Reading fails after the last one, and where old messages were overwritten.
    let mut failures = 0;
    while failures < 3 {
        match log.read(&mut line) {
            Ok(0) => return false,
            Ok(count) if String::from_utf8_lossy(&line[..count]).contains(&wanted) => return true,
            Ok(_) => {}
            Err(_) => failures += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(group: u64, machine: u64) -> OomKills {
        OomKills { group: Some(group), machine: Some(machine) }
    }

    /// An id that no system gives to a process.
    const NO_PROCESS: u32 = 0x3fff_fffe;

    fn of(raw: i32, before: OomKills, after: OomKills) -> Crash {
        Crash::of(NO_PROCESS, ExitStatus::from_raw(raw), (&before, &after))
    }

    #[test]
    fn a_lack_of_memory_is_told_from_a_kill() {
        assert_eq!(of(9, accounts(1, 5), accounts(1, 5)), Crash::Signal(9));
        assert_eq!(of(9, accounts(1, 5), accounts(2, 6)), Crash::Memory(Exhausted::ControlGroup));
        assert_eq!(of(9, accounts(1, 5), accounts(1, 6)), Crash::Memory(Exhausted::MachineMaybe));
        assert_eq!(of(11, accounts(1, 5), accounts(2, 6)), Crash::Signal(11), "it was not the kernel's doing");
        let unknown = OomKills { group: None, machine: None };
        assert_eq!(of(9, unknown, unknown), Crash::Signal(9));
        assert_eq!(of(3 << 8, unknown, unknown), Crash::Code(3));
    }

    #[test]
    fn the_accounts_are_found_in_both_versions() {
        let two = account_files("0::/user.slice/a.scope\n").collect::<Vec<_>>();
        assert_eq!(two, ["/sys/fs/cgroup/user.slice/a.scope/memory.events"]);
        let one = account_files("12:cpu,cpuacct:/x\n4:memory:/docker/f\n").collect::<Vec<_>>();
        assert_eq!(one, ["/sys/fs/cgroup/memory/docker/f/memory.oom_control"]);
        assert_eq!(count("low 0\nhigh 0\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(count("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), Some(7));
        assert_eq!(count("nothing"), None);
    }

    #[test]
    fn the_cause_is_the_line_that_names_it() {
        let abort =
            "terminate called after throwing an instance of 'c10::Error'\n  what():  index 7 is out of range\n\n";
        assert_eq!(cause(abort), Some("index 7 is out of range"));
        let panic = "The application panicked (crashed).\nMessage:  no such thing\nLocation: a.rs:1\n\nRun with RUST_BACKTRACE=1\n";
        assert_eq!(cause(panic), Some("no such thing"));
        assert_eq!((cause("some\nlast\nnote: hm\n\n"), cause("\n")), (Some("last"), None));
        let message = Crash::Signal(11).message("Segmentation fault");
        assert_eq!(message, "the worker was ended by signal 11 (SIGSEGV), saying: Segmentation fault");
        assert_eq!(Crash::Signal(9).message("step 3"), "the worker was ended by signal 9 (SIGKILL)");
    }
}
