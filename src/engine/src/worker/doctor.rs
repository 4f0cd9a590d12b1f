//! Says what libtorch and which devices there are.

use serde_json::json;

/// Prints one JSON line.
pub fn doctor() {
    let line = json!({
        "threads": tch::get_num_threads(),
        "cuda_available": tch::Cuda::is_available(),
        "cuda_devices": tch::Cuda::device_count(),
        "mps_available": tch::utils::has_mps(),
        "mkl": tch::utils::has_mkl(),
        "openmp": tch::utils::has_openmp(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    println!("{line}");
}
