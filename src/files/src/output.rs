//! Files that the user names for what a command writes: they may replace a file, but nothing else, and no input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::whole::{Draft, Readers, write_whole};

/// How deep the folders among the inputs are looked through.
const DEPTH: usize = 4;

/// The files that a command reads, whatever their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs(BTreeMap<Identity, PathBuf>);

/// Device and number of a file: links and hard links to it have the same.
type Identity = (u64, u64);

impl Inputs {
    /// These files, and all files in these folders. What is not there counts for nothing.
    #[must_use]
    pub fn of<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let mut inputs = Self::default();
        paths.into_iter().for_each(|path| inputs.add(path.as_ref(), DEPTH));
        inputs
    }

    /// Adds a file, or the files of a folder down to this depth.
    fn add(&mut self, path: &Path, depth: usize) {
        let Ok(meta) = fs::metadata(path) else { return };
        if meta.is_dir() && depth > 0 {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.for_each(|entry| self.add(&entry.path(), depth - 1));
        } else if !meta.is_dir() {
            self.0.entry((meta.dev(), meta.ino())).or_insert_with(|| path.to_owned());
        }
    }
}

/// A file that the user has named for what a command writes.
#[derive(Debug, Clone)]
pub struct OutputFile {
    path: PathBuf,
    inputs: Inputs,
}

impl OutputFile {
    /// The file at `path`, for a command that reads `inputs`.
    ///
    /// # Errors
    /// When something is there that may not be replaced, with what to do. Nothing has changed then.
    pub fn new(path: &Path, inputs: &Inputs) -> io::Result<Self> {
        let output = Self { path: path.to_owned(), inputs: inputs.clone() };
        output.check().map(|()| output)
    }

