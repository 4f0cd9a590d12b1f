//! How well random maps agree with given effects whose scores are uneven: a few large ones and many small, as
//! attributions often are. A normal map is less uneven, and where a few words have most of the effect it agrees less often.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::effects::{Effects, Question};
use crate::sampling::{Purpose, generator};

/// Maps that are drawn. The smallest probability is one in so many.
const MAPS: usize = 10_000;

/// The cosines of drawn maps with the effects of a text.
#[derive(Debug, Clone)]
pub struct DrawnMaps {
    /// In rising order.
    cosines: Vec<f64>,
}

impl DrawnMaps {
    /// Draws maps of `words` scores whose sizes have the exponential distribution, with a random sign where scores have one.
    #[must_use]
    pub fn new(effects: &Effects, question: Question, words: usize, seed: u64) -> Self {
        let mut generator = generator(seed, Purpose::RandomMaps);
        let mut score = || {
            let size: f64 = Exp1.sample(&mut generator);
            if question == Question::Drop && generator.random() { -size } else { size }
        };
        let mut map = vec![0.0; words];
        let mut cosine = |_| {
            map.iter_mut().for_each(|place| *place = score());
            effects.cosine(question, &map)
        };
        let mut cosines: Vec<f64> = (0..MAPS).map(&mut cosine).collect();
        cosines.sort_unstable_by(f64::total_cmp);
        Self { cosines }
    }

    /// The probability that such a map agrees as well as this; the map itself counts as one of them.
    ///
    /// Source: Davison and Hinkley 1997, section 4.2.
    #[must_use]
    pub fn as_good(&self, cosine: f64) -> f64 {
        let better = self.cosines.len() - self.cosines.partition_point(|drawn| *drawn < cosine);
        (better + 1) as f64 / (self.cosines.len() + 1) as f64
    }
}
