//! Landlock and seccomp, where the kernel has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    path_beneath_rules,
};
use rustix::process::{Signal, set_parent_process_death_signal};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads};

/// The newest version of Landlock whose rules are asked for; older kernels hold to those that they know.
const NEWEST: ABI = ABI::V5;

/// Holds this process to reading `readable` and writing into `draft`; what the kernel holds it to.
pub(super) fn confine(readable: &[PathBuf], draft: &Path) -> Vec<String> {
    // Nobody waits for the result of a process whose parent is gone.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let mut held = Vec::new();
    match files(readable, draft) {
        Ok(RulesetStatus::FullyEnforced) => held.push("landlock".to_owned()),
        Ok(RulesetStatus::PartiallyEnforced) => held.push("landlock, in part".to_owned()),
        Ok(RulesetStatus::NotEnforced) | Err(_) => {}
    }
    if calls().is_some_and(|filter| apply_filter_all_threads(&filter).is_ok()) {
        held.push("seccomp".to_owned());
    }
    held
}

fn files(readable: &[PathBuf], draft: &Path) -> Result<RulesetStatus, RulesetError> {
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::WriteFile | AccessFs::MakeReg;
    let rules =
        Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.handle_access(AccessNet::from_all(NEWEST))?;
    let rules = rules.create()?.add_rules(path_beneath_rules(readable, read))?;
    Ok(rules.add_rules(path_beneath_rules([draft], write))?.restrict_self()?.ruleset)
}

/// A filter that lets through the calls of reading and writing files and of memory; any other fails, as one that is not
/// permitted.
fn calls() -> Option<BpfProgram> {
    let rules: BTreeMap<i64, Vec<_>> = NEEDED.iter().chain(NEEDED_OF_OLD).map(|call| (*call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, arch).ok()?.try_into().ok()
}

const NEEDED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fsync,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_tgkill,
    libc::SYS_write,
    libc::SYS_writev,
];
/// Calls that only the older of the two architectures has.
#[cfg(target_arch = "x86_64")]
const NEEDED_OF_OLD: &[i64] = &[libc::SYS_access, libc::SYS_lstat, libc::SYS_open, libc::SYS_readlink, libc::SYS_stat];
#[cfg(not(target_arch = "x86_64"))]
const NEEDED_OF_OLD: &[i64] = &[];
