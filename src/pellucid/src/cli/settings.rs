//! The flags that are settings of a run: those of a settings file with `-` for `_`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pellucid_protocol::RawSettings;
use pellucid_protocol::settings::{
    Anchor, Avoid, ClassWeights, Device, FrozenList, L1Form, L2Form, OptimizerKind, ParamGroups, Precision, Reference,
    ScheduleKind,
};
use pellucid_protocol::work::Grouping;
use serde::de::DeserializeOwned;

/// The settings of a run, as flags.
#[derive(Debug, Clone, Default, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SettingFlags {
    /// Folder of the model to fine-tune, in the Hugging Face layout
    #[arg(long, value_name = "DIR", help_heading = "Model and data")]
    model: Option<PathBuf>,
    /// Training file: TSV, CSV or JSON Lines with `text` or `sentence`, and `label`
    #[arg(long, value_name = "FILE", help_heading = "Model and data")]
    train: Option<PathBuf>,
    /// Validation file
    #[arg(long, value_name = "FILE", help_heading = "Model and data")]
    valid: Option<PathBuf>,
    /// Folder of a fine-tuned model to distil from
    #[arg(long, value_name = "DIR", help_heading = "Model and data")]
    teacher: Option<PathBuf>,
    /// The run's own folder [default: runs/TIME-DATA]
    #[arg(long, value_name = "DIR", help_heading = "Model and data")]
    run_dir: Option<PathBuf>,

    /// Passes over the training data [default: 3]
    #[arg(long, value_name = "N", conflicts_with = "max_steps", help_heading = "Training")]
    epochs: Option<u64>,
    /// Optimiser steps, in place of --epochs
    #[arg(long, value_name = "N", help_heading = "Training")]
    max_steps: Option<u64>,
    /// Evaluations without a better one after which training ends, 0 for none [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    patience: Option<u64>,
    /// Examples a step [default: 32]
    #[arg(long, value_name = "N", help_heading = "Training")]
    batch_size: Option<u64>,
    /// Batches whose gradients are averaged for one step [default: 1]
    #[arg(long, value_name = "N", help_heading = "Training")]
    accumulate: Option<u64>,
    /// Longest text in tokens [default: 128]
    #[arg(long, value_name = "N", help_heading = "Training")]
    max_tokens: Option<u64>,
    /// How batches are put together [default: random]
    #[arg(long, value_parser = named::<Grouping>(&["random", "length"]), help_heading = "Training")]
    grouping: Option<Grouping>,
    /// Weights of the classes in the loss: none, balanced, or NAME=WEIGHT,.. [default: none]
    #[arg(long, value_name = "WEIGHTS", help_heading = "Training")]
    class_weights: Option<ClassWeights>,
    /// Share of each target that is spread over all classes [default: 0]
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    label_smoothing: Option<f64>,
    /// Highest learning rate [default: 5e-5]
    #[arg(long, value_name = "LR", help_heading = "Training")]
    lr: Option<f64>,
    /// How the learning rate goes on after its rise [default: linear]
    #[arg(long, value_parser = named::<ScheduleKind>(&["linear", "cosine", "constant"]), help_heading = "Training")]
    schedule: Option<ScheduleKind>,
    /// Learning rate of a layer as a share of that of the layer above it [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    layer_decay: Option<f64>,
    /// Parts that stay as they are: embeddings, layers:N (the first N), encoder, none [default: none]
    #[arg(long, value_name = "PARTS", help_heading = "Training")]
    freeze: Option<FrozenList>,
    /// The optimiser [default: adamw]
    #[arg(long, value_parser = named::<OptimizerKind>(&["adamw", "sgd"]), help_heading = "Training")]
    optimizer: Option<OptimizerKind>,
    /// Momentum of SGD [default: 0.9]
    #[arg(long, value_name = "M", help_heading = "Training")]
    momentum: Option<f64>,
    /// Norm to which the gradient is clipped, 0 for no clipping [default: 1]
    #[arg(long, value_name = "NORM", help_heading = "Training")]
    clip_norm: Option<f64>,
    /// Share of the steps over which the learning rate rises [default: 0.06]
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    warmup: Option<f64>,
    /// Seed of all that is drawn [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    seed: Option<u64>,
    /// Steps between evaluations, 0 for half an epoch, but 20 at least [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    eval_every: Option<u64>,
    /// Steps between checkpoints, 0 for one with each evaluation [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    checkpoint_every: Option<u64>,
    /// Checkpoints kept beside the best one and those asked for [default: 2]
    #[arg(long, value_name = "N", help_heading = "Training")]
    keep: Option<u64>,
    /// Validation samples that are explained again as training goes on, 0 for none [default: 16]
    #[arg(long, value_name = "N", help_heading = "Training")]
    probe: Option<u64>,
    /// File whose texts are explained in their place, the first --probe of them
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    probe_data: Option<PathBuf>,
    /// Share of the computing that these explanations may cost; 0 for all of them at every evaluation [default: 0.05]
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    probe_share: Option<f64>,
    /// Threads on the CPU, 0 for one a core [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    threads: Option<u64>,
    /// Where to compute: auto, cpu, cuda or cuda:N [default: auto]
    #[arg(long, help_heading = "Training")]
    device: Option<Device>,
    /// Numbers in which matrix products are computed; bf16 is for GPUs [default: f32]
    #[arg(long, value_parser = named::<Precision>(&["f32", "bf16"]), help_heading = "Training")]
    precision: Option<Precision>,

    /// Lambda of the L1 penalty [default: 0]
    #[arg(long, value_name = "LAMBDA", help_heading = "Penalties and distillation")]
    l1: Option<f64>,
    /// How L1 is applied: proximal gives exact zeros [default: proximal]
    #[arg(long, value_parser = named::<L1Form>(&["proximal", "subgradient"]), help_heading = "Penalties and distillation")]
    l1_form: Option<L1Form>,
    /// What L1 does not act on: layers, embeddings, head, biases, norms, or none
    /// [default: embeddings,head,biases,norms]
    #[arg(long, value_name = "GROUPS", help_heading = "Penalties and distillation")]
    l1_exempt: Option<ParamGroups>,
    /// Lambda of the group lasso on attention heads and feed-forward neurons [default: 0]
    #[arg(long, value_name = "LAMBDA", help_heading = "Penalties and distillation")]
    group_l1: Option<f64>,
    /// Lambda of the L2 penalty [default: 0.01]
    #[arg(long, value_name = "LAMBDA", help_heading = "Penalties and distillation")]
    l2: Option<f64>,
    /// How L2 is applied: decoupled is AdamW's [default: decoupled]
    #[arg(long, value_parser = named::<L2Form>(&["decoupled", "coupled"]), help_heading = "Penalties and distillation")]
    l2_form: Option<L2Form>,
    /// What L2 draws the weights to: start is where they were at first (L2-SP) [default: zero]
    #[arg(long, value_parser = named::<Anchor>(&["zero", "start"]), help_heading = "Penalties and distillation")]
    l2_anchor: Option<Anchor>,
    /// What L2 does not act on, as with --l1-exempt
    #[arg(long, value_name = "GROUPS", help_heading = "Penalties and distillation")]
    l2_exempt: Option<ParamGroups>,
    /// Weight of the distillation term, from 0 to 1 [default: 0.5]
    #[arg(long, value_name = "ALPHA", help_heading = "Penalties and distillation")]
    kd_alpha: Option<f64>,
    /// Temperature of distillation [default: 2]
    #[arg(long, value_name = "T", help_heading = "Penalties and distillation")]
    kd_temperature: Option<f64>,

    /// Weight of the penalty on wrong reasons: what the answer owes to the words of --avoid, or without that flag to
    /// words outside the data's rationales [default: 0]
    #[arg(long, value_name = "WEIGHT", help_heading = "Reasons")]
    rrr: Option<f64>,
    /// Words that must not be a reason: a file with one a line, or the words with commas between
    #[arg(long, value_name = "FILE|WORDS", help_heading = "Reasons")]
    avoid: Option<Avoid>,
    /// Weight of the distance between the gradient x input of the model and that of its reference [default: 0]
    #[arg(long, value_name = "WEIGHT", help_heading = "Reasons")]
    consistency: Option<f64>,
    /// That reference: the teacher, or the model itself before its first step [default: teacher]
    #[arg(long, value_parser = named::<Reference>(&["teacher", "start"]), help_heading = "Reasons")]
    consistency_to: Option<Reference>,
    /// Steps between those whose loss has the terms on reasons [default: 1]
    #[arg(long, value_name = "N", help_heading = "Reasons")]
    attribution_every: Option<u64>,
    /// Examples of a batch on which the terms on reasons are computed, at most [default: 8]
    #[arg(long, value_name = "N", help_heading = "Reasons")]
    attribution_rows: Option<u64>,
    /// Share of the texts of each batch that come a second time with words masked, so that maskings are nothing new to
    /// the model; 0.5 is usual [default: 0]
    #[arg(long, value_name = "SHARE", help_heading = "Reasons")]
    masking: Option<f64>,
}

