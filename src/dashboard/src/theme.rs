//! Themes: a few named colours and a diverging ramp in a TOML file, and all styles derived from them.

mod color;
mod glyphs;
mod tone;

use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_protocol::explanation::Sign;
use pellucid_protocol::line_at::line_at;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::config;

pub use color::{ColorChoice, Level, Paint, mix, rgb};
pub use glyphs::{Glyphs, mask_of};
pub use tone::Tone;

/// The themes that are shipped, by name.
pub const SHIPPED: [(&str, &str); 6] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("colour-blind-light", include_str!("../../../themes/colour-blind-light.toml")),
    ("terminal", include_str!("../../../themes/terminal.toml")),
];

/// Number of colours for curves.
pub const SERIES: usize = 6;

/// A theme file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    colors: Colors,
    ramp: Ramp,
    picture: Picture,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Colors {
    text: Paint,
    muted: Paint,
    faint: Paint,
    accent: Paint,
    good: Paint,
    warn: Paint,
    bad: Paint,
    selection: Paint,
    series: [Paint; SERIES],
}

/// Backgrounds of words from weak to strong, on both sides of zero.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ramp {
    against: Vec<Paint>,
    #[serde(rename = "for")]
    speaks_for: Vec<Paint>,
}

/// The colours that stand for the terminal's own in pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// The background.
    pub background: Paint,
    /// Text without a colour of its own.
    pub foreground: Paint,
}

impl Theme {
    /// A shipped theme, one of the user's by name, or a file by path.
    ///
    /// # Errors
    /// One line that says what was looked for, or which line of the file is wrong.
    pub fn find(wanted: Option<&str>) -> Result<Self, String> {
        let wanted = wanted.unwrap_or("dark");
        if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == wanted) {
            return Self::parse(text, name);
        }
        let paths = [Some(PathBuf::from(wanted)), config::path(&format!("themes/{wanted}.toml"))];
        match paths.into_iter().flatten().find(|path| path.is_file()) {
            Some(path) => Self::read(&path),
            None => Err(format!(
                "no theme `{wanted}`: neither a file nor one of {} nor in ~/.config/pellucid/themes",
                SHIPPED.map(|(name, _)| name).join(", ")
            )),
        }
    }

    fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display().to_string();
        let text = bounded::read_text(path, bounded::SETTINGS).map_err(|error| format!("{shown}: {error}"))?;
        Self::parse(&text, &shown)
    }

    /// The theme that is written in `text`; `from` names it in errors.
    ///
    /// # Errors
    /// One line that says which line is wrong.
    pub fn parse(text: &str, from: &str) -> Result<Self, String> {
        let theme: Theme = toml::from_str(text).map_err(|error| {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            format!("theme {from}:{line}: {}", error.message())
        })?;
        if theme.ramp.against.is_empty() || theme.ramp.speaks_for.is_empty() {
            return Err(format!("theme {from}: each side of the ramp needs a colour"));
        }
        Ok(theme)
    }

    /// The colours that stand for the terminal's own in pictures.
    #[must_use]
    pub fn picture(&self) -> Picture {
        self.picture
    }
}

/// All styles of the screen, derived from a [`Theme`] for a number of colours.
#[derive(Debug, Clone)]
pub struct Styles {
    /// Plain text.
    pub text: Style,
    /// Emphasised text: names, numbers.
    pub strong: Style,
    /// Secondary text: labels, hints.
    pub muted: Style,
    /// Frames, axes, empty parts of bars.
    pub faint: Style,
    /// Keys, titles, the tab that is open.
    pub accent: Style,
    /// Success.
    pub good: Style,
    /// Warnings.
    pub warn: Style,
    /// Errors.
    pub bad: Style,
    /// The line under the cursor. It keeps the foreground of its text.
    pub selection: Style,
    /// The smoothed curves.
    pub series: [Style; SERIES],
    /// The raw points behind them.
    pub raw: [Style; SERIES],
    /// Colours to draw with.
    pub level: Level,
    /// What dots are drawn with.
    pub glyphs: Glyphs,
    ramp: Ramp,
    /// Backgrounds of words whose scores have no sign, from weak to strong.
    neutral: Vec<Paint>,
}

impl Styles {
    /// The styles of `theme` in `level` colours.
    #[must_use]
    pub fn new(theme: &Theme, level: Level) -> Self {
        let colors = &theme.colors;
        let fg = |paint: Paint| Style::new().fg(level.quantise(paint.color()));
        let plain = |paint, instead| if level == Level::None { Style::new().add_modifier(instead) } else { fg(paint) };
        Self {
            text: fg(colors.text),
            strong: fg(colors.text).add_modifier(Modifier::BOLD),
            muted: plain(colors.muted, Modifier::DIM),
            faint: plain(colors.faint, Modifier::DIM),
            accent: plain(colors.accent, Modifier::BOLD),
            good: fg(colors.good),
            warn: plain(colors.warn, Modifier::BOLD),
            bad: plain(colors.bad, Modifier::BOLD).add_modifier(Modifier::BOLD),
            selection: selection(colors.selection, level),
            series: colors.series.map(fg),
            raw: colors.series.map(|paint| raw(paint, theme.picture.background, level)),
            level,
            glyphs: Glyphs::default(),
            ramp: theme.ramp.clone(),
            neutral: vec![colors.faint, colors.muted],
        }
    }

    /// The same styles with other dots.
    #[must_use]
    pub fn with(self, glyphs: Glyphs) -> Self {
        Self { glyphs, ..self }
    }

