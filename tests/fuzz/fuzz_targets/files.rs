//! Themes, keys, and how charts are looked at. The rooms of the dashboard, which is a program and no library, stand here as they do in it.

#![no_main]
#![expect(dead_code, reason = "a target needs little of the program")]

#[path = "../../../src/dashboard/src/cli.rs"]
mod cli;
#[path = "../../../src/dashboard/src/commands.rs"]
mod commands;
#[path = "../../../src/dashboard/src/console.rs"]
mod console;
#[path = "../../../src/dashboard/src/demo.rs"]
mod demo;
#[path = "../../../src/dashboard/src/failure.rs"]
mod failure;
#[path = "../../../src/dashboard/src/handle.rs"]
mod handle;
#[path = "../../../src/dashboard/src/headless.rs"]
mod headless;
#[path = "../../../src/dashboard/src/link.rs"]
mod link;
#[path = "../../../src/dashboard/src/ui.rs"]
mod ui;

#[path = "../entries/dashboard.rs"]
mod dashboard;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dashboard::files(bytes));
