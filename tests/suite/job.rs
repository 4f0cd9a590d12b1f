//! The dashboard as a job among others: put into the background, resized all the time, beside what its worker prints.

use crate::dashboard::training;
use crate::program::{Workplace, is_alive, is_step, program};
use crate::terminal::Terminal;

#[test]
fn suspended_it_leaves_the_shell_as_it_was_and_fg_brings_it_back() {
    let place = Workplace::new();
    // A shell with job control: a program whose group nobody could continue is not stopped.
    let script = "set -m; \"$@\"; echo back in the shell; read line; fg > /dev/null";
    let pellucid = program("pellucid").display().to_string();
    let args = [pellucid].into_iter().chain(place.train(&["--max-steps", "100000"]));
    let mut terminal = Terminal::shell(&place, script, args);
    place.wait_for_event("a step", is_step);
    terminal.wait_for("log scale");
    terminal.send("\u{1a}");
    terminal.wait_for("back in the shell");
    terminal.wait_until("the shell's own screen", |screen| !screen.contains("log scale"));
    let before = place.wait_for_event("a step", is_step).len();
    crate::program::wait_until("steps without a dashboard", || place.wait_for_event("a step", is_step).len() > before);
    terminal.send("\n");
    terminal.wait_for("log scale");
    terminal.send("2");
    terminal.wait_for("type a text");
    terminal.send("q");
    terminal.wait_for("detach");
    terminal.send("d");
    terminal.exit_code();
    terminal.wait_until_restored();
    assert!(is_alive(place.run().worker_info().unwrap().owner.pid));
}

/// Intel's library tells on standard output of each of its calls when it is asked to.
#[cfg(target_arch = "x86_64")]
#[test]
fn what_libraries_print_is_read_on_the_log_and_nowhere_else() {
    let place = Workplace::new();
    let mut terminal = Terminal::with(&place, &place.train(&["--max-steps", "100000"]), &[("MKL_VERBOSE", "1")]);
    place.wait_for_event("a step", is_step);
    for (key, sign) in [("4", "ayer"), ("3", "filter"), ("1", "log scale")] {
        terminal.send(key);
        terminal.wait_for(sign);
    }
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("MKL_VERBOSE"), "on the terminal");
    terminal.send("5");
    terminal.wait_for("MKL_VERBOSE");
    terminal.send("/mkl_verbose\r");
    terminal.wait_for("/MKL_VERBOSE".to_lowercase().as_str());
}

#[test]
fn a_storm_of_sizes_and_keys_passes() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    for turn in 0..80u16 {
        terminal.resize(1 + turn * 37 % 230, 1 + turn * 23 % 61);
        terminal.send(["1", "2", "3", "4", "5", "\t", "?", "\u{1b}"][usize::from(turn % 8)]);
    }
    terminal.send("\u{1b}\u{1b}1");
    terminal.resize(80, 24);
    terminal.wait_for("log scale");
    assert!(is_alive(place.run().worker_info().unwrap().owner.pid));
}
