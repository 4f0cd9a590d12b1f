//! Settings of the system's allocator.

/// Blocks from here on are the system's own, and go back to it when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 128 * 1024;

/// Lets memory go back to the system as soon as it is freed. glibc would keep ever more for itself once large blocks
/// were freed, and a dashboard that has read a long log would stay as large as it was then.
pub fn give_back_soon() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "sets a number, before there is another thread")]
    // SAFETY: mallopt takes two numbers and says whether it knows the first one.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Gives all free memory back to the system, after much was read at once.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "takes a number, and locks what it looks at")]
    // SAFETY: malloc_trim may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
