//! AdamW and SGD over the flat buffer of weights, with L1 and L2 in the optimiser's own metric: one pass on the CPU, tensor
//! operations on a GPU.

mod cpu;
mod device;
pub mod gradient;
pub mod kernel;
mod moment_layout;
pub mod penalty;
pub mod prunable_units;
pub mod rules;
pub mod schedule;

pub use self::device::{Gate, SquaredNorms};

use pellucid_protocol::settings::{Anchor, OptimizerKind};
use tch::{Kind, Tensor, no_grad};

use self::gradient::Gradient;
use self::kernel::{Coefficients, EPSILON};
use self::moment_layout::MomentLayout;
use self::penalty::{Penalty, PenaltyValues};
use self::prunable_units::{PrunableUnits, group_shrinkage};
use crate::host::numbers;
use crate::model::weights::params::FlatParams;
use crate::model::weights::spec::ParamSpec;

/// What a step needs besides the gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRule {
    /// Learning rate of this step.
    pub rate: f64,
    /// Norm to which the gradient is clipped; 0 for no clipping.
    pub clip_norm: f64,
    /// Norm of the gradient before clipping, see [`Optimiser::norms`]; unused with a [`Gate`].
    pub norm: f64,
    /// The penalties.
    pub penalty: Penalty,
}

/// The norms of a gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNorms {
    /// The norm over all parameters.
    pub total: f64,
    /// The norm over the parameters of each encoder layer.
    pub layers: Vec<f64>,
}

impl GradientNorms {
    /// From sums of squares: over everything, and over each layer.
    fn of(total: f64, layers: impl IntoIterator<Item = f64>) -> Self {
        Self { total: total.sqrt(), layers: layers.into_iter().map(f64::sqrt).collect() }
    }
}

/// The number of encoder layers.
fn layer_count(params: &FlatParams) -> usize {
    params.specs().iter().filter_map(|spec| spec.layer).max().map_or(0, |last| last + 1)
}

/// What the optimiser may do to one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeafRule {
    /// Whether L1 acts on it.
    pub l1: bool,
    /// Whether L2 acts on it.
    pub l2: bool,
    /// Its share of the learning rate; 0 for a frozen one.
    pub rate: f64,
}

impl LeafRule {
    /// Whether the parameter is frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.rate == 0.0
    }
}

/// An optimiser with its moments: one number each for every weight that trains.
#[derive(Debug)]
pub struct Optimiser {
    form: OptimiserForm,
    rules: Vec<LeafRule>,
    layout: MomentLayout,
    /// Adam's mean of gradients, SGD's velocity.
    first: Tensor,
    /// Adam's mean of squared gradients.
    second: Option<Tensor>,
    /// The weights that L2 pulls towards; `None` for zero.
    anchor: Option<Tensor>,
    steps: u64,
    /// The rows of the word embeddings that have had a gradient; a step leaves all others as they are.
    touched: Vec<bool>,
}

/// A state that is not that of this optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is of another model or optimiser")]
pub struct OtherState;

/// Which optimiser.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OptimiserForm {
    /// Its name.
    pub kind: OptimizerKind,
    /// Momentum of SGD.
    pub momentum: f64,
    /// What L2 pulls the weights towards.
    pub anchor: Anchor,
}

impl Optimiser {
    /// An optimiser for `params` at its start; `rule` gives the rule of each.
    #[must_use]
    pub fn new(form: OptimiserForm, params: &FlatParams, rule: &dyn Fn(&ParamSpec) -> LeafRule) -> Self {
        let rules: Vec<LeafRule> = params.specs().iter().map(rule).collect();
        let layout = MomentLayout::new(params, &rules);
        let zeros = || Tensor::zeros([layout.size()], (Kind::Float, params.weights().device()));
        Self {
            first: zeros(),
            second: (form.kind == OptimizerKind::Adamw).then(zeros),
            anchor: (form.anchor == Anchor::Start).then(|| no_grad(|| layout.gather(&params.weights().detach()))),
            rules,
            layout,
            steps: 0,
            touched: Vec::new(),
            form,
        }
    }

    /// The rules, in the order of the parameters.
    #[must_use]
    pub fn rules(&self) -> &[LeafRule] {
        &self.rules
    }

    /// What has to be kept to go on later: steps done, and for each weight that trains its moments and anchor.
    #[must_use]
    pub fn state(&self) -> (u64, Vec<&Tensor>) {
        (self.steps, std::iter::once(&self.first).chain(&self.second).chain(&self.anchor).collect())
    }