    /// The style of a word of strength `share`, from -1 (against the class) to 1 (for it); of scores without a sign in
    /// the colour of neither side.
    #[must_use]
    pub fn heat(&self, sign: Sign, share: f64) -> Style {
        let strength = share.abs();
        let side = self.ramp(sign, share);
        match self.level {
            _ if strength.is_nan() || strength < 0.05 => self.text,
            Level::None if strength >= 0.5 => Style::new().add_modifier(Modifier::BOLD),
            Level::None => Style::new(),
            Level::Ansi16 if strength < 0.34 => Style::new().fg(self.level.quantise(color::along(side, 1.0))),
            _ => color::on(self.level.quantise(color::along(side, (strength - 0.05) / 0.95))),
        }
    }

    /// Text in the colour of the side that a score is on; plain where scores have no sign.
    #[must_use]
    pub fn ink(&self, sign: Sign, score: f64) -> Style {
        match sign {
            Sign::ForOrAgainst => self.side(score),
            Sign::None => self.text,
        }
    }

    fn ramp(&self, sign: Sign, share: f64) -> &[Paint] {
        match sign {
            Sign::None => &self.neutral,
            Sign::ForOrAgainst if share < 0.0 => &self.ramp.against,
            Sign::ForOrAgainst => &self.ramp.speaks_for,
        }
    }

    /// Text in the colour of one side of the ramp.
    #[must_use]
    pub fn side(&self, share: f64) -> Style {
        Style::new().fg(self.level.quantise(color::along(self.ramp(Sign::ForOrAgainst, share), 1.0)))
    }
}

fn selection(paint: Paint, level: Level) -> Style {
    match (level, paint.color()) {
        (Level::None | Level::Ansi16, _) | (_, Color::Reset) => Style::new().add_modifier(Modifier::REVERSED),
        (_, color) => Style::new().bg(level.quantise(color)),
    }
}

/// The colour of a curve half way to the background, for the points behind it.
fn raw(paint: Paint, background: Paint, level: Level) -> Style {
    match (paint.color(), background.color(), level) {
        (line @ Color::Rgb(..), back @ Color::Rgb(..), Level::Truecolor | Level::Ansi256) => {
            Style::new().fg(level.quantise(color::mix(back, line, 0.45)))
        }
        (line, ..) => Style::new().fg(level.quantise(line)).add_modifier(Modifier::DIM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_is_whole() {
        for (name, _) in SHIPPED {
            let theme = Theme::find(Some(name)).unwrap();
            for level in [Level::None, Level::Ansi16, Level::Ansi256, Level::Truecolor] {
                let styles = Styles::new(&theme, level);
                for sign in [Sign::ForOrAgainst, Sign::None] {
                    assert_ne!(styles.heat(sign, 1.0), styles.heat(sign, 0.0), "{name} {level:?}");
                }
            }
        }
    }

    /// What a colour is to an eye without the cones for red, and to one without those for green: on linear light,
    /// by the matrices of Machado, Oliveira and Fernandes 2009, table 1, severity 1.
    const BLIND: [[[f64; 3]; 3]; 2] = [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ];

    fn seen(paint: Paint, eye: &[[f64; 3]; 3]) -> [f64; 3] {
        let light = rgb(paint.color()).unwrap().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        eye.map(|row| {
            let light = std::iter::zip(row, light).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0);
            255.0 * if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
        })
    }

    #[test]
    fn the_colour_blind_tell_curves_and_verdicts_apart() {
        for name in ["colour-blind", "colour-blind-light"] {
            let colors = Theme::find(Some(name)).unwrap().colors;
            for eye in &BLIND {
                let apart = |a: Paint, b: Paint| {
                    std::iter::zip(seen(a, eye), seen(b, eye)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
                };
                for (index, a) in colors.series.iter().enumerate() {
                    for b in &colors.series[index + 1..] {
                        assert!(apart(*a, *b) > 50.0, "{name}: {a:?} and {b:?}");
                    }
                }
                assert!(apart(colors.good, colors.bad) > 80.0, "{name}");
            }
        }
    }

    #[test]
    fn both_sides_of_the_ramp_differ_and_nothing_is_painted_at_zero() {
        let styles = Styles::new(&Theme::find(None).unwrap(), Level::Truecolor);
        let heat = |share| styles.heat(Sign::ForOrAgainst, share).bg;
        assert_ne!(heat(0.9), heat(-0.9));
        assert_eq!((heat(0.0), heat(f64::NAN)), (None, None));
        let neutral = styles.heat(Sign::None, 0.9).bg;
        assert!(neutral.is_some() && neutral != heat(0.9) && neutral != heat(-0.9));
        assert_eq!(styles.heat(Sign::None, -0.9), styles.heat(Sign::None, 0.9));
    }

    #[test]
    fn without_colours_there_are_none() {
        let styles = Styles::new(&Theme::find(Some("light")).unwrap(), Level::None);
        let mut all = vec![styles.text, styles.muted, styles.accent, styles.bad, styles.selection];
        all.extend([Sign::ForOrAgainst, Sign::None].map(|sign| styles.heat(sign, 0.9)));
        all.extend(styles.series);
        assert!(all.iter().all(|style| matches!(style.fg, None | Some(Color::Reset)) && style.bg.is_none()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = SHIPPED[0].1.replace("muted =", "mutted =");
        let error = Theme::parse(&text, "mine.toml").unwrap_err();
        assert!(error.starts_with("theme mine.toml:") && error.contains("mutted"), "{error}");
        assert!(Theme::find(Some("nothing")).unwrap_err().contains("high-contrast"));
    }
}
