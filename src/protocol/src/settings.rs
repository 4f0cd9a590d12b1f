//! The settings of a run, each declared once in the list below.
//!
//! [`RawSettings`] are settings as a person writes them, in a TOML file or as flags; [`Settings`] are checked and
//! complete. The keys of a TOML file are the flags of `pellucid train` with `_` for `-`; a flag wins over the file.
//! `declare.rs` explains what the parts of a row mean.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use strum::VariantArray;

mod avoid;
mod check;
mod choices;
mod class_weights;
mod data_part;
mod declare;
mod definition;
pub mod device;
mod error;
mod freeze;
mod hub_name;
mod label_map;
mod live;
mod max_tokens;
mod model_source;
mod params;
mod range;
mod raw;
pub mod reading;
mod switch;
mod value;
mod windows;

pub use avoid::Avoid;
pub use choices::{Anchor, Grouping, L1Form, L2Form, LongTexts, OptimizerKind, Reference, ScheduleKind};
pub use class_weights::ClassWeights;
pub use data_part::DataPart;
pub use definition::{Definition, Form};
pub use device::{Device, Precision};
pub use error::SettingsError;
pub use freeze::{Frozen, FrozenList, Place};
pub use hub_name::{HubName, is_commit};
pub use label_map::{LabelMap, label_as_read};
pub use live::Scale;
pub use max_tokens::MaxTokens;
pub use model_source::ModelSource;
pub use params::{ParamGroup, ParamGroups};
pub use switch::Switch;
pub use windows::{WindowPooling, Windows};

use check::required;
use declare::declare;
use definition::{ascii, flag_text, kebab};
use live::Live;
use range::Range;
use reading::{ColumnNames, Delimiter, Header, Reading};
use value::Value;

