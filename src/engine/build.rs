//! Writes the place of libtorch into the binaries, so that they run from anywhere.

use std::env;
use std::fs;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB") {
        // The link in the checkout may move; the folder it points to does not.
        let folder = fs::canonicalize(&folder).map_or(folder, |path| path.display().to_string());
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