    /// Goes on from a state that was kept.
    ///
    /// # Errors
    /// When it is that of another model or optimiser: nothing is changed.
    pub fn restore(&mut self, steps: u64, kept: &[Tensor]) -> Result<(), OtherState> {
        let kept: Option<Vec<Tensor>> = kept.iter().map(|kept| self.layout.adopt(kept)).collect();
        let kept = kept.filter(|kept| kept.len() == self.state().1.len()).ok_or(OtherState)?;
        let mine = std::iter::once(&mut self.first).chain(&mut self.second).chain(&mut self.anchor);
        no_grad(|| mine.zip(&kept).for_each(|(mine, kept)| mine.copy_(kept)));
        self.steps = steps;
        self.touched.clear();
        Ok(())
    }

    /// One step on `params`, which are on the CPU; gives the penalties before it.
    pub fn step(&mut self, params: &FlatParams, gradient: Gradient, rule: StepRule) -> PenaltyValues {
        self.steps += 1;
        let gradient = self.joined(params, gradient, &rule.penalty);
        self.step_on_cpu(params, &gradient, rule)
    }

    /// The gradient with the rows of word embeddings merged into the dense part if a penalty moves every row of the table: then
    /// no row can be left out of the norm or of a step.
    #[must_use]
    pub fn joined(&self, params: &FlatParams, gradient: Gradient, penalty: &Penalty) -> Gradient {
        match gradient.words.as_ref().map(|words| words.table) {
            Some(table) if self.is_penalised(table, penalty) => gradient.densified(params),
            _ => gradient,
        }
    }

    fn is_penalised(&self, leaf: usize, penalty: &Penalty) -> bool {
        let rule = self.rules[leaf];
        (rule.l1 && penalty.l1 > 0.0) || (rule.l2 && penalty.l2 > 0.0)
    }

    /// Applies the proximal operator of the group lasso to heads and neurons, after a step. The penalty is the sum of the
    /// norms of their weights, each times the square root of their number; its factor `threshold` is the learning rate times
    /// lambda. On a device, only if `gate` let the step be taken.
    pub fn shrink_units(&mut self, params: &FlatParams, units: &PrunableUnits, threshold: f64, gate: Option<&Gate>) {
        let weights = params.weights().detach();
        no_grad(|| {
            for block in units.blocks() {
                let rule = self.rules[block.leaf];
                if rule.is_frozen() || self.rules[block.columns_leaf].is_frozen() {
                    continue;
                }
                let gathered = block.gather(&weights);
                let metric = match &self.second {
                    Some(second) => {
                        self.layout.of_block(block).gather(second).sqrt() * self.unbias() + f64::from(EPSILON)
                    }
                    None => gathered.ones_like(),
                };
                let t = threshold * rule.rate * self.lasting() * (block.weights() as f64).sqrt();
                let factors = group_shrinkage(&gathered, &metric, t);
                block.scale(&weights, &gate.map_or_else(|| factors.shallow_clone(), |gate| gate.or(&factors, 1.0)));
            }
        });
    }

    /// For Adam: one over the root of the second bias correction.
    fn unbias(&self) -> f64 {
        1.0 / (1.0 - 0.999f64.powi(self.steps.min(i32::MAX as u64) as i32)).sqrt()
    }

    /// How much a gradient moves a weight in all, in learning rates. With momentum that is 1 / (1 - momentum), and a threshold
    /// must be scaled alike.
    fn lasting(&self) -> f64 {
        if self.form.kind == OptimizerKind::Sgd { 1.0 / (1.0 - self.form.momentum) } else { 1.0 }
    }

    /// The numbers of the step for a parameter under the rule `leaf`.
    fn coefficients(&self, rule: &StepRule, leaf: &LeafRule) -> Coefficients {
        let rate = rule.rate * leaf.rate;
        let clipped = rule.clip_norm > 0.0 && rule.norm > rule.clip_norm;
        // torch's clip_grad_norm_ adds the same small number.
        let clip = if clipped { rule.clip_norm / (rule.norm + 1e-6) } else { 1.0 };
        let l1 = |lambda: f64| if leaf.l1 { lambda } else { 0.0 };
        let l2 = |lambda: f64| if leaf.l2 { lambda } else { 0.0 };
        let steps = self.steps.min(i32::MAX as u64) as i32;
        let adam_rate = rate / (1.0 - 0.9f64.powi(steps));
        Coefficients {
            clip: clip as f32,
            l1_gradient: l1(rule.penalty.subgradient()) as f32,
            l2_gradient: (2.0 * l2(rule.penalty.coupled())) as f32,
            decay: (rate * l2(rule.penalty.decay())) as f32,
            rate: if self.form.kind == OptimizerKind::Adamw { adam_rate } else { rate } as f32,
            unbias: self.unbias() as f32,
            threshold: (rate * l1(rule.penalty.proximal()) * self.lasting()) as f32,
            momentum: self.form.momentum as f32,
        }
    }