declare! {
    "Model and data" {
        /// Model to fine-tune: a folder in the Hugging Face layout, or the name of one in the Hugging Face cache.
        model("DIR|ORG/NAME"): ModelSource = folder;
        /// Training file: CSV, TSV, JSON, Parquet or Arrow; its columns are found by their names, or named with the flags below.
        train("FILE"): PathBuf = required;
        /// Validation file, or the share of the training file that is split off for validation.
        valid("FILE|SHARE"): DataPart = optional, in OpenShare;
        /// Test file, or the share of the training file that is left out for a test: measured once, at the end.
        test("FILE|SHARE"): DataPart = optional, in OpenShare;
        /// Parts that the training file is put into for cross-validation, in place of --valid; needs --fold.
        folds("K"): u64 = optional, in FromTwo;
        /// The part that is validated on, from 1 on; the others are trained on.
        fold("N"): u64 = optional, in FromOne;
        /// Fine-tuned model to distil from: a folder or a name, as for the model.
        teacher("DIR|ORG/NAME"): ModelSource = other_folder;
        /// The folder of the run [default: runs/TIME-DATA].
        run_dir("DIR"): PathBuf = required;
    }
    "Reading the data" {
        /// Column of the text, by its name, or by its number where there is no header.
        text_column("COLUMN"): String = optional;
        /// Column of the second text of a pair.
        pair_column("COLUMN"): String = optional;
        /// Column of the label.
        label_column("COLUMN"): String = optional;
        /// Column of what a row is called.
        id_column("COLUMN"): String = optional;
        /// Column of what must not be on both sides of a split: a patient, a client, a contract.
        group_column("COLUMN"): String = optional;
        /// Column of the characters that a person marked as the reason, [[start, end], ...].
        rationale_column("COLUMN"): String = optional;
        /// The first row is data, and no header.
        no_header("true|false"): Switch = default;
        /// What separates the fields of a table, if that is not found: one character, or tab.
        delimiter("CHARACTER"): Delimiter = optional;
        /// Encoding of the data files, if it is not UTF-8: latin1, windows-1252, utf-16le, ...
        encoding("NAME"): String = optional;
        /// Bad rows that are left out, at most; they are counted and listed.
        skip_bad("N"): u64 = 0;
        /// Classes that labels stand for: LABEL=CLASS,...
        label_map("LABEL=CLASS,..."): LabelMap = default;
        /// Leave training texts out that are in the validation or test data as well; without it they are told.
        drop_leaks("true|false"): Switch = default;
        /// Train although the labels look like no classes: nearly one for each row.
        yes_many_classes("true|false"): Switch = default;
    }
    "Training" {
        /// Passes over the training data.
        epochs("N"): u64 = 3, unless max_steps, in FromOne;
        /// Optimiser steps, in place of --epochs.
        max_steps("N"): u64 = optional, in FromOne;
        /// Evaluations in a row without a new best one after which training ends, 0 for no such limit.
        patience("N"): u64 = 0;
        /// Examples per batch.
        batch_size("N"): u64 = 32, in FromOne;
        /// Batches whose gradients are averaged for one step.
        accumulate("N"): u64 = 1, in FromOne;
        /// Longest text in tokens, the rest of a longer one is cut off; auto is what holds 99 of 100 training texts, at most
        /// what the model reads.
        ///
        /// The texts that were cut are counted.
        max_tokens("N|auto"): MaxTokens = default, in FromOne;
        /// What is done with longer texts: truncate cuts them off, windows reads them in windows of --max-tokens tokens.
        long("LONG"): LongTexts = default;
        /// Tokens that a window shares with the next one [default: a quarter of a window].
        ///
        /// As `stride` of transformers' tokenizers.
        stride("N"): u64 = optional;
        /// How the logits of a text come from those of its windows: their mean, or the highest of each class.
        window_pooling("WINDOW_POOLING"): WindowPooling = default;
        /// How batches are put together.
        grouping("GROUPING"): Grouping = default;
        /// Weights of the classes in the loss: none, balanced, or NAME=WEIGHT,...
        class_weights("WEIGHTS"): ClassWeights = default, in FromZero;
        /// Share of each target that is spread over all classes.
        ///
        /// Szegedy et al. 2016, section 7.
        label_smoothing("SHARE"): f64 = 0.0, in PartialShare;
        /// Highest learning rate.
        lr("LR"): f64 = 5e-5, in Positive, live Lr("highest learning rate", Scale::Rate);
        /// How the learning rate changes after the warm-up.
        schedule("SCHEDULE"): ScheduleKind = default;
        /// Learning rate of a layer as a share of that of the layer above it.
        ///
        /// The embeddings count as one layer below the first (Howard and Ruder 2018, section 3.2).
        layer_decay("SHARE"): f64 = 1.0, in PositiveShare;
        /// Parts that are not trained: embeddings, layers:N (the first N), encoder, none.
        freeze("PARTS"): FrozenList = default;
        /// The optimiser.
        optimizer("OPTIMIZER"): OptimizerKind = default;
        /// Momentum of SGD.
        ///
        /// The betas of AdamW are 0.9 and 0.999.
        momentum("M"): f64 = 0.9, in PartialShare;
        /// Norm to which the gradient is clipped, 0 for no clipping.
        clip_norm("NORM"): f64 = 1.0, in FromZero;
        /// Share of the steps over which the learning rate rises from 0.
        warmup("SHARE"): f64 = 0.06, in Share;
        /// Seed for everything random.
        ///
        /// The order of examples, dropout, a fresh head, and explanations that sample.
        seed("N"): u64 = 0;
        /// Steps between evaluations, 0 for half an epoch, but at least 20.
        ///
        /// See [`Settings::eval_interval`].
        eval_every("N"): u64 = 0;
        /// Steps between checkpoints, 0 for one with each evaluation.
        checkpoint_every("N"): u64 = 0;
        /// Checkpoints kept beside the best one and those asked for.
        keep("N"): u64 = 2, in FromOne;
        /// Validation samples that are explained again as training goes on, 0 for none.
        probe("N"): u64 = 16;
        /// File whose texts are explained instead of validation samples, the first --probe of them.
        probe_data("FILE"): PathBuf = optional;
        /// Share of the computing time that these explanations may take; 0 for all of them at every evaluation.
        probe_share("SHARE"): f64 = 0.05, in PartialShare, before 0.0;
        /// Write no text of the data anywhere: neither into the run folder nor into reports; rows have the names of --id-column,
        /// or their lines.
        private("true|false"): Switch = default;
        /// Threads on the CPU, 0 for one per core.
        threads("N"): u64 = 0;
        /// Where to compute: auto, cpu, cuda or cuda:N.
        device("DEVICE"): Device = default;
        /// Numbers in which matrix products are computed; bf16 is for GPUs.
        precision("PRECISION"): Precision = default;
    }
    "Penalties and distillation" {
        /// Lambda of the L1 penalty.
        l1("LAMBDA"): f64 = 0.0, in FromZero, live L1("lambda of the L1 penalty", Scale::Penalty(1e-6));
        /// How L1 is applied: proximal gives exact zeros.
        l1_form("L1_FORM"): L1Form = default;
        /// What L1 does not act on: layers, embeddings, head, biases, norms, or none.
        l1_exempt("GROUPS"): ParamGroups = default;
        /// Lambda of the group lasso on attention heads and feed-forward neurons.
        group_l1("LAMBDA"): f64 = 0.0, in FromZero, live GroupL1("lambda of the group lasso", Scale::Penalty(1e-6));
        /// Lambda of the L2 penalty.
        l2("LAMBDA"): f64 = 0.01, in FromZero, live L2("lambda of the L2 penalty", Scale::Penalty(1e-6));
        /// How L2 is applied: decoupled is AdamW's.
        l2_form("L2_FORM"): L2Form = default;
        /// What L2 pulls the weights towards: start is where they were before the first step (L2-SP).
        l2_anchor("L2_ANCHOR"): Anchor = default;
        /// What L2 does not act on, as with --l1-exempt.
        l2_exempt("GROUPS"): ParamGroups = default;
        /// Weight of the distillation term, from 0 to 1.
        ///
        /// Cross entropy has the weight `1 - kd_alpha`. Unused without a teacher.
        kd_alpha("ALPHA"): f64 = 0.5, in Share, live KdAlpha("weight of distillation, 0 to 1", Scale::Share);
        /// Temperature of distillation.
        kd_temperature("T"): f64 = 2.0, in Positive,
            live KdTemperature("temperature of distillation", Scale::Even(0.5));
    }
    "Reasons" {
        /// Weight of the penalty on wrong reasons: on the influence of the words in --avoid; without that flag, of the
        /// words outside the data's rationales.
        ///
        /// Right for the right reasons (Ross et al. 2017).
        rrr("WEIGHT"): f64 = 0.0, in FromZero, live Rrr("weight of the penalty on wrong reasons", Scale::Penalty(1e-2));
        /// Words that must not be a reason: a file with one word a line, or the words with commas between.
        avoid("FILE|WORDS"): Avoid = words;
        /// Weight of the distance between the gradient x input of the model and that of a reference.
        consistency("WEIGHT"): f64 = 0.0, in FromZero,
            live Consistency("weight of keeping to the reference's reasons", Scale::Penalty(1e-2));
        /// The reference: the teacher, or the model itself before its first step.
        consistency_to("CONSISTENCY_TO"): Reference = default;
        /// Steps from one loss with the terms on reasons to the next: 1 for every step, N for every N-th.
        attribution_every("N"): u64 = 1, in FromOne;
        /// Examples of a batch on which the terms on reasons are computed, at most.
        attribution_rows("N"): u64 = 8, in FromOne;
        /// Share of the texts of each batch that come a second time with words masked, so that the model knows masked
        /// texts when it is explained; 0.5 is usual.
        ///
        /// Masked fine-tuning, after arXiv 2310.07819.
        masking("SHARE"): f64 = 0.0, in Share, live Masking("share of texts with a masked copy, 0 to 1", Scale::Share);
    }
}

