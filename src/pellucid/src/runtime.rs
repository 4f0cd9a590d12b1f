//! Runs asynchronous work to its end.

use std::future::Future;

use pellucid_client::failure::Failure;

/// Runs `future` on this thread until it is done.
///
/// # Errors
/// What the future fails with, or why there cannot be a runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    runtime.block_on(future)
}
