//! The event log of a run as the server keeps it: on the disk as soon as the disk takes it, in memory until then.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pellucid_files::whole::{Draft, Readers};
use pellucid_protocol::Record;
use pellucid_record::RunDir;
use pellucid_record::log::line::encode;
use pellucid_record::log::writer::{LogWriter, Medium};

/// Bytes of records that may wait in memory; beyond them the oldest are dropped.
const ROOM: usize = 64 << 20;

/// A record, as a line of the log.
pub type Line = Arc<Vec<u8>>;

/// The event log of a run.
#[derive(Debug)]
pub struct EventLog<M = File> {
    log: LogWriter<M>,
    /// Lines that are not on the disk yet, oldest first.
    waiting: VecDeque<Line>,
    /// Their bytes.
    size: usize,
    room: usize,
    lost: usize,
    health: Health,
}

/// Whether the disk takes what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Health {
    Well,
    /// It does not, for this reason.
    Failing(String),
}

/// Where the log of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPlace {
    /// Where it was opened, as far as can be told.
    InFolder,
    /// In this folder, under its name.
    Moved(PathBuf),
    /// In no folder, or under another name: the log in the run folder is another one, or none.
    Removed,
}

/// What the user should know about the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNews {
    /// The disk does not take it, and why.
    Failing(String),
    /// It does again: how many waiting lines were written, and how many were dropped.
    Recovered(usize, usize),
}

impl EventLog {
    /// Opens the log of `run`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(run: &RunDir) -> io::Result<Self> {
        Ok(Self::new(LogWriter::open(&run.events())?, ROOM))
    }

    /// Where the file is, which was opened in the folder of `run`.
    #[must_use]
    pub fn place(&self, run: &RunDir) -> LogPlace {
        match self.is_at(&run.events()) {
            Ok(true) => LogPlace::InFolder,
            Err(error) if error.kind() != io::ErrorKind::NotFound => LogPlace::InFolder,
            _ => self.moved_to().map_or(LogPlace::Removed, LogPlace::Moved),
        }
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (mine, there) = (self.log.medium().metadata()?, fs::metadata(path)?);
        Ok((there.dev(), there.ino()) == (mine.dev(), mine.ino()))
    }

    /// The folder that the file is in now, under its name. Only Linux tells it.
    fn moved_to(&self) -> Option<PathBuf> {
        let path = fs::read_link(format!("/proc/self/fd/{}", self.log.medium().as_raw_fd())).ok()?;
        let folder = path.parent()?;
        (RunDir::new(folder).events() == path && self.is_at(&path).unwrap_or(false)).then(|| folder.to_owned())
    }

    /// Writes the whole log again into the folder of `run`, from where it was removed: the open file still has it. Another
    /// file that has come into its place is kept under another name.
    ///
    /// # Errors
    /// What the file system says; nothing has changed then.
    pub fn restore(&mut self, run: &RunDir) -> io::Result<()> {
        if fs::symlink_metadata(run.events()).is_ok() {
            fs::rename(run.events(), free_name(&run.events()))?;
        }
        let mut draft = Draft::of(&run.events(), Readers::User)?;
        self.copy_to(draft.file())?;
        draft.finish()?;
        self.log = LogWriter::open(&run.events())?;
        Ok(())
    }

    fn copy_to(&self, copy: &mut File) -> io::Result<()> {
        let (mut at, mut chunk) = (0, vec![0; 1 << 20]);
        while at < self.log.length() {
            let most = usize::try_from(self.log.length() - at).unwrap_or(chunk.len()).min(chunk.len());
            let count = self.log.medium().read_at(&mut chunk[..most], at)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            io::Write::write_all(copy, &chunk[..count])?;
            at += count as u64;
        }
        Ok(())
    }
}

/// A name beside `path` that nothing has.
fn free_name(path: &Path) -> PathBuf {
    let numbered = (1u32..).map(|number| path.with_extension(format!("jsonl.replaced-{number}")));
    numbered.into_iter().find(|name| fs::symlink_metadata(name).is_err()).unwrap_or_else(|| path.to_owned())
}

impl<M: Medium> EventLog<M> {
    fn new(log: LogWriter<M>, room: usize) -> Self {
        Self { log, waiting: VecDeque::new(), size: 0, room, lost: 0, health: Health::Well }
    }

    /// Takes a record. It is on the disk if nothing waits afterwards.
    ///
    /// # Errors
    /// When the record cannot be written as a line.
    pub fn take(&mut self, record: &Record) -> io::Result<(Line, Option<LogNews>)> {
        let line = Arc::new(encode(record)?);
        self.size += line.len();
        self.waiting.push_back(Arc::clone(&line));
        // A disk that refuses is tried again by the clock, not with every record.
        let news = if self.health == Health::Well { self.write() } else { None };
        while self.size > self.room {
            self.size -= self.waiting.pop_front().map_or(self.size, |oldest| oldest.len());
            self.lost += 1;
        }
        Ok((line, news))
    }

