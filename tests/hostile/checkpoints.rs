//! Files that pass for the weights of a model and are not: pickles that run code, archives that expand or lead elsewhere,
//! tensors that lie on each other or nowhere. `torch.load(weights_only=False)` runs the code of those that have some.

use std::path::Path;

/// A file that must be refused.
pub(crate) struct Attack {
    /// What it does.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// What the refusal says.
    pub(crate) said: String,
}

fn attack(name: impl Into<String>, bytes: Vec<u8>, said: impl Into<String>) -> Attack {
    Attack { name: name.into(), bytes, said: said.into() }
}

/// All of them. Code that runs makes the file `witness`.
pub(crate) fn attacks(witness: &Path) -> Vec<Attack> {
    let mut all = code(witness);
    all.extend(archives());
    all.extend(tensors());
    all.extend(others());
    all
}

/// A file as `torch.save` writes it, with one tensor.
pub(crate) fn sound() -> Vec<u8> {
    saved(&state(&[("a", tensor("0", 6, 0, &[2, 3], &[3, 1]))]), &[("0", &[1; 24])])
}

/// A file of many tensors that share their numbers: each has all of them.
pub(crate) fn shared(tensors: usize, numbers: u64) -> Vec<u8> {
    let names: Vec<String> = (0..tensors).map(|number| format!("t{number}")).collect();
    let entries: Vec<(&str, Vec<u8>)> =
        names.iter().map(|name| (name.as_str(), tensor("0", numbers, 0, &[numbers], &[1]))).collect();
    saved(&state(&entries), &[("0", &vec![0; 4 * numbers as usize])])
}

/// Pickles that call something.
fn code(witness: &Path) -> Vec<Attack> {
    let touch = format!("touch {}", witness.display());
    let make = format!("open({:?}, 'w').close()", witness.display().to_string());
    let run =
        |module: &str, name: &str, argument: &str| called(module, name, &[text(argument), b"\x85".to_vec()].concat());
    let mut all = Vec::new();
    for (module, name, argument) in [
        ("os", "system", touch.as_str()),
        ("posix", "system", &touch),
        ("subprocess", "getoutput", &touch),
        ("builtins", "exec", &make),
        ("__builtin__", "eval", &make),
    ] {
        let (what, said) = (format!("{module}.{name}"), format!("asks for `{module}.{name}`"));
        all.push(attack(&what, saved(&run(module, name, argument), &[]), &said));
        all.push(attack(format!("{what} in a file of old"), old(&run(module, name, argument)), &said));
        // In the place of the magic number, which is read before all else.
        all.push(attack(format!("{what} at the beginning"), run(module, name, argument), &said));
    }
    let stack = [b"\x80\x04", &short("posix")[..], &short("system"), b"\x93", &text(&touch), b"\x85R."].concat();
    all.push(attack("a name from the stack", saved(&stack, &[]), "asks for `posix.system`"));
    let inst = [b"\x80\x02(", &text(&touch)[..], b"iposix\nsystem\n."].concat();
    all.push(attack("INST", saved(&inst, &[]), "the operation INST"));
    let object = [b"\x80\x02(cposix\nsystem\n", &text(&touch)[..], b"o."].concat();
    all.push(attack("OBJ", saved(&object, &[]), "asks for `posix.system`"));
    let new = [b"\x80\x02csubprocess\nPopen\n", &text(&touch)[..], b"\x85\x81."].concat();
    all.push(attack("NEWOBJ", saved(&new, &[]), "asks for `subprocess.Popen`"));
    let inside = [&b"ccollections\nOrderedDict\n)R"[..], &text("__class__"), b"cbuiltins\neval\ns."].concat();
    all.push(attack("in a dictionary", saved(&[b"\x80\x02", &inside[..]].concat(), &[]), "asks for `builtins.eval`"));
    for name in ["load", "hub.load", "serialization.load", "package.PackageImporter", "jit.load"] {
        let pickle = run("torch", name, "/etc/passwd");
        all.push(attack(format!("torch.{name}"), saved(&pickle, &[]), format!("asks for `torch.{name}`")));
    }
    for (module, name) in [
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch.storage", "_load_from_bytes"),
        ("numpy.core.multiarray", "scalar"),
        ("transformers.models.bert.modeling_bert", "BertModel"),
        ("", ""),
    ] {
        let pickle = run(module, name, "x");
        all.push(attack(format!("{module}.{name}"), saved(&pickle, &[]), format!("asks for `{module}.{name}`")));
    }
    let hidden = [b"\x80\x02c\x1b]0;owned\x07\x1b[2Jos\nsystem\n", &text(&touch)[..], b"\x85R."].concat();
    all.push(attack("a name that clears the screen", saved(&hidden, &[]), r"`\u{1b}]0;owned\u{7}\u{1b}[2Jos.system`"));
    all
}

