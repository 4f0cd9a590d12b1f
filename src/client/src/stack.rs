//! The limit on stacks (`ulimit -s`), which the threads of a worker get from the process that starts it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use pellucid_protocol::launch::STACK_NEEDED;

use crate::failure::Failure;

/// What a stack is usually, in bytes, and enough for whatever this program does.
pub const USUAL: u64 = 8 << 20;

/// Raises the limit to the usual one, as far as the user may; gives the limit in bytes, `None` if there is none.
pub fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Stack);
    let current = limit.current?;
    let wanted = limit.maximum.map_or(USUAL, |most| most.min(USUAL));
    if current >= wanted || setrlimit(Resource::Stack, Rlimit { current: Some(wanted), ..limit }).is_err() {
        return Some(current);
    }
    Some(wanted)
}

/// Makes sure that a worker has the stack that it needs.
///
/// # Errors
/// When the limit is lower and the user may not raise it.
pub fn check() -> Result<(), Failure> {
    checked(raise())
}

fn checked(limit: Option<u64>) -> Result<(), Failure> {
    match limit {
        Some(limit) if limit < STACK_NEEDED => Err(Failure::Failed(pellucid_protocol::launch::stack_too_small(limit))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_stack_is_said_in_one_line() {
        assert_eq!((checked(None), checked(Some(STACK_NEEDED))), (Ok(()), Ok(())));
        let message = checked(Some(64 << 10)).unwrap_err().to_string();
        assert!(message.contains("64 KiB") && message.contains("ulimit -s") && !message.contains('\n'), "{message}");
    }
}