/// The heading of the settings that say how data files are read.
pub const READING: &str = "Reading the data";

impl RawSettings {
    /// How the data files are read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading {
            columns: ColumnNames {
                text: self.text_column.clone(),
                pair: self.pair_column.clone(),
                label: self.label_column.clone(),
                id: self.id_column.clone(),
                group: self.group_column.clone(),
                rationale: self.rationale_column.clone(),
            },
            trained_on: ColumnNames::default(),
            header: if self.no_header.unwrap_or_default().is_on() { Header::None } else { Header::Auto },
            delimiter: self.delimiter,
            encoding: self.encoding.clone(),
            skip_bad: self.skip_bad.unwrap_or_default(),
            labels: self.label_map.clone().unwrap_or_default(),
            private: self.private.unwrap_or_default(),
        }
    }
}

impl Settings {
    /// How the data files are read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        RawSettings::from(self.clone()).reading()
    }

    /// How texts that are too long are read; `None` if they are cut off.
    #[must_use]
    pub fn windows(&self) -> Option<Windows> {
        (self.long == LongTexts::Windows).then_some(Windows { stride: self.stride, pooling: self.window_pooling })
    }

    /// The files and folders that a run reads.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Path> {
        let parts = [&self.valid, &self.test].into_iter().flatten().filter_map(DataPart::file);
        let given = [self.teacher.as_deref(), self.probe_data.as_deref()].into_iter().flatten();
        [self.model.as_path(), &self.train].into_iter().chain(parts).chain(given).collect()
    }

    /// What is validated on, in words: a path, a share or a fold.
    #[must_use]
    pub fn valid_words(&self) -> String {
        match (&self.valid, self.fold, self.folds) {
            (Some(part), ..) => part.words(),
            (None, Some(fold), Some(folds)) => format!("fold {fold} of {folds} of the training file"),
            (None, ..) => "not named".to_owned(),
        }
    }

    /// Steps between evaluations, for a training set of `steps_per_epoch` steps: as set, or half an
    /// epoch but at least 20 steps.
    #[must_use]
    pub fn eval_interval(&self, steps_per_epoch: u64) -> u64 {
        if self.eval_every > 0 { self.eval_every } else { (steps_per_epoch / 2).max(20) }
    }

    /// Steps between checkpoints, for a training set of `steps_per_epoch` steps.
    #[must_use]
    pub fn checkpoint_interval(&self, steps_per_epoch: u64) -> u64 {
        if self.checkpoint_every > 0 { self.checkpoint_every } else { self.eval_interval(steps_per_epoch) }
    }

    /// Optimiser steps in all, for a training set of `steps_per_epoch` steps.
    #[must_use]
    pub fn total_steps(&self, steps_per_epoch: u64) -> u64 {
        self.max_steps.unwrap_or_else(|| self.epochs.unwrap_or_default().saturating_mul(steps_per_epoch))
    }
}
