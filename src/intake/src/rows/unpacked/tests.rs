//! Members and frames, and what is refused of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// All that comes out, within the budget of a file of this size.
fn unpacked(packed: &[u8], kind: fn(&[u8]) -> Box<dyn Read + '_>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let budget = Budget::of(packed.len() as u64);
    let read = Within::new(kind(packed), budget).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| error.to_string())
}

fn of_gzip(packed: &[u8]) -> Box<dyn Read + '_> {
    Box::new(gzip(packed))
}

fn of_zstd(packed: &[u8]) -> Box<dyn Read + '_> {
    Box::new(Zstd::new(packed))
}

#[test]
fn all_members_and_frames_are_read_and_none_that_is_cut_off() {
    for (pack, kind) in [(gzipped as fn(&[u8]) -> Vec<u8>, of_gzip as fn(&[u8]) -> Box<dyn Read + '_>), (zstd, of_zstd)]
    {
        let first = pack(b"one, two, one, two, one");
        let both = [first.clone(), pack(b""), pack(b" and three")].concat();
        assert_eq!(unpacked(&both, kind).unwrap(), b"one, two, one, two, one and three");
        for end in 1..first.len() {
            let told = unpacked(&first[..end], kind).unwrap_err();
            assert!(told.starts_with("is damaged or cut off: "), "{told}");
        }
        for at in 0..both.len() {
            let mut changed = both.clone();
            changed[at] ^= 0x55;
            let _ = unpacked(&changed, kind);
        }
        assert!(unpacked(&[first, b"more".to_vec()].concat(), kind).is_err());
    }
}

#[test]
fn what_expands_without_measure_is_refused() {
    let zeros = vec![b'0'; (ALWAYS + 1) as usize];
    let told = unpacked(&gzipped(&zeros), of_gzip).unwrap_err();
    assert!(told.starts_with("expands to more than 200 times its size"), "{told}");
    assert!(unpacked(&zstd(&zeros), of_zstd).unwrap_err().starts_with("expands to more than 200 times"));
    assert_eq!(unpacked(&gzipped(&zeros[1..]), of_gzip).unwrap().len() as u64, ALWAYS);
    let mut large = Budget::of(bounded::LINES);
    assert!(large.take(bounded::LINES).is_ok() && large.take(1).unwrap_err().to_string().contains("4 GiB"));
}

#[test]
fn a_window_that_would_fill_the_memory_is_refused() {
    let window = b"\x28\xb5\x2f\xfd\x00\xb0\x01\x00\x00";
    let told = unpacked(window, of_zstd).unwrap_err();
    assert!(told.contains("indow"), "{told}");
}

#[test]
fn a_panic_of_a_decoder_is_an_error() {
    struct Falls;
    impl Read for Falls {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("fell")
        }
    }
    let told = Within::new(Falls, Budget::of(1)).read(&mut [0]).unwrap_err().to_string();
    assert_eq!(told, "is damaged or cut off: fell; make it again");
}
