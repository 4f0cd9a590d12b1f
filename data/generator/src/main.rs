//! The command line of the generator: makes the sets, the unlabelled texts and the tokenizer.

mod clauses;
mod credit;
mod dice;
mod domain;
mod files;
mod set;
mod shortcut;
mod text;
mod tokenizer;
mod triage;
mod unlabelled;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use color_eyre::eyre::Result;

/// Makes the data of pellucid from a seed.
#[derive(Debug, Parser)]
#[command(name = "pellucid-data", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the train, valid and test files of every domain.
    Sets {
        /// The folder that gets one folder for each domain.
        #[arg(long, default_value = "data")]
        out: PathBuf,
        /// The seed of all draws.
        #[arg(long, default_value_t = 20)]
        seed: u64,
    },
    /// Write plain texts of all domains, one a line, none of them in a valid or test file.
    Unlabelled {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
        /// How many texts.
        #[arg(long, default_value_t = 30_000)]
        count: usize,
        /// The seed of the sets that the texts keep clear of, and of the texts themselves.
        #[arg(long, default_value_t = 20)]
        seed: u64,
    },
    /// Train a WordPiece tokenizer on the lines of a file.
    Tokenizer {
        /// The file with one text a line.
        #[arg(long)]
        texts: PathBuf,
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
        /// How many tokens the vocabulary may have.
        #[arg(long, default_value_t = 2400)]
        vocab_size: usize,
    },
}

fn main() -> Result<()> {
    color_eyre::install()?;
    match Cli::parse().command {
        Command::Sets { out, seed } => set::write_all(&out, seed),
        Command::Unlabelled { out, count, seed } => unlabelled::write(&out, count, seed),
        Command::Tokenizer { texts, out, vocab_size } => tokenizer::write(&texts, &out, vocab_size),
    }
}
