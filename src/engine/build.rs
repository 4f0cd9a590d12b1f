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
        let cuda = format!("{folder}/libtorch_cuda.so");
        if fs::exists(&cuda).unwrap_or(false) {
            // No symbol of it is named, and so the linker would leave it out: its devices register when it is loaded.
            println!("cargo:rustc-link-arg=-Wl,--no-as-needed,{cuda},--as-needed");
        }
    }
}