/// Archives that are not what they seem.
fn archives() -> Vec<Attack> {
    let pickle = state(&[("a", tensor("0", 6, 0, &[2, 3], &[3, 1]))]);
    let (data, first) = ([1; 24], "archive/data.pkl");
    let with =
        |more: &[Member]| zip(&[&[Member::of(first, &pickle), Member::of("archive/data/0", &data)], more].concat());
    let mut all = Vec::new();
    // 4 GiB of zeros in 24 bytes, as a bomb says of itself.
    let bomb = Member { method: 8, size: u32::MAX - 1, ..Member::of("archive/data/0", &data) };
    all.push(attack("a bomb", zip(&[Member::of(first, &pickle), bomb]), "compressed, which torch does not do"));
    let hidden = Member { method: 8, ..Member::of(first, &pickle) };
    all.push(attack("a packed pickle", zip(&[hidden, Member::of("archive/data/0", &data)]), "compressed"));
    for name in
        ["../../.bashrc", "/etc/cron.d/x", "archive/../../x", "C:\\x", "archive\\data\\1", "a\0b", "archive//x", "."]
    {
        all.push(attack(format!("the name {name:?}"), with(&[Member::of(name, b"x")]), "which leads elsewhere"));
    }
    let twice = with(&[Member::of("archive/data/0", &[2; 24])]);
    all.push(attack("a name twice", twice, "have one name"));
    let mut on_each_other = vec![Member::of(first, &pickle), Member::of("archive/data/0", &data)];
    on_each_other.push(Member { at: Some(0), ..Member::of("archive/data/1", &pickle) });
    all.push(attack("two files in one place", zip(&on_each_other), "lie on each other"));
    let long = Member { size: 1 << 30, ..Member::of("archive/data/0", &data) };
    all.push(attack("a size beyond the end", zip(&[Member::of(first, &pickle), long]), ""));
    let short = state(&[("a", tensor("0", 1 << 40, 0, &[2, 3], &[3, 1]))]);
    all.push(attack("too small a storage", saved(&short, &[("0", &data)]), "has 24 bytes for the storage \"0\""));
    all.push(attack("no storage", saved(&pickle, &[]), "has no storage \"0\""));
    let elsewhere = state(&[("a", tensor("../../../etc/passwd", 6, 0, &[2, 3], &[3, 1]))]);
    all.push(attack(
        "a storage elsewhere",
        saved(&elsewhere, &[("0", &data)]),
        "has no storage \"../../../etc/passwd\"",
    ));
    let changed = Member { checksum: 1, ..Member::of("archive/data/0", &data) };
    all.push(attack("another checksum", zip(&[Member::of(first, &pickle), changed]), "not what its checksum says"));
    let several = with(&[Member::of("other/data.pkl", &pickle)]);
    all.push(attack("several pickles", several, "several data.pkl"));
    all.push(attack("no pickle", zip(&[Member::of("archive/data/0", &data)]), "without data.pkl"));
    all.push(attack("the big byte order", with(&[Member::of("archive/byteorder", b"big")]), "the byte order \"big\""));
    let long = [b"big".to_vec(), vec![b' '; 64]].concat();
    all.push(attack(
        "a long byte order",
        with(&[Member::of("archive/byteorder", &long)]),
        "a byte order that is 67 bytes long",
    ));
    all.push(attack("no byte order", with(&[Member::of("archive/byteorder", b"")]), "the byte order \"\""));
    all.push(attack("something before it", [b"PK\x03\x04#!/bin/sh\n", &sound()[..]].concat(), ""));
    all.push(attack("the half of it", sound()[..sound().len() / 2].to_vec(), "is damaged"));
    all
}

