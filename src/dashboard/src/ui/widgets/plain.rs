//! For terminals that are not UTF-8: a finished frame in ASCII.

use ratatui::buffer::Buffer;

/// Replaces every cell's symbol by an ASCII one of like look.
pub fn fold(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let plain = cell.symbol().chars().next().map_or(' ', ascii);
            cell.set_char(plain);
        }
    }
}

fn ascii(c: char) -> char {
    match c {
        '─' | '━' | '…' | '–' | '—' | '−' => '-',
        '│' | '┃' | '┊' | '▏' => '|',
        '╭' | '╮' | '╰' | '╯' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        '█' | '▉' | '▊' | '▋' | '▌' | '▓' | '▒' => '#',
        '▍' | '▎' | '░' | '▁'..='▇' => '=',
        '·' => '.',
        '●' | '✔' => 'o',
        '✖' | '✕' => 'x',
        '▲' => '^',
        '■' => '%',
        '◆' => '&',
        '✚' => '+',
        '★' => '*',
        '▸' | '→' => '>',
        '←' => '<',
        '↑' => '^',
        '↓' => 'v',
        'Ⅱ' => 'P',
        '⚠' => '!',
        '²' => '2',
        '≈' | '±' => '~',
        'τ' => 't',
        'σ' => 's',
        '≠' => '!',
        '║' => '|',
        '\u{2800}'..='\u{28ff}' => dots(c as u32 - 0x2800),
        _ => '?',
    }
}

/// A braille cell by where its dots are.
fn dots(mask: u32) -> char {
    let upper = mask & 0b0001_1011 != 0;
    let lower = mask & 0b1110_0100 != 0;
    match (upper, lower) {
        (true, true) => ':',
        (true, false) => '\'',
        (false, true) => '.',
        (false, false) => ' ',
    }
}
