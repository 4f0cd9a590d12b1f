//! Attention rollout: which words the vector of the head is mixed from, if nothing but attention mixed them.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Method};

use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::{Answer, Attention, AttentionMatrix, OracleError, Slopes};

/// [`Method::Rollout`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::Rollout, Scalar::Attention, Removes::Nothing, Work { score, cost: |_, _| 1.0 });

fn score(Text { explainer, oracle, context, .. }: Text) -> Answer<Attribution> {
    let scores = attention_rollout(oracle)?;
    Ok(Attribution { evaluations: usize::from(!scores.is_empty()), scores, ..explainer.blank(context) })
}

/// The share of each word in what the head reads, by attention alone. The shares of special tokens are left out, so the
/// scores add up to less than 1. A text without words has no scores.
///
/// Attention has no sign and no class, and ignores the values that it mixes. So this is the weak baseline that other
/// methods have to beat: on SST-2, plain attention ranks the words of some models worse than chance.
///
/// Source: Abnar and Zuidema 2020, arXiv 2005.00928, section 3, "attention rollout".
///
/// # Errors
/// When the oracle gives no answer, or one that is not proper attention.
pub fn attention_rollout(oracle: &mut dyn Slopes) -> Answer<Vec<f64>> {
    let words = oracle.words();
    if words == 0 {
        return Ok(Vec::new());
    }
    let attention = oracle.attention()?;
    let refused = || OracleError::Failed("the model gave no proper attention".to_owned());
    let shares = rollout(&attention).filter(|shares| shares.len() == attention.word_of_token.len());
    Ok(by_word(&shares.ok_or_else(refused)?, &attention.word_of_token, words))
}

/// The reader times A'_L ... A'_1, where A'_l is A_l / 2 + I / 2 with its rows normalised: the shares are not negative
/// and add up to 1, as those of the reader do. Without layers they are the reader's. `None` where a matrix is not
/// square of the reader's size, or has a number that is negative or not finite.
#[must_use]
pub fn rollout(attention: &Attention) -> Option<Vec<f64>> {
    let tokens = attention.reader.len();
    if !attention.layers.iter().all(|layer| is_attention(layer, tokens)) {
        return None;
    }
    // A row times matrices, from the last layer down: cheaper than the product of all matrices.
    Some(attention.layers.iter().rev().fold(attention.reader.clone(), |shares, layer| mixed(&shares, layer)))
}

/// Sums the shares of the tokens of each word.
fn by_word(shares: &[f64], word_of_token: &[Option<usize>], words: usize) -> Vec<f64> {
    let mut sums = vec![0.0; words];
    for (share, word) in shares.iter().zip(word_of_token) {
        if let Some(sum) = word.and_then(|word| sums.get_mut(word)) {
            *sum += share;
        }
    }
    sums
}

fn is_attention(layer: &AttentionMatrix, tokens: usize) -> bool {
    let is_share = |number: &f64| number.is_finite() && *number >= 0.0;
    layer.len() == tokens && layer.iter().all(|row| row.len() == tokens && row.iter().all(is_share))
}

