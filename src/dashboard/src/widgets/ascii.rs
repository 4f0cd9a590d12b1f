//! A finished frame in ASCII, for terminals that are not UTF-8.

use ratatui::buffer::Buffer;

use crate::theme::{Glyphs, mask_of};

/// Replaces every symbol by an ASCII character that looks like it.
pub(crate) fn fold(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let plain = cell.symbol().chars().next().map_or(' ', ascii);
            cell.set_char(plain);
        }
    }
}

fn ascii(c: char) -> char {
    match c {
        '─' | '…' | '–' | '—' | '−' => '-',
        '━' => '=',
        '│' | '┃' | '┊' | '▏' => '|',
        '╭' | '╮' | '╰' | '╯' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        '█' | '▉' | '▊' | '▋' | '▌' | '▓' | '▒' => '#',
        '▍' | '▎' | '░' | '▁'..='▇' => '=',
        '·' => '.',
        '●' | '✔' => 'o',
        '○' => '.',
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
        '╬' => '#',
        '\u{2800}'..='\u{28ff}' => Glyphs::Ascii.dots(mask_of(c)),
        _ => '?',
    }
}
