//! How a process ended, in words: its exit code or signal, and whether the kernel killed it for lack of memory.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// How many processes the kernel has killed for lack of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accounts {
    /// In this process's control group, where there is one with an account.
    group: Option<u64>,
    /// On the machine.
    machine: Option<u64>,
}

impl Accounts {
    /// As they are now.
    pub(super) fn now() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let group = places(&groups).find_map(|path| count(&fs::read_to_string(path).ok()?));
        Self { group, machine: fs::read_to_string("/proc/vmstat").ok().as_deref().and_then(count) }
    }
}

/// The files in which the groups of `/proc/self/cgroup` account for memory: version 2 and 1 (cgroups(7)).
fn places(groups: &str) -> impl Iterator<Item = String> + '_ {
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

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// By the kernel, and what was short of memory.
    Memory(Short),
}

/// What was short of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    /// The control group has a limit.
    Group,
    /// The machine.
    Machine,
    /// The machine was, at that time; whether this process was killed for it is not known.
    Perhaps,
}

impl Death {
    /// The death of process `pid`, with the accounts before and after it.
    pub(super) fn of(pid: u32, status: ExitStatus, (before, after): (&Accounts, &Accounts)) -> Self {
        let Some(signal) = status.signal() else { return Death::Code(status.code().unwrap_or(-1)) };
        if signal != 9 {
            return Death::Signal(signal);
        }
        let rose = |before: Option<u64>, after: Option<u64>| after > before && before.is_some();
        if rose(before.group, after.group) {
            Death::Memory(Short::Group)
        } else if !rose(before.machine, after.machine) && after.machine.is_some() {
            Death::Signal(9)
        } else if kernel_killed(pid) {
            Death::Memory(Short::Machine)
        } else if after.machine.is_some() {
            Death::Memory(Short::Perhaps)
        } else {
            Death::Signal(9)
        }
    }

    /// One line for people, with what the process `printed` last.
    pub(super) fn told(self, printed: &str) -> String {
        let how = match self {
            Death::Code(code) => format!("the worker ended with exit code {code}"),
            Death::Signal(number) => match name(number) {
                Some(name) => format!("the worker was ended by signal {number} ({name})"),
                None => format!("the worker was ended by signal {number}"),
            },
            Death::Memory(Short::Group) => {
                "out of memory: the kernel killed the worker at the limit of its control group (SIGKILL); \
                 a smaller --batch-size needs less"
                    .to_owned()
            }
            Death::Memory(Short::Machine) => {
                "out of memory: the kernel killed the worker (SIGKILL); a smaller --batch-size needs less".to_owned()
            }
            Death::Memory(Short::Perhaps) => {
                "the worker was ended by signal 9 (SIGKILL) while the machine was out of memory".to_owned()
            }
        };
        // A process that is killed from outside has had no time for words of its own.
        let said = if matches!(self, Death::Signal(9 | 15) | Death::Memory(_)) { None } else { cause(printed) };
        said.map_or(how.clone(), |said| format!("{how}, saying: {said}"))
    }
}

/// The line of an output that names the cause: that of a C++ exception or of a panic, else the last one.
fn cause(printed: &str) -> Option<&str> {
    let lines = || printed.lines().map(str::trim).rev();
    let named = |prefix: &'static str| lines().find_map(move |line| line.strip_prefix(prefix).map(str::trim));
    let last =
        || lines().find(|line| !line.is_empty() && !line.starts_with("note:") && !line.contains("RUST_BACKTRACE"));
    named("what():").or_else(|| named("Message:")).or_else(last).filter(|line| !line.is_empty())
}

/// Signals by which a process may die, as signal(7) numbers them on most systems.
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

/// Whether the kernel's log, where this user may read it, says that it killed this process.
fn kernel_killed(pid: u32) -> bool {
    let non_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let Ok(mut log) = fs::OpenOptions::new().read(true).custom_flags(non_blocking).open("/dev/kmsg") else {
        return false;
    };
    let wanted = format!("Killed process {pid} ");
    let mut line = vec![0; 8192];
    // One read is one message; there is an error behind the last one, and where old ones were overwritten.
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

    fn accounts(group: u64, machine: u64) -> Accounts {
        Accounts { group: Some(group), machine: Some(machine) }
    }

    /// An id that no system gives to a process.
    const NO_PROCESS: u32 = 0x3fff_fffe;

    fn of(raw: i32, before: Accounts, after: Accounts) -> Death {
        Death::of(NO_PROCESS, ExitStatus::from_raw(raw), (&before, &after))
    }

    #[test]
    fn a_lack_of_memory_is_told_from_a_kill() {
        assert_eq!(of(9, accounts(1, 5), accounts(1, 5)), Death::Signal(9));
        assert_eq!(of(9, accounts(1, 5), accounts(2, 6)), Death::Memory(Short::Group));
        assert_eq!(of(9, accounts(1, 5), accounts(1, 6)), Death::Memory(Short::Perhaps));
        assert_eq!(of(11, accounts(1, 5), accounts(2, 6)), Death::Signal(11), "it was not the kernel's doing");
        let unknown = Accounts { group: None, machine: None };
        assert_eq!(of(9, unknown, unknown), Death::Signal(9));
        assert_eq!(of(3 << 8, unknown, unknown), Death::Code(3));
    }

    #[test]
    fn the_accounts_are_found_in_both_versions() {
        let two = places("0::/user.slice/a.scope\n").collect::<Vec<_>>();
        assert_eq!(two, ["/sys/fs/cgroup/user.slice/a.scope/memory.events"]);
        let one = places("12:cpu,cpuacct:/x\n4:memory:/docker/f\n").collect::<Vec<_>>();
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
        let told = Death::Signal(11).told("Segmentation fault");
        assert_eq!(told, "the worker was ended by signal 11 (SIGSEGV), saying: Segmentation fault");
        assert_eq!(Death::Signal(9).told("step 3"), "the worker was ended by signal 9 (SIGKILL)");
    }
}
