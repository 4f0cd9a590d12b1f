//! The dashboard's program has no torch in it: what its ELF header says it needs.

use crate::program::program;

#[test]
#[cfg(target_os = "linux")]
fn the_dashboard_does_not_link_libtorch() {
    let needed = needed_libraries(&std::fs::read(program("pellucid")).unwrap());
    assert!(needed.iter().any(|name| name.starts_with("libc.")), "not read rightly: {needed:?}");
    assert!(!needed.iter().any(|name| name.contains("torch") || name.contains("c10")), "{needed:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_worker_does() {
    let needed = needed_libraries(&std::fs::read(program("pellucid-worker")).unwrap());
    assert!(needed.iter().any(|name| name.contains("torch")), "{needed:?}");
}

/// The DT_NEEDED entries of a 64-bit little-endian ELF file.
#[cfg(target_os = "linux")]
fn needed_libraries(elf: &[u8]) -> Vec<String> {
    assert_eq!(&elf[..6], b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file");
    let number = |at: usize, width: usize| {
        let bytes = elf[at..at + width].iter().rev();
        bytes.fold(0, |value, &byte| value << 8 | usize::from(byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    // Type, offset in the file, address in memory, size.
    let segments: Vec<_> = (0..count)
        .map(|index| table + index * size)
        .map(|at| (number(at, 4), number(at + 8, 8), number(at + 16, 8), number(at + 32, 8)))
        .collect();
    let (_, start, _, length) = *segments.iter().find(|segment| segment.0 == 2).expect("no dynamic segment");
    let entries: Vec<_> = (start..start + length).step_by(16).map(|at| (number(at, 8), number(at + 8, 8))).collect();
    let names = entries.iter().find(|entry| entry.0 == 5).expect("no string table").1;
    let place = |address: usize| {
        let within = |segment: &&(usize, usize, usize, usize)| {
            segment.0 == 1 && (segment.2..segment.2 + segment.3).contains(&address)
        };
        let segment = segments.iter().find(within).expect("an address in no segment");
        address - segment.2 + segment.1
    };
    let name = |offset: usize| {
        let bytes = &elf[place(names + offset)..];
        String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap()).into_owned()
    };
    entries.iter().take_while(|entry| entry.0 != 0).filter(|entry| entry.0 == 1).map(|entry| name(entry.1)).collect()
}
