//! Frames as pictures: what the terminal would show, as SVG.

mod glyph;

use std::fmt::Write;

use color_eyre::eyre::{WrapErr, eyre};
use pellucid_client::FromRun;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use ratatui::widgets::Widget;

use self::glyph::{CELL, outline};
use crate::app::Options;
use crate::app::answer;
use crate::input::keymap::Key;
use crate::input::screen::Screen;
use crate::msg::Msg;
use crate::pages::page::Page;
use crate::state::State;
use crate::theme::ColorChoice;
use crate::theme::{Level, Picture, Styles, Theme, mix, rgb};
use crate::update::update;
use crate::view::View;

/// How a picture is made.
#[derive(Debug, Clone, Copy)]
pub struct PictureOptions<'a> {
    /// The size of the terminal.
    pub size: Size,
    /// The keys pressed before.
    pub keys: &'a [Key],
    /// How the dashboard looks.
    pub options: &'a Options,
}

/// The frame that the dashboard would show of a recorded run.
///
/// # Errors
/// When the theme is not known or the record cannot be read.
pub fn snapshot(run: &RunDir, screen: Screen, capture: PictureOptions) -> color_eyre::Result<Buffer> {
    let pieces = LogReader::new(&run.events()).read_pieces(u64::MAX);
    let pieces = pieces.wrap_err_with(|| run.events().display().to_string())?;
    let end = pieces.last().and_then(|last| last.time(last.len() - 1)).unwrap_or(0.0);
    let mut state = State::new(end, capture.size, screen);
    let messages =
        [FromRun::Opened(run.clone()), FromRun::Logged(pieces), FromRun::ViewOnly("a recorded run".to_owned())];
    for message in messages {
        settle(&mut state, Msg::Run(message));
    }
    settle(&mut state, Msg::Tick(end));
    capture.keys.iter().for_each(|key| settle(&mut state, Msg::Key(key.event())));
    Ok(frame(&state, &styles(capture.options)?, capture.size))
}

/// A frame of a screen of its own.
///
/// # Errors
/// When the theme is not known.
pub fn page<P: Page>(page: &mut P, capture: PictureOptions) -> color_eyre::Result<Buffer> {
    for key in capture.keys {
        // Its answer would close it.
        let _answer = page.press(&key.event(), capture.size);
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, capture.size.width, capture.size.height));
    let area = buffer.area;
    page.render(&styles(capture.options)?, area, &mut buffer);
    Ok(buffer)
}

/// Applies a message, and the files that it asks for.
fn settle(state: &mut State, message: Msg) {
    for effect in update(state, message) {
        if let Some(answer) = answer(effect) {
            update(state, answer);
        }
    }
}

/// One frame of `state`.
#[must_use]
pub(super) fn frame(state: &State, styles: &Styles, size: Size) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
    View { state, styles }.render(buffer.area, &mut buffer);
    buffer
}

fn theme(options: &Options) -> color_eyre::Result<Theme> {
    Theme::find(options.theme.as_deref()).map_err(|why| eyre!(why))
}

/// Pictures have all colours unless asked for fewer.
fn styles(options: &Options) -> color_eyre::Result<Styles> {
    let choice = match options.color {
        None | Some(ColorChoice::Auto) => ColorChoice::Truecolor,
        Some(choice) => choice,
    };
    Ok(Styles::new(&theme(options)?, Level::choose(choice, |_| None)))
}