    /// Marks the rows of word embeddings that have a gradient now. Rows with moments have had one before.
    fn touch(&mut self, params: &FlatParams, gradient: &Gradient) {
        let Some(words) = &gradient.words else { return };
        if self.touched.is_empty() {
            let table = &params.specs()[words.table];
            let size = table.shape[1] as usize;
            // The first moment of a row fades to zero long before the second.
            let moments = numbers(self.second.as_ref().unwrap_or(&self.first));
            let moments = &moments[self.layout.start(words.table) as usize..][..table.len() as usize];
            self.touched = moments.chunks(size).map(|row| row.iter().any(|&m| m != 0.0)).collect();
        }
        words.rows.iter().for_each(|&row| self.touched[row] = true);
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::{L1Form, L2Form};
    use tch::{Device, Kind};

    use super::*;
    use crate::model::architecture::Presence;
    use crate::model::weights::spec::{Group, SpecList};

    const NO_PENALTY: Penalty = Penalty { l1: 0.0, l1_form: L1Form::Proximal, l2: 0.0, l2_form: L2Form::Decoupled };

    fn params(values: &[f32]) -> FlatParams {
        let mut list = SpecList::default();
        list.bias("w", values.len() as i64);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        params.set("w", &Tensor::from_slice(values));
        params.train(&|_| false);
        params
    }

    fn both(_: &ParamSpec) -> LeafRule {
        LeafRule { l1: true, l2: true, rate: 1.0 }
    }

    /// Steps on 0.5 |w - b|^2, on this device's path or on the other one's.
    fn run_on(kind: OptimizerKind, penalty: Penalty, steps: usize, path: Path) -> Vec<f32> {
        let params = params(&[1.0, -0.5, 0.02]);
        let mut optimiser = Optimiser::new(OptimiserForm { kind, momentum: 0.9, ..Default::default() }, &params, &both);
        for _ in 0..steps {
            let target = Tensor::from_slice(&[0.2f32, -0.4, 0.0]);
            let loss = (params.view("w") - target).square().sum(Kind::Float) * 0.5;
            let gradient = Gradient::of(&loss, &params, None).unwrap();
            let rule = |norm| StepRule { rate: 0.05, clip_norm: 0.3, norm, penalty };
            match path {
                Path::Cpu => {
                    let norm = optimiser.norms(&params, &gradient, &penalty).total;
                    optimiser.step(&params, gradient, rule(norm));
                }
                Path::Device => {
                    let norm = optimiser.squares(&params, &gradient, &penalty).total.to_kind(Kind::Double).sqrt();
                    let gate = Gate::new(&norm.isfinite(), &norm, 0.3);
                    optimiser.step_gated(&params, gradient, rule(f64::NAN), &gate);
                }
            }
        }
        params.weights().try_into().unwrap()
    }

    #[derive(Clone, Copy)]
    enum Path {
        Cpu,
        Device,
    }

    fn run(kind: OptimizerKind, penalty: Penalty, steps: usize) -> Vec<f32> {
        let found = run_on(kind, penalty, steps, Path::Cpu);
        let other = run_on(kind, penalty, steps, Path::Device);
        assert!(found.iter().zip(&other).all(|(a, b)| (a - b).abs() < 2e-6), "{found:?} is not {other:?}");
        found
    }

    fn close(values: &[f32], expected: &[f64]) {
        let far = values.iter().zip(expected).any(|(&value, wanted)| (f64::from(value) - wanted).abs() > 2e-6);
        assert!(!far, "{values:?} is not {expected:?}");
    }

    // torch 2.11.0: five steps of torch.optim.AdamW / SGD on the same loss, lr .05, clip_grad_norm_ .3.
    #[test]
    fn steps_equal_torch() {
        close(&run(OptimizerKind::Adamw, NO_PENALTY, 5), &ADAMW);
        close(&run(OptimizerKind::Adamw, Penalty { l2: 0.1, ..NO_PENALTY }, 5), &ADAMW_DECAY);
        close(&run(OptimizerKind::Sgd, NO_PENALTY, 5), &SGD);
        // Coupled: lambda * sum of squares is part of torch's loss, and clipped with it.
        close(&run(OptimizerKind::Sgd, Penalty { l2: 0.1, l2_form: L2Form::Coupled, ..NO_PENALTY }, 5), &SGD_COUPLED);
    }

    const ADAMW: [f64; 3] = [0.7499585, -0.3475044, 0.0147415];
    const ADAMW_DECAY: [f64; 3] = [0.7276985, -0.3461423, 0.0140179];
    const SGD: [f64; 3] = [0.8044214, -0.4755527, 0.0151105];
    const SGD_COUPLED: [f64; 3] = [0.8067210, -0.4613442, 0.0153613];

    #[test]
    fn the_proximal_form_reaches_the_lasso_and_the_subgradient_form_no_zero() {
        // argmin 0.5 (w - b)^2 + 0.1 |w| = soft(b, 0.1) = [0.1, -0.3, 0].
        for kind in [OptimizerKind::Adamw, OptimizerKind::Sgd] {
            let proximal = run(kind, Penalty { l1: 0.1, ..NO_PENALTY }, 4000);
            let expected = [0.1f32, -0.3, 0.0];
            assert!(proximal.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-3), "{kind:?}: {proximal:?}");
            assert_eq!(proximal[2], 0.0);
            let form = Penalty { l1: 0.1, l1_form: L1Form::Subgradient, ..NO_PENALTY };
            assert_ne!(run_on(kind, form, 4000, Path::Cpu)[2], 0.0);
        }
    }

