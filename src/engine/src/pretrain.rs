//! Masked language modelling on plain texts: trains a small model from scratch, or adapts one to a domain.

use std::path::PathBuf;

use pellucid_files::bounded;
use pellucid_intake::model_folder::place;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::model_folder::weights::ModelWeights;
use pellucid_protocol::settings::ScheduleKind;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

use crate::data::batch::Batch;
use crate::data::layout::PadTokens;
use crate::data::order::BatchPlan;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::data::tokens::TokenRow;
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;
use crate::model::layers::dropout::Dropout;
use crate::model::masked_lm::MaskedLm;
use crate::model::weights::init::initialise;
use crate::model::weights::load;
use crate::model::weights::params::check_memory;
use crate::model::weights::save::{SaveRequest, Storage, save};
use crate::model::weights::spec::{Group, ParamSpec};
use crate::train::optimiser::gradient::Gradient;
use crate::train::optimiser::penalty::Penalty;
use crate::train::optimiser::schedule::Schedule;
use crate::train::optimiser::{LeafRule, Optimiser, OptimiserForm, StepRule};

/// The share of tokens that the model has to guess (Devlin et al. 2019, section 3.1).
const CHOSEN: f64 = 0.15;
/// The share of these that is masked; half of the rest becomes a random token, half stays.
const MASKED: f64 = 0.8;
/// One text in so many is held out: it measures and does not train.
const HELD_OUT: usize = 20;

/// What to pretrain and how.
#[derive(Debug, Clone)]
pub struct PretrainRequest {
    /// Folder with `config.json` and `tokenizer.json`; training starts from its weights if it has any.
    pub model: PathBuf,
    /// The file of texts, one a line.
    pub texts: PathBuf,
    /// Folder to write: a new or empty one, or one that an earlier save has written.
    pub out: PathBuf,
    /// Passes over the texts.
    pub epochs: u64,
    /// Texts a step.
    pub batch_size: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Longest text in tokens.
    pub max_tokens: usize,
    /// Share of activations dropped while pretraining, whatever `config.json` says for fine-tuning.
    pub dropout: f64,
    /// Seed of weights, order, masks and dropout.
    pub seed: u64,
    /// How weights are stored.
    pub storage: Storage,
}

/// A batch with some tokens hidden.
struct Puzzle {
    batch: Batch,
    places: Tensor,
    answers: Tensor,
}

/// Pretrains and writes the folder. `report` gets lines with the step and the loss in nats, and at the end of an epoch with
/// the mean loss on the held-out texts.
///
/// # Errors
/// When the texts or the folders are not what they should be; that of `out` is said before anything is read.
pub fn pretrain(request: &PretrainRequest, report: &mut dyn FnMut(&str)) -> Result<f64> {
    place::check(&request.out, &request.model)?;
    let config = config(request)?;
    let encoder = TextEncoder::load(&request.model, request.max_tokens)?;
    let tokenizer = TokenizerFiles::read(&request.model)?;
    let (train, held_out) = texts(request, &encoder)?;
    let model = model(request, config)?;
    let plan = BatchPlan {
        batch_size: request.batch_size,
        grouping: pellucid_protocol::settings::Grouping::Length,
        seed: request.seed,
    };
    let lengths: Vec<u32> = train.iter().map(|row| row.ids.len() as u32).collect();
    let total = request.epochs * plan.batches(train.len()) as u64;
    let schedule =
        Schedule { kind: ScheduleKind::Linear, peak: request.lr, warmup: Schedule::rise(0.06, total), total };
    let mut optimiser = Optimiser::new(OptimiserForm::default(), model.params(), &decayed);
    let mut random = ChaCha8Rng::seed_from_u64(request.seed);
    let (mut step, mut last) = (0, f64::NAN);
    for epoch in 0..request.epochs {
        for indices in plan.epoch(epoch, &lengths) {
            let rows: Vec<&Encoded> = indices.iter().map(|&index| &train[index]).collect();
            let puzzle = puzzle(&rows, &encoder, &mut random);
            let drop = Dropout::of_step(request.seed, step);
            let loss = learn(&model, &puzzle, &mut optimiser, schedule.rate(step), drop)?;
            step += 1;
            if step % 50 == 0 {
                report(&format!("step {step}/{total}  loss {loss:.3}"));
            }
        }
        last = measure(&model, &held_out, &encoder, request)?;
        report(&format!("epoch {}/{}  held-out loss {last:.3}", epoch + 1, request.epochs));
    }
    let config = model.config().for_masked_lm();
    let folder = SaveRequest {
        params: model.params(),
        config: &config,
        tokenizer: &tokenizer,
        storage: request.storage,
        checkpoint: None,
    };
    save(&request.out, folder)?;
    Ok(last)
}

fn texts(request: &PretrainRequest, encoder: &TextEncoder) -> Result<(Vec<Encoded>, Vec<Encoded>)> {
    let content =
        bounded::read_text(&request.texts, bounded::LINES).map_err(|error| Error::file(&request.texts, error))?;
    let lines: Vec<_> = content.lines().filter(|line| !line.trim().is_empty()).map(|line| (line, None)).collect();
    if lines.len() < 2 * HELD_OUT {
        return Err(Error::file(
            &request.texts,
            format!("has {} texts; {} or more are needed", lines.len(), 2 * HELD_OUT),
        ));
    }
    let encoded = encoder.encode(&lines)?;
    let (held_out, train): (Vec<_>, Vec<_>) =
        encoded.into_iter().enumerate().partition(|(index, _)| index % HELD_OUT == 0);
    let rows = |pairs: Vec<(usize, Encoded)>| pairs.into_iter().map(|(_, row)| row).collect();
    Ok((rows(train), rows(held_out)))
}