impl SettingFlags {
    /// The settings as written.
    #[must_use]
    pub(crate) fn raw(self) -> RawSettings {
        RawSettings {
            model: self.model,
            train: self.train,
            valid: self.valid,
            teacher: self.teacher,
            epochs: self.epochs,
            max_steps: self.max_steps,
            patience: self.patience,
            batch_size: self.batch_size,
            accumulate: self.accumulate,
            max_tokens: self.max_tokens,
            grouping: self.grouping,
            class_weights: self.class_weights,
            label_smoothing: self.label_smoothing,
            lr: self.lr,
            schedule: self.schedule,
            warmup: self.warmup,
            layer_decay: self.layer_decay,
            freeze: self.freeze,
            optimizer: self.optimizer,
            momentum: self.momentum,
            clip_norm: self.clip_norm,
            seed: self.seed,
            l1: self.l1,
            l1_form: self.l1_form,
            l1_exempt: self.l1_exempt,
            group_l1: self.group_l1,
            l2: self.l2,
            l2_form: self.l2_form,
            l2_anchor: self.l2_anchor,
            l2_exempt: self.l2_exempt,
            kd_alpha: self.kd_alpha,
            kd_temperature: self.kd_temperature,
            rrr: self.rrr,
            avoid: self.avoid,
            consistency: self.consistency,
            consistency_to: self.consistency_to,
            attribution_every: self.attribution_every,
            attribution_rows: self.attribution_rows,
            masking: self.masking,
            eval_every: self.eval_every,
            checkpoint_every: self.checkpoint_every,
            keep: self.keep,
            probe: self.probe,
            probe_data: self.probe_data,
            probe_share: self.probe_share,
            threads: self.threads,
            device: self.device,
            precision: self.precision,
            run_dir: self.run_dir,
        }
    }
}