    #[test]
    fn l2_draws_to_where_the_weights_started_when_told_to() {
        let params = params(&[1.0, -0.5, 0.02]);
        let form = OptimiserForm { kind: OptimizerKind::Sgd, momentum: 0.0, anchor: Anchor::Start };
        let mut optimiser = Optimiser::new(form, &params, &both);
        let _ = no_grad(|| params.weights().shallow_clone().fill_(3.0));
        let nothing = || Gradient { dense: vec![None], words: None };
        let penalty = Penalty { l2: 1.0, l2_form: L2Form::Coupled, ..NO_PENALTY };
        for _ in 0..200 {
            let norm = optimiser.norms(&params, &nothing(), &penalty).total;
            optimiser.step(&params, nothing(), StepRule { rate: 0.05, clip_norm: 0.0, norm, penalty });
        }
        let found: Vec<f32> = params.weights().try_into().unwrap();
        assert!(found.iter().zip([1.0, -0.5, 0.02]).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?}");
    }

    #[test]
    fn rules_exempt_slow_down_and_freeze() {
        let mut list = SpecList::default();
        list.linear("head", [2, 2], Presence::Present);
        list.begin_layer(0, false);
        list.linear("layer", [2, 2], Presence::Present);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        let _ = no_grad(|| params.weights().shallow_clone().fill_(1.0));
        params.train(&|_| false);
        let rule = |spec: &ParamSpec| match spec.group {
            Group::Encoder => LeafRule { l1: true, l2: false, rate: 0.5 },
            Group::Head => LeafRule { l1: false, l2: true, rate: 1.0 },
            _ => LeafRule { l1: true, l2: true, rate: 0.0 },
        };
        let mut optimiser =
            Optimiser::new(OptimiserForm { kind: OptimizerKind::Sgd, ..Default::default() }, &params, &rule);
        let nothing = Gradient { dense: vec![None, None, None, None], words: None };
        let penalty = Penalty { l1: 0.2, l2: 0.1, ..NO_PENALTY };
        let values = optimiser.step(&params, nothing, StepRule { rate: 1.0, clip_norm: 0.0, norm: 0.0, penalty });
        let of = |name: &str| params.view(name).double_value(&[0]);
        assert!((params.view("layer.weight").double_value(&[0, 0]) - 0.9).abs() < 1e-6);
        assert!((params.view("head.weight").double_value(&[0, 0]) - 0.9).abs() < 1e-6);
        assert_eq!((of("layer.bias"), of("head.bias")), (1.0, 1.0));
        assert!((values.l1 - 0.2 * 4.0).abs() < 1e-6 && values.l2 == 0.0);
    }