/// The configuration of the model, if it is one that can be pretrained.
fn config(request: &PretrainRequest) -> Result<ModelConfig> {
    let mut config = ModelConfig::load(&request.model)?;
    if config.family() != "bert" {
        let message = format!("pretraining a `{}` is not supported; supported is bert", config.family());
        return Err(Error::file(&request.model, message));
    }
    config.architecture = config.architecture.with_dropout(request.dropout);
    Ok(config)
}

fn model(request: &PretrainRequest, config: ModelConfig) -> Result<MaskedLm> {
    let specs = MaskedLm::specs(&config.architecture);
    let params = if ModelWeights::are_in(&request.model) {
        let fresh = |spec: &ParamSpec| spec.name.starts_with("cls.");
        load::load(&request.model, &config.architecture.names, specs, &fresh, request.seed)?.params
    } else {
        check_memory(&specs).map_err(|message| Error::file(&request.model, message))?;
        initialise(specs, request.seed)
    };
    Ok(MaskedLm::trainable(config, params.to_device(Device::cuda_if_available())))
}

/// Decay acts on matrices and tables, not on biases and norms.
fn decayed(spec: &ParamSpec) -> LeafRule {
    LeafRule { l1: false, l2: !matches!(spec.group, Group::Biases | Group::Norms), rate: 1.0 }
}

/// Hides tokens of `rows`: never special ones, at least one in the batch.
fn puzzle(rows: &[&Encoded], encoder: &TextEncoder, random: &mut ChaCha8Rng) -> Puzzle {
    let mut hidden: Vec<Encoded> = rows.iter().map(|&row| row.clone()).collect();
    let mut chosen = Vec::new();
    for (number, row) in hidden.iter_mut().enumerate() {
        for at in 0..row.ids.len() {
            if row.special[at] || random.random::<f64>() >= CHOSEN {
                continue;
            }
            chosen.push((number, at, row.ids[at]));
            let draw = random.random::<f64>();
            if draw < MASKED {
                row.ids[at] = encoder.mask().id;
            } else if draw < MASKED + (1.0 - MASKED) / 2.0 {
                row.ids[at] = random.random_range(0..encoder.vocabulary() as i64);
            }
        }
    }
    if chosen.is_empty() {
        // The first token after the opening special one; a guess about nothing has no gradient.
        let at = 1.min(rows[0].ids.len() - 1);
        chosen.push((0, at, rows[0].ids[at]));
    }
    let device = Device::cuda_if_available();
    let rows_hidden = hidden.into_iter().map(TokenRow::from).collect::<Vec<_>>();
    // Pretraining is for BERT, whose padding token is a token like any other.
    let batch = Batch::new(&rows_hidden, PadTokens::Alike, device);
    let (rows, at, answers) = unzip(&chosen);
    let on_device = |values: &[i64]| Tensor::from_slice(values).to_device(device);
    let places = batch.layout.firsts.index_select(0, &on_device(&rows)) + on_device(&at);
    Puzzle { batch, places, answers: on_device(&answers) }
}

fn unzip(chosen: &[(usize, usize, i64)]) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let part = |of: fn(&(usize, usize, i64)) -> i64| chosen.iter().map(of).collect();
    (part(|c| c.0 as i64), part(|c| c.1 as i64), part(|c| c.2))
}

fn loss(model: &MaskedLm, puzzle: &Puzzle, drop: &mut Dropout) -> Tensor {
    let logits = model.logits(&puzzle.batch, &puzzle.places, drop);
    logits.cross_entropy_loss::<Tensor>(&puzzle.answers, None, Reduction::Mean, -100, 0.0)
}

fn learn(model: &MaskedLm, puzzle: &Puzzle, optimiser: &mut Optimiser, rate: f64, mut drop: Dropout) -> Result<f64> {
    let params = model.params();
    let loss = loss(model, puzzle, &mut drop);
    let gradient = Gradient::of(&loss, params, None)?;
    let penalty = Penalty { l1: 0.0, l1_form: Default::default(), l2: 0.01, l2_form: Default::default() };
    let norm = optimiser.norms(params, &gradient, &penalty).total;
    let value = loss.double_value(&[]);
    if !value.is_finite() || !norm.is_finite() {
        return Err(Error::Setting { key: "--lr", message: format!("the loss became {value}; lower it") });
    }
    optimiser.step(params, gradient, StepRule { rate, clip_norm: 1.0, norm, penalty });
    Ok(value)
}

/// Mean loss on the held-out texts, always with the same masks.
fn measure(model: &MaskedLm, rows: &[Encoded], encoder: &TextEncoder, request: &PretrainRequest) -> Result<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(request.seed ^ 0x5eed);
    let (mut sum, mut count) = (0.0, 0.0);
    for chunk in rows.chunks(64) {
        let puzzle = puzzle(&chunk.iter().collect::<Vec<_>>(), encoder, &mut random);
        let size = puzzle.places.size()[0] as f64;
        let value = no_grad(|| loss(model, &puzzle, &mut Dropout::Off));
        sum += f64::try_from(value.to_kind(Kind::Double))? * size;
        count += size;
    }
    if !sum.is_finite() {
        return Err(Error::Setting { key: "--lr", message: format!("the held-out loss became {sum}; lower it") });
    }
    Ok(sum / f64::max(count, 1.0))
}