    /// Files that one command writes; they must differ.
    ///
    /// # Errors
    /// As [`OutputFile::new`], with the file.
    pub fn all<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        inputs: &Inputs,
    ) -> Result<Vec<Self>, (PathBuf, io::Error)> {
        let (mut taken, mut named) = (inputs.clone(), BTreeSet::new());
        let one = |path: P| {
            // Neither of them may be there yet.
            if !named.insert(std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_owned())) {
                let twice = io::Error::new(io::ErrorKind::InvalidInput, "is named for two outputs; name another file");
                return Err((path.as_ref().to_owned(), twice));
            }
            let output = Self::new(path.as_ref(), &taken).map_err(|error| (path.as_ref().to_owned(), error))?;
            taken.add(path.as_ref(), 0);
            Ok(output)
        };
        paths.into_iter().map(one).collect()
    }

    /// Its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty draft of it, which is written piece by piece.
    ///
    /// # Errors
    /// As [`OutputFile::new`], and what the file system says.
    pub fn draft(&self) -> io::Result<Draft> {
        self.check()?;
        let mut draft = Draft::without_name(&self.path, Readers::Umask)?;
        // Who could not read the file before cannot read what replaces it.
        if let Ok(before) = fs::symlink_metadata(&self.path) {
            draft.file().set_permissions(before.permissions())?;
        }
        Ok(draft)
    }

    /// Gives a draft of it its name.
    ///
    /// # Errors
    /// As [`OutputFile::new`], if that has come meanwhile, and what the file system says.
    pub fn finish(&self, draft: Draft) -> io::Result<()> {
        self.check()?;
        draft.finish()
    }

    /// Writes it whole or not at all; only the user can read it.
    ///
    /// # Errors
    /// As [`OutputFile::finish`].
    pub fn write(&self, content: &[u8]) -> io::Result<()> {
        self.check()?;
        write_whole(&self.path, content)
    }

    fn check(&self) -> io::Result<()> {
        let refused = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if self.path.file_name().is_none() || self.path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return refused("is no name for a file".to_owned());
        }
        if self.path == Path::new("-") {
            return refused("would be a file of that name, and not stdout; write ./- if it is meant".to_owned());
        }
        let meta = match fs::symlink_metadata(&self.path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.check_folder(),
            Err(error) => return Err(error),
        };
        if meta.is_symlink() {
            return refused("is a link, which is not followed; name the file itself".to_owned());
        }
        if !meta.is_file() {
            let what = if meta.is_dir() { "is a folder" } else { "is no regular file" };
            return refused(format!("{what}, which is not replaced; name a file"));
        }
        if meta.permissions().readonly() {
            return refused("is read-only, and is not replaced; name another file".to_owned());
        }
        match self.inputs.0.get(&(meta.dev(), meta.ino())) {
            Some(input) if std::path::absolute(input).ok() == std::path::absolute(&self.path).ok() => {
                refused("is read and written by this command; name another file to write".to_owned())
            }
            Some(input) => {
                let input = input.display();
                refused(format!("is the same file as {input}, which this command reads or writes; name another file"))
            }
            None => Ok(()),
        }
    }

    /// What is known before any work of a file that is not there yet: its folder is.
    fn check_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::metadata(folder.unwrap_or(Path::new("."))).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    fn refused(path: &Path, inputs: &Inputs) -> String {
        OutputFile::new(path, inputs).unwrap_err().to_string()
    }

    #[test]
    fn only_regular_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        symlink("nothing", folder.path().join("dangling")).unwrap();
        let none = Inputs::default();
        for (path, part) in [
            (link, "is a link"),
            (folder.path().join("dangling"), "is a link"),
            (folder.path().to_owned(), "is a folder"),
            (folder.path().join("file/"), "no name"),
            ("/dev/null".into(), "no regular file"),
            ("".into(), "no name"),
            ("..".into(), "no name"),
            ("-".into(), "not stdout"),
            (folder.path().join("nowhere/file"), "No such file"),
        ] {
            assert!(refused(&path, &none).contains(part), "{}: {}", path.display(), refused(&path, &none));
        }
        OutputFile::new(&file, &none).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_replaces_a_file_can_be_read_by_nobody_else_than_before() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        fs::write(&path, "old").unwrap();
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o600, 0o640, 0o664] {
            set(mode);
            let output = OutputFile::new(&path, &Inputs::default()).unwrap();
            let draft = output.draft().unwrap();
            output.finish(draft).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
        set(0o444);
        assert!(refused(&path, &Inputs::default()).contains("is read-only"));
    }

    #[test]
    fn no_input_is_replaced_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("model/inner")).unwrap();
        for name in ["data", "model/config.json", "model/inner/weights", "other"] {
            fs::write(at(name), name).unwrap();
        }
        fs::hard_link(at("data"), at("twin")).unwrap();
        symlink(at("other"), at("model/vocab.txt")).unwrap();
        let inputs = Inputs::of([at("data"), at("model"), at("missing")]);
        assert!(refused(&at("data"), &inputs).contains("is read and written"));
        for name in ["twin", "model/../data", "model/inner/weights", "other"] {
            let path = at(name);
            assert!(OutputFile::new(&path, &inputs).is_err(), "{name}");
        }
        assert!(refused(&at("twin"), &inputs).contains("the same file as"));
        OutputFile::new(&at("model/new"), &inputs).unwrap().write(b"").unwrap();
        assert_eq!(fs::read(at("data")).unwrap(), b"data");
    }

    #[test]
    fn outputs_of_one_command_differ() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, "").unwrap();
        fs::hard_link(&one, &two).unwrap();
        let (path, error) = OutputFile::all([&one, &two], &Inputs::default()).unwrap_err();
        assert!(path == two && error.to_string().contains("the same file as"), "{error}");
        fs::remove_file(&two).unwrap();
        assert_eq!(OutputFile::all([&one, &two], &Inputs::default()).unwrap().len(), 2);
        let (path, error) = OutputFile::all([&two, &two], &Inputs::default()).unwrap_err();
        assert!(path == two && error.to_string().contains("named for two outputs"), "{error}");
    }

    #[test]
    fn what_has_come_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        let output = OutputFile::new(&path, &Inputs::default()).unwrap();
        let mut draft = output.draft().unwrap();
        draft.write_all(b"page").unwrap();
        symlink("elsewhere", &path).unwrap();
        assert!(output.finish(draft).unwrap_err().to_string().contains("is a link"));
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("elsewhere"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
