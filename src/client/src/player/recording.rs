//! The log of a run for the player: its pieces, and the places at which the player can stop.

use std::sync::OnceLock;

use pellucid_protocol::Event;
use pellucid_record::Piece;

/// The log of a run.
pub(super) struct Recording {
    pieces: Vec<Piece>,
    /// Number of records before each piece.
    starts: Vec<usize>,
    length: usize,
    stops: OnceLock<Stops>,
}

/// Places at which the player can stop: after a step or an evaluation and all that follows it before the next step.
#[derive(Debug, Default)]
struct Stops {
    steps: Vec<usize>,
    evals: Vec<usize>,
}

impl Recording {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        let (mut starts, mut length) = (Vec::with_capacity(pieces.len()), 0);
        for piece in &pieces {
            starts.push(length);
            length += piece.len();
        }
        Self { pieces, starts, length, stops: OnceLock::new() }
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The time of the record of this index.
    pub(super) fn time(&self, index: usize) -> Option<f64> {
        let place = self.place(index)?;
        self.pieces.get(place)?.time(index - self.starts[place])
    }

    /// The piece that has the record of this index.
    fn place(&self, index: usize) -> Option<usize> {
        self.starts.partition_point(|&start| start <= index).checked_sub(1)
    }

    /// The records `from..to`.
    pub(super) fn between(&self, from: usize, to: usize) -> Vec<Piece> {
        let first = self.place(from).unwrap_or(0);
        let pieces = self.pieces.iter().zip(&self.starts).skip(first).take_while(|(_, start)| **start < to);
        pieces.filter_map(|(piece, &start)| piece.part(from.saturating_sub(start), to - start)).collect()
    }

    /// The stops after steps, in ascending order.
    pub(super) fn steps(&self) -> &[usize] {
        &self.stops().steps
    }

    /// The stops after evaluations, in ascending order.
    pub(super) fn evals(&self) -> &[usize] {
        &self.stops().evals
    }

    /// Computed once: a long log has a million of them.
    fn stops(&self) -> &Stops {
        self.stops.get_or_init(|| self.find_stops())
    }

    fn find_stops(&self) -> Stops {
        let (mut stops, mut next) = (Stops::default(), self.length);
        for (piece, &start) in self.pieces.iter().zip(&self.starts).rev() {
            match piece {
                Piece::Steps(block) => {
                    stops.steps.extend([next].into_iter().chain((start + 1..start + block.len()).rev()));
                    next = start;
                }
                Piece::Record(record) => match &record.event {
                    Event::Step(_) => {
                        stops.steps.push(next);
                        next = start;
                    }
                    Event::Ended(_) => next = start,
                    Event::Eval(_) => stops.evals.push(next),
                    _ => {}
                },
            }
        }
        for places in [&mut stops.steps, &mut stops.evals] {
            places.reverse();
            places.dedup();
        }
        stops
    }
}

/// Records as they are read from a log, with steps in blocks.
#[cfg(test)]
pub(super) fn as_read(records: &[pellucid_protocol::Record]) -> Recording {
    use pellucid_record::log::reader::LogReader;
    use pellucid_record::log::writer::LogWriter;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut log = LogWriter::open(&path).unwrap();
    for record in records {
        log.append(record).unwrap();
    }
    Recording::new(LogReader::new(&path).read_pieces(u64::MAX).unwrap())
}

#[cfg(test)]
mod tests {
    use pellucid_fixture as fixture;
    use pellucid_protocol::Record;

    use super::*;

    #[test]
    fn any_part_of_it_is_those_records() {
        let all = fixture::records(230);
        let recording = as_read(&all);
        assert!(recording.pieces.len() < all.len() / 10, "steps are in blocks");
        for (from, to) in [(0, 0), (0, all.len()), (3, 7), (90, 130), (101, 102), (all.len() - 1, all.len())] {
            let part: Vec<Record> = recording.between(from, to).into_iter().flat_map(Piece::into_records).collect();
            assert_eq!(part, all[from..to], "{from}..{to}");
        }
        let times: Vec<f64> = (0..all.len()).map_while(|index| recording.time(index)).collect();
        assert_eq!(times, all.iter().map(|record| record.time).collect::<Vec<_>>());
        assert_eq!(recording.time(all.len()), None);
    }

    /// As the words of [`Stops`] say it, event by event.
    #[test]
    fn stops_are_behind_all_that_belongs_to_an_event() {
        let all = fixture::records(230);
        let ends = |wanted: fn(&Event) -> bool| {
            let of = |index: usize| {
                let next =
                    all[index + 1..].iter().position(|later| matches!(later.event, Event::Step(_) | Event::Ended(_)));
                next.map_or(all.len(), |next| index + 1 + next)
            };
            let mut stops: Vec<usize> = (0..all.len()).filter(|&index| wanted(&all[index].event)).map(of).collect();
            stops.dedup();
            stops
        };
        let recording = as_read(&all);
        assert_eq!(recording.steps(), ends(|event| matches!(event, Event::Step(_))));
        assert_eq!(recording.evals(), ends(|event| matches!(event, Event::Eval(_))));
        assert!(recording.evals().len() == 2 && recording.steps().len() == 230);
    }
}
