//! A log on a disk that fails: what was acknowledged is read back.

use std::io;

use pellucid_protocol::event::{Event, Record, Step};
use pellucid_protocol::metric::Metrics;
use proptest::prelude::*;

use crate::log::reader::LogReader;
use crate::log::writer::{LogWriter, Medium};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing.
    None,
    /// So many bytes are written, then the disk is full.
    Full(usize),
    /// So many bytes are written, and what is there cannot be cut either.
    Stuck(usize),
    /// Nothing can be written.
    ReadOnly,
}

/// A disk that fails as it is told.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    fault: Option<Fault>,
}

impl Medium for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = match self.fault {
            None | Some(Fault::None) => bytes.len(),
            Some(Fault::Full(count) | Fault::Stuck(count)) => count.min(bytes.len() - 1),
            Some(Fault::ReadOnly) => return Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        };
        self.bytes.extend(&bytes[..written]);
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if matches!(self.fault, Some(Fault::Stuck(_) | Fault::ReadOnly)) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.bytes.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::None),
        (0usize..200).prop_map(Fault::Full),
        (0usize..200).prop_map(Fault::Stuck),
        Just(Fault::ReadOnly),
    ]
}

proptest! {
    /// Whatever fails: what was acknowledged is read back, each once, in order, and nothing else.
    #[test]
    fn acknowledged_records_are_never_lost(faults in prop::collection::vec(fault(), 1..60)) {
        let mut log = LogWriter::on(Disk::default(), 0);
        let mut acknowledged = Vec::new();
        for (number, fault) in (0u64..).zip(faults) {
            log.medium_mut().fault = Some(fault);
            let step = Step { step: number, epoch: 0.0, metrics: Metrics::default() };
            let record = Record { time: 0.5, event: Event::Step(step) };
            if log.append(&record).is_ok() {
                acknowledged.push(record);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, &log.medium().bytes).unwrap();
        let mut reader = LogReader::new(&path);
        prop_assert_eq!(reader.read_new().unwrap(), acknowledged);
        prop_assert_eq!(reader.damage().count, 0);
    }
}
