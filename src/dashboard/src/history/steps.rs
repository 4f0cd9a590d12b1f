//! Steps in few bytes: an even stretch of them is its first step and its stride.

/// Steps in rising order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    stretches: Vec<Stretch>,
    length: usize,
}

/// Steps that are equally far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Index of its first step.
    index: usize,
    first: u64,
    stride: u64,
}

impl Stretch {
    fn step(&self, index: usize) -> u64 {
        self.first + self.stride * (index - self.index) as u64
    }
}

impl Steps {
    /// Appends a step above the last one.
    pub(crate) fn push(&mut self, step: u64) {
        let length = self.length;
        match self.stretches.last_mut() {
            Some(last) if last.index + 1 == length => last.stride = step - last.first,
            Some(last) if last.step(length) == step => {}
            _ => self.stretches.push(Stretch { index: length, first: step, stride: 1 }),
        }
        self.length += 1;
    }

    /// Appends `count` steps that are `stride` apart, from `first` on, which is above the last one.
    pub(crate) fn extend_evenly(&mut self, (first, stride): (u64, u64), count: usize) {
        // The first may go on with another stretch; the next two make one, which then holds for all.
        (0..count.min(3) as u64).for_each(|index| self.push(first + index * stride));
        self.length += count.saturating_sub(3);
    }

    /// The step of this index.
    #[must_use]
    pub(crate) fn get(&self, index: usize) -> Option<u64> {
        let after = self.stretches.partition_point(|stretch| stretch.index <= index);
        let stretch = self.stretches.get(after.checked_sub(1)?)?;
        (index < self.length).then(|| stretch.step(index))
    }

    /// The last step.
    #[must_use]
    pub(crate) fn last(&self) -> Option<u64> {
        self.get(self.length.checked_sub(1)?)
    }

    /// How many steps lie below `step`: the index of the first one at or after it.
    #[must_use]
    pub(crate) fn below(&self, step: f64) -> usize {
        let after = self.stretches.partition_point(|stretch| (stretch.first as f64) < step);
        let Some(stretch) = after.checked_sub(1).and_then(|at| self.stretches.get(at)) else { return 0 };
        let end = self.stretches.get(after).map_or(self.length, |next| next.index);
        let guess = ((step - stretch.first as f64) / stretch.stride as f64).ceil().max(0.0) as usize;
        let mut index = stretch.index.saturating_add(guess).min(end);
        // Rounding may be one off.
        while index > stretch.index && stretch.step(index - 1) as f64 >= step {
            index -= 1;
        }
        while index < end && (stretch.step(index) as f64) < step {
            index += 1;
        }
        index
    }

    /// Keeps the first `length` steps.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        self.stretches.retain(|stretch| stretch.index < length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rising() -> impl Strategy<Value = Vec<u64>> {
        let strides = prop_oneof![6 => Just(1u64), 2 => Just(100), 1 => 1u64..500];
        prop::collection::vec(strides, 0..300).prop_map(|strides| {
            strides
                .iter()
                .scan(0, |step, stride| {
                    *step += stride;
                    Some(*step)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn they_are_as_a_list_of_them(plain in rising(), kept in 0usize..400, at in -5.0f64..40_000.0) {
            let mut steps = Steps::default();
            plain.iter().for_each(|&step| steps.push(step));
            let mut plain = plain;
            for length in [usize::MAX, kept] {
                plain.truncate(length);
                steps.truncate(length);
                prop_assert_eq!(steps.length, plain.len());
                prop_assert_eq!(steps.last(), plain.last().copied());
                prop_assert!((0..plain.len() + 2).all(|index| steps.get(index) == plain.get(index).copied()));
                for at in [at, at.floor(), plain.first().map_or(0.0, |&step| step as f64)] {
                    prop_assert_eq!(steps.below(at), plain.partition_point(|&step| (step as f64) < at));
                }
            }
            steps.push(1_000_000);
            prop_assert_eq!(steps.last(), Some(1_000_000));
        }
    }

    #[test]
    fn an_even_run_is_one_stretch() {
        let mut steps = Steps::default();
        (1..=100_000).for_each(|step| steps.push(step));
        assert_eq!(steps.stretches.len(), 1);
    }
}
