//! The loss of a run as a small curve, without reading the whole log.

use std::io::{self, Read, Seek, SeekFrom};

use pellucid_files::regular::{self, Access};
use pellucid_protocol::{Event, Record};
use pellucid_record::RunDir;

/// Bytes that are read at each place of the log, to find a step in them.
const GLANCE: u64 = 8 * 1024;

/// The loss of `run` at `count` places, evenly spread over its log; NaN where no step is found. Only a little of a long log
/// is read.
pub(super) fn loss_curve(run: &RunDir, count: usize) -> io::Result<Vec<f64>> {
    let mut file = regular::open(&run.events(), Access::Read)?;
    let length = file.metadata()?.len();
    let mut values = Vec::with_capacity(count);
    for index in 0..count as u64 {
        file.seek(SeekFrom::Start(length.saturating_sub(GLANCE) * index / count.saturating_sub(1).max(1) as u64))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(GLANCE).read_to_end(&mut bytes)?;
        let records = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok());
        let loss =
            |record: Record| if let Event::Step(step) = record.event { step.metrics.get("loss/total") } else { None };
        values.push(records.rev().find_map(loss).unwrap_or(f64::NAN));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Metrics;
    use pellucid_protocol::event::Step;

    use super::super::tests::run_with;
    use super::*;

    #[test]
    fn the_curve_of_a_long_log_goes_from_its_start_to_its_end() {
        let falling = |number: u64| {
            let mut metrics = Metrics::default();
            metrics.set("loss/total", 1.0 / (number + 1) as f64);
            Event::Step(Step { step: number, epoch: 0.0, metrics })
        };
        let (_folder, run) = run_with((0..5000).map(falling).collect());
        let curve = loss_curve(&run, 20).unwrap();
        assert!(curve.len() == 20 && curve.windows(2).all(|two| two[1] < two[0]), "{curve:?}");
        assert_eq!(curve.last(), Some(&(1.0 / 5000.0)));
        let (_folder, empty) = run_with(Vec::new());
        assert!(loss_curve(&empty, 20).unwrap().iter().all(|value| value.is_nan()));
    }
}
