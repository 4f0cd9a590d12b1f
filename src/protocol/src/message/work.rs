//! What a worker process is started for, as one JSON line on its stdin.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::explanation::Scalar;
use crate::explanation::check::Depth;
use crate::explanation::method::{Baseline, Method, Removal};
use crate::settings::{Device, Grouping, Settings};

/// A worker's job. All but [`Work::Train`], [`Work::Resume`] and [`Work::Serve`] print JSON lines on stdout and end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Train and serve a run folder, detached; see [`super::launch`].
    Train(Box<Settings>),
    /// Take the run in this folder up again, and serve it as with [`Work::Train`].
    Resume {
        /// The folder.
        run_dir: PathBuf,
    },
    /// Serve the ended run in this folder, as its worker did after the end: explain on its last weights.
    Serve {
        /// The folder.
        run_dir: PathBuf,
    },
    /// Explain texts.
    Explain(ExplainWork),
    /// Logits and probabilities of texts.
    Predict(PredictWork),
    /// Time training steps as the Python peer does.
    BenchTrain(BenchTrainWork),
    /// Time explanations as the Python peer does.
    BenchExplain(BenchExplainWork),
    /// Say what libtorch and which devices there are.
    Doctor,
}

/// Texts from the command line or a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texts {
    /// One text.
    Text(String),
    /// A data file.
    File {
        /// Its path.
        path: PathBuf,
        /// Rows to take from its start; all if not given.
        limit: Option<usize>,
    },
}

/// `pellucid explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainWork {
    /// Model folder.
    pub model: PathBuf,
    /// What to explain.
    pub texts: Texts,
    /// Methods in the order in which they are done.
    pub methods: Vec<Method>,
    /// Where to compute.
    pub device: Device,
    /// Seed of the methods that draw.
    pub seed: u64,
    /// Maskings that surrogates and Shapley values rest on; the usual number if not given.
    pub samples: Option<usize>,
    /// The class to explain, by name or index; the predicted one if not given.
    pub class: Option<String>,
    /// What is explained of it; of each method its usual scalar if not given.
    pub scalar: Option<Scalar>,
    /// How LIME and the tree take words out.
    pub removal: Removal,
    /// Where integrated gradients start.
    pub baseline: Baseline,
    /// Nodes of integrated gradients; as many as completeness needs if not given.
    pub steps: Option<usize>,
    /// How much is asked about the scores.
    pub checks: Depth,
    /// How to write.
    pub format: ExplainFormat,
    /// The file to write; stdout if not given.
    pub out: Option<PathBuf>,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainFormat {
    /// Plain lines for people.
    #[default]
    Text,
    /// One JSON object a text.
    Json,
    /// A table with one row a word.
    Csv,
    /// One page with everything in it.
    Html,
    /// One [`Explanation`](crate::Explanation) a line, for this program itself.
    Record,
}

/// `pellucid bench explain`, with the flags of the Python peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchExplainWork {
    /// Model folder.
    pub model: PathBuf,
    /// Data file.
    pub data: PathBuf,
    /// Texts from its start.
    pub texts: usize,
    /// Threads of libtorch.
    pub threads: usize,
    /// What is timed.
    pub methods: Vec<Method>,
    /// Maskings of LIME and the tree.
    pub lime_samples: usize,
    /// Maskings of Shapley values.
    pub shap_samples: usize,
    /// Nodes of integrated gradients; as many as completeness needs if not given.
    pub steps: Option<usize>,
    /// Seed of the methods that draw.
    pub seed: u64,
    /// Instead of timing, so many explanations with the resident memory before and after.
    pub soak: Option<usize>,
}

/// `pellucid predict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictWork {
    /// Model folder.
    pub model: PathBuf,
    /// What to predict.
    pub texts: Texts,
    /// Where to compute.
    pub device: Device,
    /// How to print.
    pub output: Output,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Plain lines for people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// `pellucid bench train`, with the flags of the Python peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchTrainWork {
    /// Model folder.
    pub model: PathBuf,
    /// Training file.
    pub data: PathBuf,
    /// Whether the L1 penalty takes part.
    pub l1: Option<f64>,
    /// Lambda of decoupled L2; the peer's when not given.
    pub l2: Option<f64>,
    /// Whether distillation takes part, the model itself being the teacher: its weight.
    pub kd_alpha: Option<f64>,
    /// Name of the mode, printed back.
    pub mode: String,
    /// Measured steps; five more warm up.
    pub steps: u64,
    /// Examples a step.
    pub batch: usize,
    /// Threads of libtorch.
    pub threads: usize,
    /// Whether batches are grouped by length.
    pub grouping: Grouping,
    /// Learning rate.
    pub lr: f64,
    /// Which epoch the steps are to be like.
    pub epoch: BenchEpoch,
}

/// Which epoch measured steps are to be like: the teacher is asked once about each example, in the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchEpoch {
    /// The first: the teacher answers within the steps.
    First,
    /// The second or a later one: the teacher has answered before.
    #[default]
    Later,
}