/// A row of shares times A'.
fn mixed(shares: &[f64], layer: &AttentionMatrix) -> Vec<f64> {
    let mut next = vec![0.0; shares.len()];
    for (token, (share, row)) in shares.iter().zip(layer).enumerate() {
        let total = 1.0 + row.iter().sum::<f64>();
        next.iter_mut().zip(row).for_each(|(cell, number)| *cell += share * number / total);
        next[token] += share / total;
    }
    next
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use crate::fakes::{Cancelled, Smooth};

    fn rollout(layers: &[AttentionMatrix], tokens: usize, reader: usize) -> Option<Vec<f64>> {
        let reader = (0..tokens).map(|token| f64::from(u8::from(token == reader))).collect();
        super::rollout(&Attention { layers: layers.to_vec(), reader, word_of_token: vec![None; tokens] })
    }

    #[test]
    fn words_get_the_shares_of_their_tokens() {
        // The fake's only layer takes 1, 2, 3 and 4 tenths of the tokens, the first of which is special; half of
        // the mixture is the reader itself.
        let found = attention_rollout(&mut Smooth::linear(0.0, &[1.0, 2.0, 3.0])).unwrap();
        let close = found.iter().zip([0.1, 0.15, 0.2]).all(|(share, expected)| (share - expected).abs() < 1e-15);
        assert!(close && found.len() == 3, "{found:?}");
        assert_eq!(attention_rollout(&mut Smooth::linear(0.0, &[])), Ok(vec![]));
        assert_eq!(attention_rollout(&mut Cancelled), Err(OracleError::Cancelled));
    }

    #[test]
    fn a_head_that_reads_the_mean_has_the_mean_of_rows() {
        let layer = vec![vec![1.0, 0.0], vec![0.5, 0.5]];
        let reader = vec![0.5, 0.5];
        let found = super::rollout(&Attention { layers: vec![layer], reader, word_of_token: vec![None; 2] });
        assert_eq!(found, Some(vec![0.625, 0.375]));
    }

    #[test]
    fn two_layers_by_hand() {
        let even = vec![vec![0.5, 0.5], vec![0.5, 0.5]];
        let turned = vec![vec![0.0, 1.0], vec![1.0, 0.0]];
        assert_eq!(rollout(&[], 2, 1), Some(vec![0.0, 1.0]));
        assert_eq!(rollout(std::slice::from_ref(&even), 2, 0), Some(vec![0.75, 0.25]));
        // (1/2, 1/2) of the upper layer, each 3/4 and 1/4 of the lower.
        assert_eq!(rollout(&[even.clone(), turned.clone()], 2, 0), Some(vec![0.5, 0.5]));
        // Decoder: the first token sees itself alone.
        let causal = vec![vec![1.0, 0.0], vec![0.5, 0.5]];
        assert_eq!(rollout(&[causal.clone(), causal.clone()], 2, 0), Some(vec![1.0, 0.0]));
        assert_eq!(rollout(&[causal.clone(), causal], 2, 1), Some(vec![1.0 - 0.5625, 0.5625]));
    }

    #[test]
    fn rows_that_do_not_add_up_are_normalised() {
        let half = vec![vec![0.25, 0.25], vec![0.25, 0.25]];
        let found = rollout(&[half], 2, 0).unwrap();
        assert!((found[0] - 1.25 / 1.5).abs() < 1e-15 && (found.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn nonsense_is_refused() {
        let layer = |number: f64| vec![vec![vec![number, 0.5], vec![0.5, 0.5]]];
        assert!([f64::NAN, f64::INFINITY, -0.1].iter().all(|bad| rollout(&layer(*bad), 2, 0).is_none()));
        assert_eq!((rollout(&layer(0.5), 3, 0), rollout(&[], 0, 0)), (None, Some(vec![])));
        assert_eq!(rollout(&[vec![vec![1.0, 0.0], vec![1.0]]], 2, 0), None);
    }

    #[test]
    fn pieces_are_summed_and_special_tokens_left_out() {
        let words = by_word(&[0.4, 0.1, 0.2, 0.3], &[None, Some(0), Some(0), Some(1)], 2);
        assert!((words[0] - 0.3).abs() < 1e-15 && words[1] == 0.3);
        assert_eq!(by_word(&[], &[], 0), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn shares_are_shares_and_equal_the_product_of_matrices(
            numbers in prop::collection::vec(0.0..1.0_f64, 3 * 16), reader in 0..4_usize,
        ) {
            let layers: Vec<AttentionMatrix> =
                numbers.chunks(16).map(|layer| layer.chunks(4).map(<[f64]>::to_vec).collect()).collect();
            let found = rollout(&layers, 4, reader).unwrap();
            prop_assert!(found.iter().all(|share| *share >= 0.0));
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            // All of it: R = A'_3 A'_2 A'_1.
            let mut product: AttentionMatrix = (0..4).map(|i| (0..4).map(|j| f64::from(u8::from(i == j))).collect()).collect();
            for layer in &layers {
                let weight = |i: usize, j: usize| {
                    (layer[i][j] + f64::from(u8::from(i == j))) / (1.0 + layer[i].iter().sum::<f64>())
                };
                let cell = |i: usize, j: usize| (0..4).map(|k| weight(i, k) * product[k][j]).sum();
                product = (0..4).map(|i| (0..4).map(|j| cell(i, j)).collect()).collect();
            }
            prop_assert!(found.iter().zip(&product[reader]).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}
