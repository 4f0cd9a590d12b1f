//! The L1 and L2 penalties on the weights.

use pellucid_protocol::settings::{L1Form, L2Form};

use crate::train::measured::Quantity;

/// The metric of L1.
pub const L1: &str = "loss/l1";
/// The metric of coupled L2.
pub const L2: &str = "loss/l2";

/// The penalties of a run, as they are now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Lambda of L1.
    pub l1: f64,
    /// How L1 is applied.
    pub l1_form: L1Form,
    /// Lambda of L2.
    pub l2: f64,
    /// How L2 is applied.
    pub l2_form: L2Form,
}

/// What the penalties come to at the weights before a step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PenaltyValues {
    /// lambda * sum |w|.
    pub l1: f64,
    /// lambda * sum (w - anchor)^2, if it is a term of the loss.
    pub l2: f64,
}

impl PenaltyValues {
    /// Those that `penalty` makes terms of the loss.
    #[must_use]
    pub fn terms(self, penalty: &Penalty) -> Vec<(Quantity, f64)> {
        let l1 = (penalty.l1 > 0.0).then(|| (Quantity::penalty(L1), self.l1));
        let l2 = penalty.l2_in_loss().then(|| (Quantity::penalty(L2), self.l2));
        l1.into_iter().chain(l2).collect()
    }
}

impl Penalty {
    /// Whether L2 is a term of the loss: decoupled decay is none, it acts beside the loss.
    #[must_use]
    pub fn l2_in_loss(&self) -> bool {
        self.l2 > 0.0 && self.l2_form == L2Form::Coupled
    }

    /// The lambda of L1 that is part of the gradient.
    #[must_use]
    pub fn subgradient(&self) -> f64 {
        if self.l1_form == L1Form::Subgradient { self.l1 } else { 0.0 }
    }

    /// The lambda of the proximal operator.
    #[must_use]
    pub fn proximal(&self) -> f64 {
        if self.l1_form == L1Form::Proximal { self.l1 } else { 0.0 }
    }

    /// The lambda of coupled L2.
    #[must_use]
    pub fn coupled(&self) -> f64 {
        if self.l2_form == L2Form::Coupled { self.l2 } else { 0.0 }
    }

    /// The lambda of decoupled decay.
    #[must_use]
    pub fn decay(&self) -> f64 {
        if self.l2_form == L2Form::Decoupled { self.l2 } else { 0.0 }
    }
}
