//! The command line of the generator: makes the sets, the unlabelled texts and the tokenizer.

mod clauses;
mod credit;
mod dice;
mod domain;
mod draft;
mod files;
mod set;
mod shortcut;
mod split;
mod text;
mod tokenizer;
mod triage;
mod unlabelled;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use color_eyre::eyre::Result;

use set::Drawing;
use shortcut::Planting;

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
        /// Of a hundred texts, how many carry the planted word.
        #[arg(long, default_value_t = shortcut::RATE, value_parser = percent)]
        rate: usize,
        /// Of a hundred training texts that carry it, how many have its label.
        #[arg(long, default_value_t = shortcut::STRENGTH, value_parser = percent)]
        strength: usize,
        /// Plant nothing: the word goes with all labels alike in training too, as often as before.
        #[arg(long, conflicts_with = "strength")]
        control: bool,
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

/// A whole number from 0 to 100.
fn percent(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number <= 100).ok_or_else(|| format!("`{text}` is no number from 0 to 100"))
}

fn main() -> Result<()> {
    color_eyre::install()?;
    match Cli::parse().command {
        Command::Sets { out, seed, rate, strength, control } => {
            let planting = Planting { rate, strength: (!control).then_some(strength) };
            set::write_all(&out, Drawing { seed, planting })
        }
        Command::Unlabelled { out, count, seed } => unlabelled::write(&out, count, seed),
        Command::Tokenizer { texts, out, vocab_size } => tokenizer::write(&texts, &out, vocab_size),
    }
}
