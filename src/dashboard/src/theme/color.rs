//! Colours: how they are written, mixed, and brought down to what a terminal has.

use ratatui::style::{Color, Style};
use serde::Deserialize;

/// How many colours to draw with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// As many as the terminal says it has; none if NO_COLOR is set.
    #[default]
    Auto,
    /// As many as the terminal says it has, even if NO_COLOR is set.
    Always,
    /// None.
    Never,
    /// The 16 of the terminal's palette.
    #[value(name = "16")]
    Ansi16,
    /// The 256 of xterm.
    #[value(name = "256")]
    Ansi256,
    /// 24 bits.
    Truecolor,
}

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// No colours: only bold, dim and reverse.
    None,
    /// The 16 of the terminal.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    Truecolor,
}

impl Level {
    /// The colours that were chosen, or that the environment says the terminal has.
    #[must_use]
    pub fn choose(choice: ColorChoice, variable: impl Fn(&str) -> Option<String>) -> Self {
        let has_no_color = || variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        match choice {
            ColorChoice::Auto if has_no_color() || variable("TERM").as_deref() == Some("dumb") => Level::None,
            ColorChoice::Auto | ColorChoice::Always => Self::detect(&variable),
            ColorChoice::Truecolor => Level::Truecolor,
            ColorChoice::Ansi256 => Level::Ansi256,
            ColorChoice::Ansi16 => Level::Ansi16,
            ColorChoice::Never => Level::None,
        }
    }

    /// The colours that COLORTERM and TERM name. SSH seldom passes COLORTERM on, and nearly every terminal has 256
    /// colours: that is the default.
    fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let colorterm = variable("COLORTERM").unwrap_or_default();
        if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Level::Truecolor
        } else if matches!(term.as_str(), "linux" | "ansi" | "vt100" | "vt220" | "xterm-16color" | "dumb" | "") {
            Level::Ansi16
        } else {
            Level::Ansi256
        }
    }

    /// The nearest colour that the terminal has.
    #[must_use]
    pub fn quantise(self, color: Color) -> Color {
        match (self, color) {
            (Level::None, _) => Color::Reset,
            (Level::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(nearest_256([r, g, b])),
            (Level::Ansi16, Color::Rgb(r, g, b)) => nearest_16([r, g, b]),
            (_, color) => color,
        }
    }
}

/// A colour as written in a theme: `default`, `#rrggbb`, a name such as `light-blue`, or a number to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Paint(Color);

impl Paint {
    /// The colour.
    #[must_use]
    pub fn color(self) -> Color {
        self.0
    }
}

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self(Color::Reset));
        }
        text.parse().map(Self).map_err(|_| {
            format!("`{text}` is no colour: use default, #rrggbb, a name such as light-blue, or a number to 255")
        })
    }
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // The eye sees green best and blue least.
    std::iter::zip([3, 6, 1], std::iter::zip(a, b))
        .map(|(weight, (a, b))| weight * u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

fn nearest_256(rgb: [u8; 3]) -> u8 {
    let step = |value: u8| (0u8..6).min_by_key(|&i| CUBE[usize::from(i)].abs_diff(value)).unwrap_or(0);
    let [r, g, b] = rgb.map(step);
    let in_cube = [r, g, b].map(|i| CUBE[usize::from(i)]);
    let gray = (0u8..24).min_by_key(|&i| distance([8 + 10 * i; 3], rgb)).unwrap_or(0);
    if distance([8 + 10 * gray; 3], rgb) < distance(in_cube, rgb) { 232 + gray } else { 16 + 36 * r + 6 * g + b }
}

/// The 16 colours as xterm shows them.
pub(super) const ANSI: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

fn nearest_16(rgb: [u8; 3]) -> Color {
    ANSI.iter().min_by_key(|(_, known)| distance(*known, rgb)).map_or(Color::Reset, |(color, _)| *color)
}

/// Red, green and blue of a colour; `None` for the terminal's own.
#[must_use]
pub fn rgb(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index @ 0..16) => Some(ANSI[usize::from(index)].1),
        Color::Indexed(index @ 232..) => Some([8 + 10 * (index - 232); 3]),
        Color::Indexed(index) => {
            let index = index - 16;
            Some([index / 36, index / 6 % 6, index % 6].map(|i| CUBE[usize::from(i)]))
        }
        named => ANSI.iter().find(|(color, _)| *color == named).map(|(_, rgb)| *rgb),
    }
}

/// `share` of the way from `a` to `b`.
#[must_use]
pub fn mix(a: Color, b: Color, share: f64) -> Color {
    let (Some(from), Some(to)) = (rgb(a), rgb(b)) else { return if share < 0.5 { a } else { b } };
    let [r, g, b] =
        std::array::from_fn(|i| (f64::from(from[i]) + share * (f64::from(to[i]) - f64::from(from[i]))).round() as u8);
    Color::Rgb(r, g, b)
}

/// The colour at `share` of the way along a row of colours. Named colours are not mixed: the terminal defines them.
#[must_use]
pub(super) fn along(row: &[Paint], share: f64) -> Color {
    let place = share.clamp(0.0, 1.0) * row.len().saturating_sub(1) as f64;
    let at = |index: usize| row.get(index).or(row.last()).map_or(Color::Reset, |paint| paint.color());
    match (at(place as usize), at(place as usize + 1)) {
        (a @ Color::Rgb(..), b @ Color::Rgb(..)) => mix(a, b, place.fract()),
        _ => at(place.round() as usize),
    }
}

/// Black or white text, whichever is easier to read, on `background`.
#[must_use]
pub(super) fn on(background: Color) -> Style {
    let Some([r, g, b]) = rgb(background) else { return Style::new().bg(background) };
    let light = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    let foreground = if light > 140.0 { Color::Indexed(16) } else { Color::Indexed(231) };
    Style::new().fg(foreground).bg(background)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(choice: ColorChoice, pairs: &[(&str, &str)]) -> Level {
        Level::choose(choice, |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn detect(pairs: &[(&str, &str)]) -> Level {
        choose(ColorChoice::Auto, pairs)
    }

    #[test]
    fn always_means_as_many_as_there_are() {
        let always = |term, colorterm| {
            choose(ColorChoice::Always, &[("TERM", term), ("COLORTERM", colorterm), ("NO_COLOR", "1")])
        };
        assert_eq!(always("xterm", "truecolor"), Level::Truecolor);
        assert_eq!(always("screen-256color", ""), Level::Ansi256);
        assert_eq!((always("vt220", ""), always("dumb", "")), (Level::Ansi16, Level::Ansi16));
    }

    #[test]
    fn the_environment_is_read_as_documented() {
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Level::Truecolor);
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Level::Ansi256);
        assert_eq!(detect(&[("TERM", "linux")]), Level::Ansi16);
        assert_eq!(detect(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Level::None);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Level::Ansi256);
        assert_eq!(Level::choose(ColorChoice::Ansi16, |_| None), Level::Ansi16);
    }

    #[test]
    fn the_nearest_of_256_is_found() {
        assert_eq!(nearest_256([255, 0, 0]), 196);
        assert_eq!(nearest_256([95, 135, 175]), 67);
        assert_eq!(nearest_256([118, 118, 118]), 243);
        assert_eq!(nearest_16([250, 10, 5]), Color::LightRed);
    }

    #[test]
    fn a_colour_of_256_is_its_own_nearest() {
        for index in 16..=255u8 {
            let color = rgb(Color::Indexed(index)).unwrap();
            assert_eq!(rgb(Color::Indexed(nearest_256(color))), Some(color), "{index}");
        }
    }
}
