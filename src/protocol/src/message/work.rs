//! The job of a worker process, which it reads as one JSON line from its stdin.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::explanation::Scalar;
use crate::explanation::check::Depth;
use crate::explanation::method::{Baseline, Method, Removal};
use crate::settings::reading::Reading;
use crate::settings::{Device, Grouping, Settings, Switch, Windows};

/// A worker's job. All but [`Work::Train`], [`Work::Resume`] and [`Work::Serve`] print JSON lines on stdout and end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Train and serve a run folder, detached; see [`super::launch`].
    Train(Box<Settings>),
    /// Resume the run in this folder, and serve it as with [`Work::Train`].
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
    /// Report on what data files hold.
    Data(DataWork),
    /// Time training steps as the Python peer does.
    BenchTrain(BenchTrainWork),
    /// Time explanations as the Python peer does.
    BenchExplain(BenchExplainWork),
    /// Report the version of libtorch and the devices.
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
        /// Rows to take from its start; `None` for all.
        limit: Option<usize>,
        /// How it is read.
        #[serde(default)]
        reading: Box<Reading>,
        /// The file that lists the rows that are left out; `None` for none.
        #[serde(default)]
        skipped: Option<PathBuf>,
    },
}

/// How texts are read that are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongRead {
    /// They are cut off.
    Truncate,
    /// In windows.
    Windows(Windows),
}

/// `pellucid explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainWork {
    /// Model folder.
    pub model: PathBuf,
    /// What to explain.
    pub texts: Texts,
    /// Methods, in the order in which they run.
    pub methods: Vec<Method>,
    /// How texts are read that are too long; `None` as in the training of the model.
    #[serde(default)]
    pub long: Option<LongRead>,
    /// Whether texts are left out of what is written.
    #[serde(default)]
    pub private: Switch,
    /// Where to compute.
    pub device: Device,
    /// Seed of the methods that sample.
    pub seed: u64,
    /// Maskings for surrogates and Shapley values; `None` for the usual number.
    pub samples: Option<usize>,
    /// The class to explain, by name or index; `None` for the predicted one.
    pub class: Option<String>,
    /// The number to explain; `None` for the usual one of each method.
    pub scalar: Option<Scalar>,
    /// How LIME and the tree take words out.
    pub removal: Removal,
    /// Where integrated gradients start.
    pub baseline: Baseline,
    /// Nodes of integrated gradients; `None` for as many as completeness needs.
    pub steps: Option<usize>,
    /// How thoroughly the scores are checked.
    pub checks: Depth,
    /// How long a text may take; its first map is made whatever it takes.
    #[serde(default)]
    pub budget: Option<Duration>,
    /// How to write.
    pub format: ExplainFormat,
    /// The file to write; `None` for stdout.
    pub out: Option<PathBuf>,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainFormat {
    /// Plain lines for people.
    #[default]
    Text,
    /// One JSON object per text.
    Json,
    /// A table with one row per word.
    Csv,
    /// One HTML page with everything in it.
    Html,
    /// One [`Explanation`](crate::Explanation) per line, for this program itself.
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
    /// Nodes of integrated gradients; `None` for as many as completeness needs.
    pub steps: Option<usize>,
    /// Seed of the methods that sample.
    pub seed: u64,
    /// Instead of timing: make this many explanations and report the resident memory before and after.
    pub soak: Option<usize>,
    /// Instead of timing: test this many random maps of each kind on each text, and the maps of the methods.
    #[serde(default)]
    pub random_maps: Option<usize>,
}

/// `pellucid predict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictWork {
    /// Model folder.
    pub model: PathBuf,
    /// What to predict.
    pub texts: Texts,
    /// How texts are read that are too long; `None` as in the training of the model.
    #[serde(default)]
    pub long: Option<LongRead>,
    /// Whether texts are left out of what is written.
    #[serde(default)]
    pub private: Switch,
    /// Where to compute.
    pub device: Device,
    /// How to write.
    pub format: PredictFormat,
    /// The file to write; `None` for stdout.
    pub out: Option<PathBuf>,
}

/// `pellucid data`, for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataWork {
    /// Data files; the first is the one to train on.
    pub files: Vec<PathBuf>,
    /// Model folder.
    pub model: PathBuf,
    /// How the files are read.
    pub reading: Box<Reading>,
    /// The file that lists the rows that are left out; `None` for none.
    #[serde(default)]
    pub skipped: Option<PathBuf>,
}

/// How predictions are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictFormat {
    /// Plain lines for people.
    #[default]
    Text,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A table with a row for each text.
    Csv,
    /// The same table as a Parquet file.
    Parquet,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Plain lines for people.
    Plain,
    /// One JSON object per line.
    Json,
}

/// `pellucid bench train`, with the flags of the Python peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchTrainWork {
    /// Model folder.
    pub model: PathBuf,
    /// Training file.
    pub data: PathBuf,
    /// Lambda of the L1 penalty; `None` for none.
    pub l1: Option<f64>,
    /// Lambda of decoupled L2; `None` for the peer's.
    pub l2: Option<f64>,
    /// Weight of distillation, with the model itself as the teacher; `None` for none.
    pub kd_alpha: Option<f64>,
    /// Name of the mode, printed back.
    pub mode: String,
    /// Measured steps, after five to warm up.
    pub steps: u64,
    /// Examples per step.
    pub batch: usize,
    /// Threads of libtorch.
    pub threads: usize,
    /// Whether batches are grouped by length.
    pub grouping: Grouping,
    /// Learning rate.
    pub lr: f64,
    /// Which epoch the steps represent.
    pub epoch: BenchEpoch,
}

/// Which epoch the measured steps represent: the teacher answers once for each example, in the first epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchEpoch {
    /// The first: the teacher answers within the steps.
    First,
    /// The second or a later one: the teacher's answers are known.
    #[default]
    Later,
}
