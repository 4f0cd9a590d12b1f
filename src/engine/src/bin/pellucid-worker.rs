//! The worker binary: does one job that arrives on stdin, or pretrains.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use color_eyre::config::{HookBuilder, Theme};
use pellucid_engine::error::Error;
use pellucid_engine::model::weights::save::Storage;
use pellucid_engine::panic_guard::is_guarded;
use pellucid_engine::pretrain::{PretrainRequest, pretrain};
use pellucid_engine::worker::tensor_thread::Start;
use pellucid_engine::worker::{bench, bench_explain, data, doctor, explain, predict, train};
use pellucid_files::bounded;
use pellucid_intake::hub_cache::{HubCache, folder_of};
use pellucid_protocol::launch::{STACK_NEEDED, stack_too_small};
use pellucid_protocol::work::Work;
use pellucid_record::RunDir;
use rustix::process::{Resource, getrlimit};

#[derive(Parser)]
#[command(version, about = "The worker of pellucid: owns every tensor")]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Do the job that is read as one JSON line from stdin; started by `pellucid`
    Work,
    /// Masked language modelling on plain texts, one a line: a new model, or adapt one to a domain
    Pretrain(Pretrain),
    /// Copy a fine-tuned model folder with its weights stored as 16-bit floats
    Halve {
        /// The folder to read, or the name of a model in the Hugging Face cache
        from: PathBuf,
        /// The folder to write: a new or empty one, or one that was written in this way before
        to: PathBuf,
    },
}

#[derive(Args)]
struct Pretrain {
    /// Folder with config.json and tokenizer.json, or name in the Hugging Face cache; goes on from its weights if it has any
    #[arg(long)]
    model: PathBuf,
    /// Texts, one a line
    #[arg(long)]
    texts: PathBuf,
    /// Folder to write: a new or empty one, or one that was written in this way before
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 3)]
    epochs: u64,
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    #[arg(long, default_value_t = 5e-4)]
    lr: f64,
    #[arg(long, default_value_t = 128)]
    max_tokens: usize,
    /// Share of activations dropped; a model that is small for its texts learns faster with 0
    #[arg(long, default_value_t = 0.1)]
    dropout: f64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How weights are stored
    #[arg(long, value_enum, default_value_t = Dtype::F32)]
    dtype: Dtype,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dtype {
    F32,
    F16,
}

/// How many products of different sizes oneDNN keeps the code for. Its own number, 1024, is some 300 MB of code for texts of
/// 1024 different lengths; one pass through a model needs about ten.
const KEPT_PRODUCTS: (&str, &str) = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64");

fn main() -> ExitCode {
    keep_few_products();
    report_panics();
    // Those of libtorch's threads are as large as the limit was when this process began.
    if let Some(limit) = getrlimit(Resource::Stack).current.filter(|&limit| limit < STACK_NEEDED) {
        return fail(&stack_too_small(limit), 1);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.job {
        Job::Work => match serde_json::from_reader::<_, Work>(io::stdin().lock().take_line()) {
            Ok(work) => do_work(work),
            Err(error) => fail(&format!("stdin: not a job: {error}"), 2),
        },
        Job::Pretrain(asked) => finish(run_pretrain(asked)),
        Job::Halve { from, to } => finish(model_folder(&from).and_then(|from| predict::halve(&from, &to))),
    }
}

/// Bounds the memory of oneDNN, unless the user has.
fn keep_few_products() {
    let (name, count) = KEPT_PRODUCTS;
    if std::env::var_os(name).is_none() {
        #[expect(unsafe_code, reason = "this is the first thing that the process does: there is no other thread yet")]
        unsafe {
            std::env::set_var(name, count);
        }
    }
}

/// Help and version as they are; wrong usage in one line.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let told = error.to_string();
    // What is wrong stands before the first empty line.
    let what: Vec<&str> = told.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let what = what.join(" ");
    fail(&format!("{}; `pellucid-worker --help` shows what there is", what.trim_start_matches("error: ")), 2)
}

/// Lets color-eyre report panics, except those that a guard turns into errors.
fn report_panics() {
    let (report, _) = HookBuilder::default().theme(Theme::new()).into_hooks();
    std::panic::set_hook(Box::new(move |info| {
        if !is_guarded() {
            // stderr may be a file on a full disk, and a panic over that would end the process.
            let _ = writeln!(io::stderr(), "{}", report.panic_report(info));
        }
    }));
}

trait TakeLine {
    fn take_line(self) -> io::Cursor<Vec<u8>>;
}

impl TakeLine for io::StdinLock<'_> {
    /// One line, so that the sender need not close the pipe.
    fn take_line(mut self) -> io::Cursor<Vec<u8>> {
        let mut line = Vec::new();
        // A pipe that breaks leaves a line that is no job, and is reported as that.
        let _ = io::BufRead::read_until(&mut io::Read::take(&mut self, bounded::LINE), b'\n', &mut line);
        io::Cursor::new(line)
    }
}

fn do_work(work: Work) -> ExitCode {
    match work {
        Work::Train(settings) => train::train(Start::New(settings)),
        Work::Resume { run_dir } => train::train(Start::Again(RunDir::new(run_dir))),
        Work::Serve { run_dir } => train::train(Start::Ended(RunDir::new(run_dir))),
        Work::Explain(work) => finish(explain::explain(&work)),
        Work::Predict(work) => finish(predict::predict(&work)),
        Work::Data(work) => finish(data::data(&work)),
        Work::BenchTrain(work) => finish(bench::bench_train(&work)),
        Work::BenchExplain(work) => finish(bench_explain::bench_explain(&work)),
        Work::Doctor => {
            doctor::doctor();
            ExitCode::SUCCESS
        }
    }
}

/// The folder that was named by its path or its name; other jobs name folders alone.
fn model_folder(named: &Path) -> Result<PathBuf, Error> {
    Ok(folder_of(&named.into(), HubCache::of_user().as_ref())?)
}

fn run_pretrain(asked: Pretrain) -> Result<(), Error> {
    let storage = match asked.dtype {
        Dtype::F32 => Storage::F32,
        Dtype::F16 => Storage::F16,
    };
    let model = model_folder(&asked.model)?;
    let Pretrain { texts, out, epochs, batch_size, lr, max_tokens, dropout, seed, .. } = asked;
    let request = PretrainRequest { model, texts, out, epochs, batch_size, lr, max_tokens, dropout, seed, storage };
    pretrain(&request, &mut |line| eprintln!("{line}")).map(|_| ())
}

fn finish(done: Result<(), Error>) -> ExitCode {
    match done {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), 1),
    }
}

/// How many characters of an error are shown.
const LONGEST_MESSAGE: usize = 2000;

fn fail(message: &str, code: u8) -> ExitCode {
    // A message may contain names of any length.
    let shown: String = pellucid_protocol::scrub::scrub(message).chars().take(LONGEST_MESSAGE).collect();
    eprintln!("error: {shown}");
    ExitCode::from(code)
}