    #[test]
    fn the_norm_of_each_layer_is_that_of_its_own_gradient() {
        let mut list = SpecList::default();
        list.table("words", 4, 2);
        for layer in 0..2 {
            list.begin_layer(layer, false);
            list.linear(&format!("layer.{layer}"), [2, 2], Presence::Present);
            list.end_layers();
        }
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        let _ = no_grad(|| params.weights().shallow_clone().fill_(1.0));
        params.train(&|_| false);
        let rule = |_: &ParamSpec| LeafRule { l1: true, l2: true, rate: 1.0 };
        let optimiser = Optimiser::new(OptimiserForm::default(), &params, &rule);
        let full = |index: usize, value: f64| Some(params.leaves()[index].detach().full_like(value));
        // The matrices of the layers, the table, and the biases, of which the second has no gradient.
        let values = [Some(2.0), Some(-4.0), Some(7.0), Some(3.0), None];
        let dense: Vec<_> = (0..5).map(|index| values[index].and_then(|value| full(index, value))).collect();
        let gradient = Gradient { dense, words: None };
        let squares = optimiser.squares(&params, &gradient, &NO_PENALTY);
        let layers = squares.layers.iter().map(|square| square.double_value(&[]));
        for norms in [
            optimiser.norms(&params, &gradient, &NO_PENALTY),
            GradientNorms::of(squares.total.double_value(&[]), layers),
        ] {
            let expected = [4.0 * 4.0 + 2.0 * 9.0, 4.0 * 16.0].map(f64::sqrt);
            assert!(norms.layers.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{norms:?}");
            assert!((norms.total - (8.0 * 49.0 + 34.0 + 64.0f64).sqrt()).abs() < 1e-5 && norms.layers.len() == 2);
        }
    }

    #[test]
    fn rows_that_never_had_a_gradient_cost_nothing_and_the_others_are_as_if_dense() {
        let made = || {
            let mut list = SpecList::default();
            list.table("words", 6, 3);
            let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
            let _ = no_grad(|| params.weights().shallow_clone().fill_(0.5));
            params.train(&|_| false);
            let rule = |_: &ParamSpec| LeafRule { l1: false, l2: false, rate: 1.0 };
            let optimiser = Optimiser::new(OptimiserForm::default(), &params, &rule);
            (params, optimiser)
        };
        let ((sparse, mut with_rows), (dense, mut without)) = (made(), made());
        for rows in [vec![1usize, 4], vec![2], vec![], vec![1]] {
            let gradient = || {
                let values = Tensor::full([rows.len() as i64, 3], 0.3, (Kind::Float, Device::Cpu));
                let words = super::gradient::RowGradient { table: 0, rows: rows.clone(), values };
                Gradient { dense: vec![None], words: Some(words) }
            };
            let rule = StepRule { rate: 0.1, clip_norm: 0.0, norm: 0.0, penalty: NO_PENALTY };
            with_rows.step(&sparse, gradient(), rule);
            without.step(&dense, gradient().densified(&dense), rule);
        }
        let flat = |params: &FlatParams| Vec::<f32>::try_from(params.weights()).unwrap();
        assert_eq!(flat(&sparse), flat(&dense));
        assert_eq!(with_rows.touched, [false, true, true, false, true, false]);
    }

    #[test]
    fn penalties_on_words_count_in_the_norm_whether_or_not_a_word_occurs() {
        let mut list = SpecList::default();
        list.table("words", 6, 3);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        let _ = no_grad(|| params.weights().shallow_clone().fill_(0.5));
        params.train(&|_| false);
        let optimiser = Optimiser::new(OptimiserForm::default(), &params, &both);
        let penalty = Penalty { l2: 0.2, l2_form: L2Form::Coupled, ..NO_PENALTY };
        let values = Tensor::full([2, 3], 0.3, (Kind::Float, Device::Cpu));
        let words = super::gradient::RowGradient { table: 0, rows: vec![1, 4], values };
        let gradient = optimiser.joined(&params, Gradient { dense: vec![None], words: Some(words) }, &penalty);
        // 2 lambda w = 0.2 in each of 18 weights, and 0.3 more in six of them.
        let expected = (12.0 * 0.04 + 6.0 * 0.25f64).sqrt();
        let on_device = optimiser.squares(&params, &gradient, &penalty).total.double_value(&[]).sqrt();
        for norm in [optimiser.norms(&params, &gradient, &penalty).total, on_device] {
            assert!((norm - expected).abs() < 1e-5, "{norm} is not {expected}");
        }
    }
}
