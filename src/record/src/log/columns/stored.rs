//! A block of steps as bytes: columns that fit in f32 without loss take 32 bits a value.

use serde::{Deserialize, Serialize};

use crate::log::step_block::{Column, Row, StepBlock};

/// A block as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    steps: Steps,
    times: Vec<f64>,
    epochs: Vec<f64>,
    columns: Vec<StoredColumn>,
}

#[derive(Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    at: Option<Vec<u32>>,
    values: Values,
}

#[derive(Serialize, Deserialize)]
enum Steps {
    Even { first: u64, stride: u64 },
    Each(Vec<u64>),
}

#[derive(Serialize, Deserialize)]
enum Values {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// The bytes of `block`.
pub(super) fn to_bytes(block: &StepBlock) -> postcard::Result<Vec<u8>> {
    let rows = block.rows();
    let steps = match (block.stride(), rows.first()) {
        (Some(stride), Some(first)) => Steps::Even { first: first.step, stride },
        _ => Steps::Each(rows.iter().map(|row| row.step).collect()),
    };
    let column = |column: &Column| StoredColumn {
        name: column.name().to_owned(),
        at: column.at().map(<[u32]>::to_vec),
        values: Values::of(column.values()),
    };
    postcard::to_stdvec(&Stored {
        steps,
        times: rows.iter().map(|row| row.time).collect(),
        epochs: rows.iter().map(|row| row.epoch).collect(),
        columns: block.columns().iter().map(column).collect(),
    })
}

/// The block stored in `bytes`; `None` if they are not a block.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<StepBlock> {
    let Stored { steps, times, epochs, columns } = postcard::from_bytes(bytes).ok()?;
    let count = times.len();
    let steps = steps.all(count)?;
    (count > 0 && epochs.len() == count && steps.len() == count).then_some(())?;
    let rows = steps.into_iter().zip(times).zip(epochs).map(|((step, time), epoch)| Row { time, step, epoch });
    let columns = columns.into_iter().map(|column| Column::of(column.name, column.at, column.values.all(), count));
    Some(StepBlock::of(rows.collect(), columns.collect::<Option<_>>()?))
}

impl Steps {
    /// All `count` of them; `None` if they are too large.
    fn all(self, count: usize) -> Option<Vec<u64>> {
        match self {
            Steps::Each(steps) => Some(steps),
            Steps::Even { first, stride } => {
                stride.checked_mul((count as u64).checked_sub(1)?)?.checked_add(first)?;
                Some((0..count as u64).map(|index| first + index * stride).collect())
            }
        }
    }
}

impl Values {
    fn of(values: &[f64]) -> Self {
        let single = |&value: &f64| (f64::from(value as f32).to_bits() == value.to_bits()).then_some(value as f32);
        match values.iter().map(single).collect() {
            Some(singles) => Self::Single(singles),
            None => Self::Double(values.to_vec()),
        }
    }

    fn all(self) -> Vec<f64> {
        match self {
            Values::Single(values) => values.into_iter().map(f64::from).collect(),
            Values::Double(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), any::<f32>().prop_map(f64::from), Just(f64::NAN), Just(-0.0)]
    }

    fn block() -> impl Strategy<Value = StepBlock> {
        let metrics = prop::collection::btree_map("[a-d]", number(), 0..4);
        let step = prop_oneof![Just(None), any::<u64>().prop_map(Some)];
        prop::collection::vec((step, number(), number(), metrics), 1..40).prop_map(|rows| {
            let mut block = StepBlock::default();
            for (index, (step, time, epoch, metrics)) in rows.into_iter().enumerate() {
                let columns: Vec<_> = metrics.keys().map(|name| block.column(name)).collect();
                let row = Row { time, step: step.unwrap_or(5 + 3 * index as u64), epoch };
                block.push(row, &columns, &metrics.into_values().collect::<Vec<_>>());
            }
            block
        })
    }

    /// All numbers of a block, step by step, in each bit.
    fn bits(block: &StepBlock) -> Vec<Vec<u64>> {
        let of = |index: usize| {
            let row = block.rows()[index];
            let part = block.part(index, index + 1);
            let values = part.columns().iter().map(|column| column.values()[0].to_bits()).collect::<Vec<_>>();
            [vec![row.time.to_bits(), row.step, row.epoch.to_bits()], values].concat()
        };
        (0..block.len()).map(of).collect()
    }

    fn names(block: &StepBlock) -> Vec<&str> {
        block.columns().iter().map(Column::name).collect()
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_bit_for_bit(block in block()) {
            let read = from_bytes(&to_bytes(&block).unwrap()).unwrap();
            prop_assert_eq!((names(&read), bits(&read)), (names(&block), bits(&block)));
        }

        /// Whatever the bytes, there is no block or one that can be asked everything.
        #[test]
        fn changed_bytes_do_no_harm(block in block(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
            let mut bytes = to_bytes(&block).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            if let Some(read) = from_bytes(&bytes) {
                bits(&read);
                prop_assert_eq!(read.records().count(), read.len());
                read.columns().iter().for_each(|column| assert_eq!(read.points(column).count(), column.values().len()));
            }
        }
    }

    #[test]
    fn numbers_of_32_bits_take_as_many() {
        let bytes = |value: f64| {
            to_bytes(&{
                let mut block = StepBlock::default();
                let column = block.column("a");
                (0..100).for_each(|step| block.push(Row { time: 0.0, step, epoch: 0.0 }, &[column], &[value]));
                block
            })
        };
        assert_eq!(bytes(0.1).unwrap().len() - bytes(f64::from(0.1f32)).unwrap().len(), 400);
    }
}
