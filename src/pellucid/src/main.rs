//! The program `pellucid`: reads the command line, does what it says, returns an exit code.
//!
//! ```text
//! cli ──▶ commands ──▶ client ──▶ dashboard    a run on the screen
//!             │           └─────▶ headless     a run as lines
//!             └──▶ client::supervisor          a process of its own that watches over the worker
//! ```
//!
//! Its modules, each using only those before it: `stdout`, `console`, `runtime`, `recorded`, `new_folder`, `models`,
//! `result`, `headless`, `cli`, `demo`, `commands`. There is no torch here: whatever needs a tensor is done by the worker, a process of its own.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use pellucid_client::console::error;
use pellucid_client::failure::Failure;
use pellucid_client::stack;

mod cli;
mod commands;
mod console;
mod demo;
mod headless;
mod job_lines;
mod models;
mod new_folder;
mod recorded;
mod result;
mod runtime;
mod stdout;

fn main() -> ExitCode {
    pellucid_dashboard::allocator::give_back_soon();
    match stack::raise() {
        Some(limit) if limit < stack::USUAL => on_a_stack_of_its_own(),
        _ => run(),
    }
}

/// Does everything on a thread, whose stack no limit makes smaller.
fn on_a_stack_of_its_own() -> ExitCode {
    let size = usize::try_from(stack::USUAL).unwrap_or_default();
    match std::thread::Builder::new().stack_size(size).spawn(run) {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(_) => run(),
    }
}

fn run() -> ExitCode {
    // If a shell started this program to complete a line, it answers and ends here.
    CompleteEnv::with_factory(cli::Cli::command).complete();
    console::install_panic_report();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            console::usage(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match commands::run(cli) {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(failure) => {
            if failure != Failure::Closed {
                error(&failure.to_string());
            }
            ExitCode::from(failure.code())
        }
    }
}
