//! Single numbers for a whole confusion matrix.

use super::class_scores::ClassScores;
use super::confusion::Confusion;

/// Share of examples whose class is the predicted one, in [0, 1]; `None` without examples.
#[must_use]
pub fn accuracy(confusion: &Confusion) -> Option<f64> {
    confusion.right().share()
}

/// The accuracy of an answer that is always the most frequent class; `None` without examples.
#[must_use]
pub fn majority_accuracy(confusion: &Confusion) -> Option<f64> {
    let most = (0..confusion.classes()).map(|class| confusion.support(class)).max()?;
    (confusion.total() > 0).then(|| most as f64 / confusion.total() as f64)
}

/// The mean recall of the classes that are present: scikit-learn's `balanced_accuracy_score`; `None` without examples.
#[must_use]
pub fn balanced_accuracy(confusion: &Confusion) -> Option<f64> {
    let recalls: Vec<f64> =
        (0..confusion.classes()).filter_map(|class| ClassScores::of(confusion, class).recall.share()).collect();
    (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
}

/// Matthews correlation of predicted and true classes, in [-1, 1]; 0 where all examples are of one class or all predictions
/// are, as scikit-learn's `matthews_corrcoef`.
///
/// Source: Gorodkin 2004, for several classes.
#[must_use]
pub fn matthews_correlation(confusion: &Confusion) -> f64 {
    let n = confusion.total() as f64;
    let sum = |of: &dyn Fn(usize) -> f64| (0..confusion.classes()).map(of).sum::<f64>();
    let support = |class| confusion.support(class) as f64;
    let predicted = |class| confusion.predicted(class) as f64;
    let between = n * confusion.right().hits as f64 - sum(&|class| support(class) * predicted(class));
    let of_predictions = n * n - sum(&|class| predicted(class) * predicted(class));
    let of_truth = n * n - sum(&|class| support(class) * support(class));
    if of_predictions * of_truth == 0.0 { 0.0 } else { between / (of_predictions * of_truth).sqrt() }
}

/// Cohen's kappa: the agreement beyond what the frequencies of the classes give by chance, 1 for all; `None` where chance
/// alone agrees always.
///
/// Source: Cohen 1960; scikit-learn's `cohen_kappa_score`.
#[must_use]
pub fn kappa(confusion: &Confusion) -> Option<f64> {
    let n = confusion.total() as f64;
    let by_chance: f64 = (0..confusion.classes())
        .map(|class| confusion.support(class) as f64 * confusion.predicted(class) as f64)
        .sum::<f64>()
        / (n * n);
    let observed = accuracy(confusion)?;
    (by_chance < 1.0).then(|| (observed - by_chance) / (1.0 - by_chance))
}