    /// Writes what waits, as far as the disk takes it.
    pub fn write(&mut self) -> Option<LogNews> {
        let before = self.waiting.len();
        while let Some(line) = self.waiting.front() {
            if let Err(error) = self.log.append_line(line) {
                return self.fail(&error);
            }
            self.size -= line.len();
            self.waiting.pop_front();
        }
        match std::mem::replace(&mut self.health, Health::Well) {
            Health::Well => None,
            Health::Failing(_) => Some(LogNews::Recovered(before, std::mem::take(&mut self.lost))),
        }
    }

    fn fail(&mut self, error: &io::Error) -> Option<LogNews> {
        let reason = error.to_string();
        let failing = Health::Failing(reason.clone());
        let known = self.health == failing;
        self.health = failing;
        (!known).then_some(LogNews::Failing(reason))
    }

    /// Lines that are not on the disk yet, oldest first.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.waiting.iter()
    }

    /// Bytes of the lines that wait.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Length of the log in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.log.length()
    }

    /// Bytes of an unfinished record that were cut off when the log was opened.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.log.torn()
    }

    /// Waits until the disk has what was written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&mut self) -> io::Result<()> {
        self.log.sync()
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Event;
    use pellucid_protocol::event::Alert;
    use pellucid_record::log::reader::LogReader;

    use super::*;

    fn record(step: u64) -> Record {
        Record { time: 0.0, event: Event::Alert(Alert::info(step, "x".repeat(30))) }
    }

    /// A file in a folder, and how much it takes at most.
    struct Disk {
        file: File,
        room: Arc<std::sync::atomic::AtomicU64>,
    }

    impl Medium for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let length = self.file.metadata()?.len();
            let room = self.room.load(std::sync::atomic::Ordering::Relaxed).saturating_sub(length);
            let fits = bytes.len().min(usize::try_from(room).unwrap());
            Medium::append(&mut self.file, &bytes[..fits])?;
            if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            Medium::cut(&mut self.file, length)
        }

        fn sync(&mut self) -> io::Result<()> {
            Medium::sync(&mut self.file)
        }
    }

    /// A event_log on a disk with the given room, and the way to change that.
    fn on_small_disk(run: &RunDir, room: u64, memory: usize) -> (EventLog<Disk>, Arc<std::sync::atomic::AtomicU64>) {
        let room = Arc::new(std::sync::atomic::AtomicU64::new(room));
        let file = fs::OpenOptions::new().create(true).append(true).open(run.events()).unwrap();
        let disk = Disk { file, room: Arc::clone(&room) };
        (EventLog::new(LogWriter::on(disk, 0), memory), room)
    }

    #[test]
    fn a_full_disk_loses_nothing_and_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let (mut event_log, room) = on_small_disk(&run, 300, usize::MAX);
        let news: Vec<LogNews> = (0..40).filter_map(|step| event_log.take(&record(step)).unwrap().1).collect();
        assert!(matches!(&news[..], [LogNews::Failing(why)] if !why.is_empty()), "{news:?}");
        assert_eq!(event_log.write(), None, "told already");
        let on_disk = LogReader::new(&run.events()).read_new().unwrap().len();
        assert_eq!(event_log.waiting().len(), 40 - on_disk);
        room.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(event_log.write(), Some(LogNews::Recovered(40 - on_disk, 0)));
        let expected: Vec<Record> = (0..40).map(record).collect();
        assert_eq!(LogReader::new(&run.events()).read_new().unwrap(), expected);
    }

    #[test]
    fn memory_is_bounded_and_what_was_given_up_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let (mut event_log, room) = on_small_disk(&run, 0, 1000);
        (0..50).for_each(|step| drop(event_log.take(&record(step)).unwrap()));
        let kept = event_log.waiting().len();
        assert!(kept > 0 && event_log.waiting().map(|line| line.len()).sum::<usize>() <= 1000);
        room.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(event_log.write(), Some(LogNews::Recovered(kept, 50 - kept)));
        assert_eq!(LogReader::new(&run.events()).read_new().unwrap().last(), Some(&record(49)), "the oldest go first");
    }

    #[test]
    fn a_log_that_was_removed_is_written_again_whole() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        fs::create_dir(run.root()).unwrap();
        let mut event_log = EventLog::open(&run).unwrap();
        (0..3).for_each(|step| drop(event_log.take(&record(step)).unwrap()));
        assert_eq!(event_log.place(&run), LogPlace::InFolder);
        fs::remove_dir_all(run.root()).unwrap();
        event_log.take(&record(3)).unwrap();
        assert_eq!(event_log.place(&run), LogPlace::Removed);
        fs::create_dir(run.root()).unwrap();
        fs::write(run.events(), "of somebody else").unwrap();
        event_log.restore(&run).unwrap();
        assert_eq!(fs::read(run.root().join("events.jsonl.replaced-1")).unwrap(), b"of somebody else");
        event_log.take(&record(4)).unwrap();
        assert_eq!(event_log.place(&run), LogPlace::InFolder);
        assert_eq!(LogReader::new(&run.events()).read_new().unwrap(), (0..5).map(record).collect::<Vec<_>>());
    }
}
