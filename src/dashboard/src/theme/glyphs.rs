//! What dots are drawn with: braille, octants, or ASCII, by what the terminal can show.

use ratatui::symbols::pixel::OCTANTS;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Glyphs {
    /// ASCII alone.
    Ascii,
    /// Braille, which nearly every font has.
    #[default]
    Braille,
    /// The solid eighths of Unicode 16, which few terminals draw.
    Octant,
}

impl Glyphs {
    /// Chooses by the environment: ASCII if the locale is not UTF-8 (without a locale UTF-8 is assumed), octants only
    /// where the terminal is known to draw them itself.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(&variable);
        let locale = said.filter(|value| !value.is_empty()).map(|value| value.to_lowercase()).next();
        let term = variable("TERM").unwrap_or_default();
        match locale {
            Some(locale) if !locale.contains("utf-8") && !locale.contains("utf8") => Glyphs::Ascii,
            _ if matches!(term.as_str(), "xterm-ghostty" | "xterm-kitty") => Glyphs::Octant,
            _ => Glyphs::Braille,
        }
    }

    /// The character with these dots, row by row from the upper left one.
    #[must_use]
    pub fn dots(self, mask: u8) -> char {
        match self {
            Glyphs::Ascii => ascii(mask),
            Glyphs::Braille => braille(mask),
            Glyphs::Octant => OCTANTS[usize::from(mask)],
        }
    }
}

/// Bits of a braille character, row by row.
const BRAILLE: [u8; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

fn braille(mask: u8) -> char {
    let bits = BRAILLE.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
    char::from_u32(0x2800 + bits.map(|(_, value)| u32::from(*value)).sum::<u32>()).unwrap_or(' ')
}

/// The dots of a braille character, row by row.
#[must_use]
pub fn mask_of(braille: char) -> u8 {
    let bits = u32::from(braille).wrapping_sub(0x2800);
    let set = BRAILLE.iter().enumerate().filter(|(_, value)| bits & u32::from(**value) != 0);
    set.map(|(bit, _)| 1u8 << bit).sum()
}

/// A character of similar height and slope.
fn ascii(mask: u8) -> char {
    let row = |index: u8| mask >> (index * 2) & 0b11;
    let rows: Vec<u8> = (0..4).filter(|&index| row(index) != 0).collect();
    let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) else { return ' ' };
    match (top, bottom) {
        _ if mask.count_ones() >= 6 => '#',
        (0, 3) | (0, 2) | (1, 3) if row(top) == row(bottom) => '|',
        _ if bottom > top && row(top) == 0b10 && row(bottom) == 0b01 => '/',
        _ if bottom > top && row(top) == 0b01 && row(bottom) == 0b10 => '\\',
        (0, 2 | 3) | (1, 3) => ':',
        (0, _) => '\'',
        (3, _) => '_',
        (2, 3) => '.',
        _ => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Glyphs {
        Glyphs::detect(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_what_there_is() {
        assert_eq!(detect(&[]), Glyphs::Braille);
        assert_eq!(detect(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")]), Glyphs::Braille);
        assert_eq!(detect(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")]), Glyphs::Ascii);
        assert_eq!(detect(&[("TERM", "xterm-ghostty")]), Glyphs::Octant);
        assert_eq!(detect(&[("TERM", "xterm-ghostty"), ("LANG", "C")]), Glyphs::Ascii);
    }

    #[test]
    fn every_set_of_dots_has_a_character() {
        for mask in 0..=255u8 {
            assert_eq!(mask_of(Glyphs::Braille.dots(mask)), mask);
            assert!(Glyphs::Ascii.dots(mask).is_ascii());
            assert_eq!(Glyphs::Ascii.dots(mask) == ' ', mask == 0);
        }
        assert_eq!([0b0000_0011, 0b1100_0000, 0b0110_0000, 0b0000_1100].map(ascii), ['\'', '_', '/', '-']);
        assert_eq!(Glyphs::Octant.dots(0b1111_0000), '▄');
    }
}