/// Tensors that are none.
fn tensors() -> Vec<Attack> {
    let one = |name: &str, tensor: Vec<u8>, said: &str| {
        attack(name, saved(&state(&[("a", tensor)]), &[("0", &[1; 24])]), said)
    };
    let (huge, far) = (1 << 40, 1 << 62);
    let negated = || {
        let plain = tensor("0", 6, 0, &[2, 3], &[3, 1]);
        [plain.strip_suffix(b"tR").unwrap_or_default(), b"}", &text("neg"), b"\x88stR"].concat()
    };
    vec![
        one("a negated tensor", negated(), "the metadata \"neg\""),
        attack("a negated tensor of old", old(&state(&[("a", negated())])), "the metadata \"neg\""),
        one("a huge shape", tensor("0", 6, 0, &[huge, huge, huge], &[0, 0, 0]), "reaches beyond it"),
        one("a huge shape of one number", tensor("0", 6, 0, &[huge], &[0]), "lie on each other"),
        one("rows on rows", tensor("0", 6, 0, &[2, 3], &[1, 1]), "lie on each other"),
        one("strides beyond the end", tensor("0", 6, 0, &[2, 3], &[4, 1]), "reaches beyond it"),
        one("strides that overflow", tensor("0", 6, 0, &[2, 3], &[far * 2, far * 2]), "none is negative"),
        one("an offset beyond the end", tensor("0", 6, 6, &[1], &[1]), "reaches beyond it"),
        one("an offset that overflows", tensor("0", 6, far, &[far, 2], &[1, far]), "reaches beyond it"),
        one("negative sizes", tensor("0", 6, 0, &[u64::MAX, 3], &[3, 1]), "none is negative"),
        one("a negative storage", tensor("0", u64::MAX, 0, &[2, 3], &[3, 1]), "a storage of -1 numbers"),
        one("many dimensions", tensor("0", 6, 0, &[1; 100], &[1; 100]), "100 dimensions"),
        one("a number", number(7), "holds a number under \"a\""),
        attack("a list", saved(b"\x80\x02].", &[]), "holds a list"),
        attack(
            "a name twice",
            saved(&state(&vec![("a", tensor("0", 6, 0, &[6], &[1])); 2]), &[("0", &[1; 24])]),
            "twice",
        ),
    ]
}