/// A parser of the values called `names`, which are those of a settings file.
fn named<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(name.into()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Action, Cli};

    fn parse(rest: &str) -> RawSettings {
        let cli = Cli::try_parse_from(format!("pellucid train {rest}").trim().split(' ')).unwrap();
        let Some(Action::Train(train)) = cli.action else { panic!("{cli:?}") };
        train.settings.raw()
    }

    #[test]
    fn every_setting_has_its_flag() {
        let raw = parse(
            "--model a --train b --valid c --teacher d --epochs 1 --batch-size 2 --max-tokens 3 --grouping length --lr 4 \
             --optimizer sgd --momentum 5 --clip-norm 6 --warmup 7 --seed 8 --l1 9 --l1-form subgradient --l2 10 \
             --l2-form coupled --kd-alpha 11 --kd-temperature 12 --eval-every 13 --probe 14 --threads 15 \
             --device cuda:1 --run-dir e --patience 16 --accumulate 17 --class-weights a=1 --label-smoothing 18 \
             --schedule cosine --layer-decay 19 --freeze layers:2 --checkpoint-every 20 --keep 21 --precision bf16 \
             --l1-exempt none --group-l1 22 --l2-anchor start --l2-exempt biases --rrr 23 --avoid a,b --consistency 24 \
             --consistency-to start --attribution-every 25 --attribution-rows 26 --masking 27 --probe-share 28 --probe-data f",
        );
        let written = serde_json::to_value(&raw).unwrap();
        let left_out: Vec<_> = written.as_object().unwrap().iter().filter(|(_, value)| value.is_null()).collect();
        assert_eq!(left_out.len(), 1, "all but max_steps: {left_out:?}");
        assert_eq!(parse("--max-steps 5").max_steps, Some(5));
    }

    #[test]
    fn a_number_below_zero_reaches_the_check() {
        assert_eq!(parse("--l1 -1").check().unwrap_err().to_string(), "--l1: must be 0 or more, not -1");
        assert_eq!(parse("--lr=-1e-3").lr, Some(-1e-3));
    }
}