/// A frame as an SVG picture, on the background that the theme names for pictures.
///
/// # Errors
/// When the theme is not known.
pub fn svg(frame: &Buffer, options: &Options) -> color_eyre::Result<String> {
    let colors = theme(options)?.picture();
    let (width, height) = (f64::from(frame.area.width) * CELL.0, f64::from(frame.area.height) * CELL.1);
    let mut out = String::new();
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.1} {h:.1}" width="{w:.0}" height="{h:.0}">"#,
        w = width + 16.0,
        h = height + 16.0
    )?;
    writeln!(out, r#"<rect width="100%" height="100%" rx="8" fill="{}"/>"#, hex(colors.background.color(), "#000000"))?;
    out.push_str(r#"<g transform="translate(8 8)" font-family="'DejaVu Sans Mono','Menlo','Consolas',monospace" font-size="14" xml:space="preserve">"#);
    out.push('\n');
    for y in frame.area.top()..frame.area.bottom() {
        line(&mut out, frame, y, colors)?;
    }
    out.push_str("</g>\n</svg>\n");
    Ok(out)
}

/// Backgrounds first, then text in runs of one style.
fn line(out: &mut String, frame: &Buffer, y: u16, colors: Picture) -> std::fmt::Result {
    let cells: Vec<(u16, &Cell)> =
        (frame.area.left()..frame.area.right()).filter_map(|x| Some((x, frame.cell((x, y))?))).collect();
    for run in cells.chunk_by(|a, b| look(a.1, colors).1 == look(b.1, colors).1) {
        if let Some(background) = look(run[0].1, colors).1 {
            let (x, width) = (f64::from(run[0].0) * CELL.0, run.len() as f64 * CELL.0);
            let top = f64::from(y) * CELL.1;
            writeln!(
                out,
                r#"<rect x="{x:.1}" y="{top:.1}" width="{width:.1}" height="{:.1}" fill="{background}"/>"#,
                CELL.1
            )?;
        }
    }
    for run in cells.chunk_by(|a, b| style(a.1) == style(b.1)) {
        text(out, run, y, colors)?;
    }
    Ok(())
}

fn style(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

/// Curves, bars and boxes as one path; ASCII as one text; every other character in its own place.
fn text(out: &mut String, run: &[(u16, &Cell)], y: u16, colors: Picture) -> std::fmt::Result {
    let Some((_, first)) = run.iter().find(|(_, cell)| !cell.symbol().trim().is_empty()) else { return Ok(()) };
    let foreground = look(first, colors).0;
    let top = f64::from(y) * CELL.1;
    let shapes: String =
        run.iter().filter_map(|(x, cell)| outline(cell.symbol(), f64::from(*x) * CELL.0, top)).collect();
    if !shapes.is_empty() {
        writeln!(out, r#"<path d="{shapes}" fill="{foreground}"/>"#)?;
    }
    let style = attributes(first, &foreground);
    for part in run.chunk_by(|a, b| a.1.symbol().is_ascii() && b.1.symbol().is_ascii()) {
        let glyphs: String = part.iter().map(|(_, cell)| escape(cell.symbol())).collect();
        if glyphs.trim().is_empty() || outline(part[0].1.symbol(), 0.0, 0.0).is_some() {
            continue;
        }
        let x = f64::from(part[0].0) * CELL.0;
        writeln!(out, r#"<text x="{x:.2}" y="{:.1}"{style}>{glyphs}</text>"#, top + 13.5)?;
    }
    Ok(())
}

fn attributes(cell: &Cell, foreground: &str) -> String {
    let bold = if cell.modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let lined = if cell.modifier.contains(Modifier::UNDERLINED) { r#" text-decoration="underline""# } else { "" };
    format!(r#" fill="{foreground}"{bold}{lined}"#)
}

/// Ink and background of a cell; no background where it is the terminal's own.
fn look(cell: &Cell, colors: Picture) -> (String, Option<String>) {
    let (own_foreground, own_background) = (colors.foreground.color(), colors.background.color());
    let pick = |color: Color, own: Color| if color == Color::Reset { own } else { color };
    let (mut foreground, mut background) = (pick(cell.fg, own_foreground), pick(cell.bg, own_background));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut foreground, &mut background);
    }
    if cell.modifier.contains(Modifier::DIM) {
        foreground = mix(background, foreground, 0.55);
    }
    let painted = background != own_background;
    (hex(foreground, "#ffffff"), painted.then(|| hex(background, "#000000")))
}

fn hex(color: Color, otherwise: &str) -> String {
    rgb(color).map_or_else(|| otherwise.to_owned(), |[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"))
}

fn escape(symbol: &str) -> String {
    symbol.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