/// What is no file of torch at all, or only the beginning of one, or makes work.
fn others() -> Vec<Attack> {
    // Each list holds the one before it ten times.
    let mut bomb = b"\x80\x02]q\x00".to_vec();
    for level in 0..200u8 {
        bomb.extend([b']', b'q', level + 1, b'(']);
        bomb.extend([b'h', level].repeat(10));
        bomb.push(b'e');
    }
    bomb.push(b'.');
    let mut copies = [b"\x80\x02K\x01K\x02\x86q\x00]q\x01(", &b"h\x00".repeat(100_000)[..]].concat();
    copies.extend(b"eccollections\nOrderedDict\nq\x02h\x01\x85q\x03R");
    copies.extend(b"h\x02h\x03R".repeat(100_000));
    let text = [b"\x80\x02X", &u32::MAX.to_le_bytes()[..], b"a."].concat();
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    vec![
        attack("lists of lists", saved(&bomb, &[]), "holds a list"),
        attack("copies of a list", saved(&copies, &[]), "again and again"),
        attack("a text that is not there", saved(&text, &[]), "ends in the midst"),
        attack("deep tuples", saved(&[b"\x80\x02N", &[0x85; 1 << 20][..], b"."].concat(), &[]), "holds a tuple"),
        attack("nothing", Vec::new(), "is no file of torch.save"),
        attack("a link of Git LFS", b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "Git LFS"),
        attack("a page", b"<!doctype html>".to_vec(), "a page of the web"),
        attack("HDF5", b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5"),
        attack("tar", tar, "before 0.1.10"),
        attack("protocol 5", b"\x80\x05N.".to_vec(), "protocol 5"),
        attack("more after the end", [&old(&state(&[]))[..], b"more"].concat(), "4 bytes after its last storage"),
    ]
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn short(text: &str) -> Vec<u8> {
    [&[0x8c, text.len() as u8], text.as_bytes()].concat()
}

fn number(number: u64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

fn tuple(values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| number(*value)).collect();
    [b"(", &values[..], b"t"].concat()
}

/// A pickle that calls a function with a tuple of arguments.
fn called(module: &str, name: &str, arguments: &[u8]) -> Vec<u8> {
    [b"\x80\x02", format!("c{module}\n{name}\n").as_bytes(), arguments, b"R."].concat()
}

/// A tensor of 32-bit numbers, as `torch.save` describes it.
fn tensor(key: &str, count: u64, offset: u64, shape: &[u64], strides: &[u64]) -> Vec<u8> {
    let storage =
        [b"(", &text("storage")[..], b"ctorch\nFloatStorage\n", &text(key), &text("cpu"), &number(count), b"tQ"];
    let view = [number(offset), tuple(shape), tuple(strides)].concat();
    let call = b"ctorch._utils\n_rebuild_tensor_v2\n(";
    [call, &storage.concat()[..], &view, b"\x89ccollections\nOrderedDict\n)RtR"].concat()
}

/// The pickle of tensors by name.
fn state(tensors: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> = tensors.iter().flat_map(|(name, tensor)| [text(name), tensor.clone()].concat()).collect();
    [b"\x80\x02ccollections\nOrderedDict\n)R(", &entries[..], b"u."].concat()
}

/// The archive of a pickle and its storages.
pub(crate) fn saved(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let names: Vec<String> = storages.iter().map(|(key, _)| format!("archive/data/{key}")).collect();
    let data = names.iter().zip(storages).map(|(name, (_, bytes))| Member::of(name, bytes));
    let members: Vec<Member> = [Member::of("archive/data.pkl", pickle)].into_iter().chain(data).collect();
    zip(&members)
}

/// A pickle where torch once put that of the tensors.
fn old(pickle: &[u8]) -> Vec<u8> {
    let magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
    let system = [b"\x80\x02}", &text("little_endian")[..], b"\x88s."].concat();
    [b"\x80\x02\x8a\x0a", &magic[..], b".\x80\x02M\xe9\x03.", &system, pickle, b"\x80\x02]."].concat()
}

/// A file of an archive, and what the archive says of it.
#[derive(Clone)]
struct Member {
    name: String,
    bytes: Vec<u8>,
    method: u16,
    size: u32,
    checksum: u32,
    /// Where it is said to lie, if that is not its place.
    at: Option<u32>,
}

impl Member {
    fn of(name: &str, bytes: &[u8]) -> Self {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        Self { size: bytes.len() as u32, checksum: checksum(&bytes), name, bytes, method: 0, at: None }
    }

    /// What stands before the file and, with its place, in the list of all.
    fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        for word in [20, 0, self.method, 0, 0x21] {
            header.extend(word.to_le_bytes());
        }
        for word in [self.checksum, self.bytes.len() as u32, self.size, self.name.len() as u32] {
            header.extend(word.to_le_bytes());
        }
        header
    }
}

/// An archive of these files, behind the one that torch looks for first.
fn zip(members: &[Member]) -> Vec<u8> {
    let members = [&[Member::of("archive/version", b"3\n")], members].concat();
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for member in &members {
        let at = member.at.unwrap_or(file.len() as u32);
        file.extend([b"PK\x03\x04", &member.header()[..], member.name.as_bytes(), &member.bytes].concat());
        let place = [&[0; 10][..], &at.to_le_bytes()].concat();
        list.extend([b"PK\x01\x02\x14\x00", &member.header()[..], &place, member.name.as_bytes()].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (size, start) = ((list.len() as u32).to_le_bytes(), (file.len() as u32).to_le_bytes());
    [&file[..], &list, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &start, b"\0\0"].concat()
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}
