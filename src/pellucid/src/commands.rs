//! From the command line to what it asks for: one file for each kind of command.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::Path;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::supervisor;
use pellucid_protocol::scrub::{scrub, to_json};
use pellucid_protocol::work::Output;
use pellucid_record::run_dir;
use pellucid_record::{RunDir, run_dir::find};

use crate::cli::{Action, AttachArgs, BenchAction, BenchUiArgs, Cli, ColorChoice, CompareArgs, Global, RunArg};

mod compare;
pub(crate) mod complete;
mod doctor;
mod export;
mod frontier;
mod open;
mod picker;
mod report;
mod rm;
mod runs;
mod screenshot;
mod shell;
mod stop;
mod sweep;
mod texts;
mod train;

pub(crate) use sweep::Axis;

/// Does what the command line asks for.
///
/// # Errors
/// What hindered it, as one line for people.
pub(crate) fn run(cli: Cli) -> Result<Ending, Failure> {
    let global = cli.global;
    let Some(action) = cli.action else { return without_command(&global) };
    match action {
        Action::Demo(demo) => train::demo(demo, &global),
        Action::Train(train) => train::train(train, &global),
        Action::Attach(attach) => open::attach(look_up(&attach.run, &global)?, rights(&attach), &global),
        Action::Stop(stop) => wait(stop::stop(look_up(&RunArg { run: stop.run.clone() }, &global)?, &stop)),
        Action::Rm(rm) => rm::rm(&rm, &global),
        Action::Resume(again) => train::resume(look_up(&again.run, &global)?, again.watch, &global),
        Action::Replay(replay) => open::replay(look_up(&replay.run, &global)?, replay.speed, &global),
        Action::Compare(compare) => compare_runs(&compare, &global),
        Action::Frontier(args) => frontier::frontier(&args, &global),
        Action::Sweep(sweep) => sweep::sweep(*sweep),
        Action::Report(made) => report::report(&look_up(&made.run, &global)?, made.out.as_deref(), made.explain),
        Action::Runs(runs) => runs::runs(&runs, &global.runs),
        Action::Export(export) => export::export(&look_up(&export.run, &global)?, export.format),
        Action::Explain(explain) => wait(pellucid_client::worker::run(&texts::explain(explain))),
        Action::Predict(predict) => wait(pellucid_client::worker::run(&texts::predict(predict))),
        Action::Bench(BenchAction::Train(train)) => wait(pellucid_client::worker::run(&texts::bench(&train))),
        Action::Bench(BenchAction::Explain(explain)) => {
            wait(pellucid_client::worker::run(&texts::bench_explain(explain)))
        }
        Action::Bench(BenchAction::Ui(bench)) => bench_ui(&bench),
        Action::Keep { worker } => wait(supervisor::keep(worker)),
        Action::Keys => keys(),
        Action::Doctor { json } => doctor::doctor(&global.runs, if json { Output::Json } else { Output::Plain }),
        Action::Completions { shell } => shell::completions(shell),
        Action::Man { command } => shell::man(command.as_deref()),
        Action::Screenshot(shot) => screenshot::screenshot(&shot, &global),
    }
}

/// The list of runs to choose from; with none yet, the demo.
fn without_command(global: &Global) -> Result<Ending, Failure> {
    let runs = listed(&global.runs)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match (terminal, runs.is_empty()) {
        (true, true) => picker::offer_demo(global),
        (true, false) => picker::pick(&runs, global),
        (false, true) => shell::help(),
        (false, false) => runs::table(&runs),
    }
}

fn listed(folder: &Path) -> Result<Vec<RunDir>, Failure> {
    run_dir::list(folder).map_err(|error| Failure::Failed(format!("cannot read {}: {error}", folder.display())))
}

fn look_up(wanted: &RunArg, global: &Global) -> Result<RunDir, Failure> {
    find(&global.runs, &wanted.run).map_err(|error| match wanted.run.as_str() {
        "" => Failure::Failed(format!("no runs in {} yet; `pellucid demo` makes one", global.runs.display())),
        _ => Failure::Failed(error),
    })
}

/// Runs a future on this thread.
fn wait<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    runtime.block_on(future)
}

/// Prints one JSON line on stdout.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let line = to_json(value).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// Prints one line on stdout.
fn print(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{}", scrub(line))?)
}

fn options(global: &Global) -> pellucid_dashboard::Options {
    pellucid_dashboard::Options {
        theme: global.theme.clone(),
        color: Some(color(global.color)),
        glyphs: global.glyphs,
        screen: None,
        fps: global.fps,
        alerts: global.alert,
        mouse: if global.no_mouse { pellucid_dashboard::Mouse::Left } else { pellucid_dashboard::Mouse::Reported },
        rights: pellucid_dashboard::Rights::Steer,
    }
}

fn rights(attach: &AttachArgs) -> pellucid_dashboard::Rights {
    if attach.read_only { pellucid_dashboard::Rights::Look } else { pellucid_dashboard::Rights::Steer }
}

/// `pellucid bench ui`.
fn bench_ui(bench: &BenchUiArgs) -> Result<Ending, Failure> {
    pellucid_dashboard::bench::bench(bench.steps, &mut |line| Ok(print_json(&line)?))?;
    Ok(Ending::Done)
}

/// `pellucid compare`.
fn compare_runs(args: &CompareArgs, global: &Global) -> Result<Ending, Failure> {
    let named = args.compared.iter().map(|run| look_up(&RunArg { run: run.clone() }, global));
    compare::compare(&named.collect::<Result<Vec<_>, _>>()?, global)
}

/// `pellucid keys`.
fn keys() -> Result<Ending, Failure> {
    pellucid_dashboard::Keymap::default().written().lines().try_for_each(print).map(|()| Ending::Done)
}

fn color(choice: ColorChoice) -> pellucid_dashboard::ColorChoice {
    match choice {
        ColorChoice::Auto => pellucid_dashboard::ColorChoice::Auto,
        ColorChoice::Always => most_colors(&variable("COLORTERM"), &variable("TERM")),
        ColorChoice::Never => pellucid_dashboard::ColorChoice::Never,
        ColorChoice::Sixteen => pellucid_dashboard::ColorChoice::Ansi16,
        ColorChoice::Indexed => pellucid_dashboard::ColorChoice::Ansi256,
        ColorChoice::Truecolor => pellucid_dashboard::ColorChoice::Truecolor,
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// What the terminal says it can show, whatever `NO_COLOR` says.
fn most_colors(colorterm: &str, term: &str) -> pellucid_dashboard::ColorChoice {
    match (colorterm, term) {
        ("truecolor" | "24bit", _) => pellucid_dashboard::ColorChoice::Truecolor,
        (_, term) if term.contains("256") => pellucid_dashboard::ColorChoice::Ansi256,
        _ => pellucid_dashboard::ColorChoice::Ansi16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_means_as_many_as_there_are() {
        assert_eq!(most_colors("truecolor", "xterm"), pellucid_dashboard::ColorChoice::Truecolor);
        assert_eq!(most_colors("", "screen-256color"), pellucid_dashboard::ColorChoice::Ansi256);
        assert_eq!(most_colors("", "vt220"), pellucid_dashboard::ColorChoice::Ansi16);
    }

    #[test]
    fn no_runs_yet_is_said_with_what_to_do() {
        let cli = <Cli as clap::Parser>::parse_from(["pellucid", "--runs", "nowhere"]);
        let global = cli.global;
        let message = look_up(&RunArg { run: String::new() }, &global).unwrap_err().to_string();
        assert_eq!(message, "no runs in nowhere yet; `pellucid demo` makes one");
    }
}
