//! From the command line to what it asks for: one file for each command.
//!
//! ```text
//! lookup, options ──▶ watch ──▶ frontier ──▶ open, compare ──▶ train ──▶ picker, screenshot
//!      ├──────▶ exact, runs ──▶ stop ──▶ rm
//! written, export ──▶ report, sweep ──┘                  texts ──▶ data, evaluate    import ──▶ pull    doctor, shell
//! ```

use std::io::IsTerminal;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::{console, supervisor, worker};
use pellucid_dashboard::{Keymap, bench};
use pellucid_protocol::work::Work;

use crate::cli::bench::{BenchAction, BenchUiArgs};
use crate::cli::run::RunArg;
use crate::cli::{Action, Cli, Global};
use crate::job_lines::JobLines;
use crate::runtime::block_on;
use crate::stdout;

mod compare;
mod data;
mod doctor;
mod evaluate;
mod exact;
mod export;
mod frontier;
mod import;
mod lookup;
mod open;
mod options;
mod picker;
mod pull;
mod report;
mod rm;
mod runs;
mod screenshot;
mod shell;
mod stop;
mod sweep;
mod texts;
mod train;
mod watch;
mod written;

/// Does what the command line asks for.
///
/// # Errors
/// Why it could not be done, as one line for people.
pub(crate) fn run(cli: Cli) -> Result<Ending, Failure> {
    let global = cli.global;
    let Some(action) = cli.action else { return without_command(&global) };
    let run = |named: &RunArg| lookup::one_or_newest(named.run.as_deref(), &global);
    match action {
        Action::Demo(demo) => train::demo(demo, &global),
        Action::Train(train) => train::train(train, &global),
        Action::Attach(attach) => open::attach(run(&attach.run)?, open::rights(&attach), &global),
        Action::Stop(args) => block_on(stop::stop(exact::one(&args.run, &global)?, &args)),
        Action::Rm(rm) => rm::rm(&rm, &global),
        Action::Resume(resume) => train::resume(run(&resume.run)?, resume.watch, &global),
        Action::Replay(replay) => open::replay(run(&replay.run)?, replay.speed, &global),
        Action::Compare(args) => compare::compare(&lookup::each(&args.compared, &global)?, &global),
        Action::Frontier(args) => frontier::frontier(&args, &global),
        Action::Sweep(sweep) => sweep::sweep(*sweep),
        Action::Report(args) => report::report(&run(&args.run)?, args.out.as_deref(), args.explain),
        Action::Runs(runs) => runs::runs(&runs, &global.runs),
        Action::Export(export) => export::export(&run(&export.run)?, export.format),
        Action::Data(args) => data::data(&args),
        Action::Import(args) => import::import(&args),
        Action::Pull(args) => pull::pull(&args),
        Action::Convert => import::convert(),
        Action::Explain(explain) => foreground(&texts::explain(explain)?),
        Action::Predict(predict) => foreground(&texts::predict(predict)?),
        Action::Evaluate(args) => evaluate::evaluate(&args, &global),
        Action::Bench(BenchAction::Train(train)) => foreground(&texts::bench(&train)?),
        Action::Bench(BenchAction::Explain(explain)) => foreground(&texts::bench_explain(explain)?),
        Action::Bench(BenchAction::Ui(bench)) => bench_ui(&bench),
        Action::Supervise { worker } => block_on(supervisor::supervise(worker)),
        Action::Keys => keys(),
        Action::Doctor(json) => doctor::doctor(&global.runs, json.output()),
        Action::Completions { shell } => shell::completions(shell),
        Action::Man { command } => shell::man(command.as_deref()),
        Action::Screenshot(args) => screenshot::screenshot(&args, &global),
    }
}

/// Exit codes from here on are of a process that a signal has ended.
const OF_SIGNALS: u8 = 128;

/// Has the worker do a job in the foreground. If it is stopped, what becomes of its file is said.
fn foreground(work: &Work) -> Result<Ending, Failure> {
    let ending = block_on(worker::run(work, JobLines::on_stderr()))?;
    let out = match work {
        Work::Explain(work) => work.out.as_deref(),
        Work::Predict(work) => work.out.as_deref(),
        _ => None,
    };
    if let (Ending::Worker(OF_SIGNALS..), Some(out)) = (ending, out) {
        let out = out.display();
        console::note(&format!("stopped: {out} is not written; without --out rows appear as they are done"));
    }
    Ok(ending)
}

/// The list of runs to choose from; with no runs yet, an offer of the demo.
fn without_command(global: &Global) -> Result<Ending, Failure> {
    let runs = lookup::all(&global.runs)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match (terminal, runs.is_empty()) {
        (true, true) => picker::offer_demo(global),
        (true, false) => picker::pick(&runs, global),
        (false, true) => shell::help(),
        (false, false) => runs::table(&runs),
    }
}

/// `pellucid bench ui`.
fn bench_ui(args: &BenchUiArgs) -> Result<Ending, Failure> {
    bench::bench(args.steps, &mut |line| Ok(stdout::json(&line)?))?;
    Ok(Ending::Done)
}

/// `pellucid keys`.
fn keys() -> Result<Ending, Failure> {
    Keymap::default().written().lines().try_for_each(stdout::line).map(|()| Ending::Done)
}
