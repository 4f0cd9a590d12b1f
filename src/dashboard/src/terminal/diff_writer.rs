//! Changed cells as the fewest bytes that a terminal understands.
//!
//! Every frame may travel over SSH: a style is written only where it changes, in one sequence, and the cursor
//! takes the shortest way.

use std::borrow::Cow;
use std::io::Write;

use pellucid_protocol::scrub::scrub;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Colours and modifiers of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

/// The style after a reset.
const PLAIN: CellStyle = CellStyle { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// The longest run of unchanged cells that is written again instead of moving the cursor: a move takes three or
/// four bytes.
const LONGEST_BRIDGE: u16 = 3;

/// The most rows that the cursor goes down by line feeds, a byte each; more rows take one sequence.
const MOST_LINE_FEEDS: u16 = 3;

/// The most styles for which a frame is also written style by style. A heat map has more.
const FEW_STYLES: usize = 24;

/// Modifiers that are seen on a blank cell too.
const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Where the terminal's cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// Unknown.
    Lost,
    /// On this line, in an unknown column: terminals disagree about the width of what was written.
    OnLine(u16),
    /// At this column and line.
    At(u16, u16),
}

/// Writes cells, and knows the terminal's cursor and style after each.
#[derive(Debug, Clone)]
struct DiffWriter<'a> {
    bytes: Vec<u8>,
    /// The whole frame; only its changed cells have to be written.
    frame: &'a Buffer,
    cursor: Cursor,
    style: CellStyle,
}

/// Appends the bytes that make a terminal show `changes`, the changed cells of `frame`. The terminal's style is plain
/// before and after.
///
/// # Errors
/// Never, as far as known: it writes to memory.
pub(super) fn write(bytes: &mut Vec<u8>, changes: &[(u16, u16, &Cell)], frame: &Buffer) -> std::io::Result<()> {
    let new = DiffWriter { bytes: Vec::new(), frame, cursor: Cursor::Lost, style: PLAIN };
    let mut best = new.clone();
    changes.chunk_by(|a, b| a.1 == b.1).try_for_each(|line| best.write_line(line))?;
    best.set_style(PLAIN)?;
    if has_few_styles(changes) {
        let mut sorted = new;
        sorted.by_style(changes)?;
        sorted.set_style(PLAIN)?;
        best = best.or_shorter(sorted);
    }
    bytes.extend_from_slice(&best.bytes);
    Ok(())
}

/// Whether the cells have at most [`FEW_STYLES`] styles.
fn has_few_styles(cells: &[(u16, u16, &Cell)]) -> bool {
    let mut styles: Vec<CellStyle> = Vec::new();
    cells.iter().all(|(_, _, cell)| {
        if styles.last() != Some(&style_of(cell)) && !styles.contains(&style_of(cell)) {
            styles.push(style_of(cell));
        }
        styles.len() <= FEW_STYLES
    })
}

fn style_of(cell: &Cell) -> CellStyle {
    CellStyle { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
}

/// Whether two cells look the same on a terminal. Of two blank cells the foreground does not matter.
#[must_use]
pub(super) fn look_same(a: &Cell, b: &Cell) -> bool {
    a.symbol() == b.symbol() && fits(a, style_of(b))
}

/// Whether a cell looks right in a style: in its own, or, if it is blank, in any with its background.
fn fits(cell: &Cell, style: CellStyle) -> bool {
    let blank =
        cell.symbol() == " " && cell.bg == style.bg && !(cell.modifier | style.modifier).intersects(SEEN_ON_BLANKS);
    blank || style_of(cell) == style
}

/// Whether every terminal shows this symbol in one column.
fn is_one_column(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let first = characters.next().unwrap_or(' ');
    characters.next().is_none() && matches!(first, ' '..='~' | '·' | '─'..='▟' | '\u{2800}'..='\u{28ff}' | 'À'..='ÿ')
}

impl DiffWriter<'_> {
    /// Writes a line from left to right, or style by style: whichever is shorter.
    fn write_line(&mut self, cells: &[(u16, u16, &Cell)]) -> std::io::Result<()> {
        let mut straight = Self { bytes: Vec::new(), ..self.clone() };
        cells.iter().try_for_each(|&(x, y, cell)| straight.write_cell(x, y, cell))?;
        let mut sorted = Self { bytes: Vec::new(), ..self.clone() };
        sorted.by_style(cells)?;
        let best = straight.or_shorter(sorted);
        self.bytes.extend_from_slice(&best.bytes);
        (self.cursor, self.style) = (best.cursor, best.style);
        Ok(())
    }

    fn or_shorter(self, other: Self) -> Self {
        if other.bytes.len() < self.bytes.len() { other } else { self }
    }

    /// Writes the cells of one style together: moving the cursor mostly takes fewer bytes than changing a colour.
    fn by_style(&mut self, cells: &[(u16, u16, &Cell)]) -> std::io::Result<()> {
        let mut left: Vec<(u16, u16, &Cell)> = cells.to_vec();
        while let Some((_, _, first)) = left.first() {
            // Cells that need no change of style come first.
            let style =
                if left.iter().any(|(_, _, cell)| fits(cell, self.style)) { self.style } else { style_of(first) };
            let (now, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, _, cell)| fits(cell, style));
            now.into_iter().try_for_each(|(x, y, cell)| self.write_cell(x, y, cell))?;
            left = later;
        }
        Ok(())
    }

    fn write_cell(&mut self, x: u16, y: u16, cell: &Cell) -> std::io::Result<()> {
        self.move_to(x, y);
        if !fits(cell, self.style) {
            self.set_style(style_of(cell))?;
        }
        let one_column = is_one_column(cell.symbol());
        // The last gate before the terminal: whatever a widget has put into a cell, no control character passes.
        let symbol = if one_column { Cow::Borrowed(cell.symbol()) } else { scrub(cell.symbol()) };
        self.bytes.extend_from_slice(symbol.as_bytes());
        // Behind the last column terminals differ in where the cursor is.
        let known = one_column && x + 1 < self.frame.area.right();
        self.cursor = if known { Cursor::At(x + 1, y) } else { Cursor::OnLine(y) };
        Ok(())
    }

    fn move_to(&mut self, x: u16, y: u16) {
        match self.cursor {
            Cursor::At(at, line) if line == y && at == x => {}
            Cursor::At(at, line)
                if line == y && (1..=LONGEST_BRIDGE).contains(&x.wrapping_sub(at)) && self.can_bridge(at..x, y) =>
            {
                for x in at..x {
                    self.bytes.extend_from_slice(self.frame[(x, y)].symbol().as_bytes());
                }
            }
            _ => self.bytes.extend_from_slice(self.shortest_move(x, y).as_bytes()),
        }
    }

    /// The shortest sequence that moves the cursor to a cell.
    fn shortest_move(&self, x: u16, y: u16) -> String {
        let absolute = if x == 0 { format!("\x1b[{}H", y + 1) } else { format!("\x1b[{};{}H", y + 1, x + 1) };
        let relative = match self.cursor {
            Cursor::At(at, line) if line <= y => along(at, x) + &down(y - line),
            Cursor::OnLine(line) if line == y => shorter(format!("\x1b[{}G", x + 1), "\r".to_owned() + &right(x)),
            Cursor::OnLine(line) if line < y => format!("\r{}{}", down(y - line), right(x)),
            _ => return absolute,
        };
        shorter(absolute, relative)
    }

    /// Whether the unchanged cells in between can be written again, a byte each and in the present style.
    fn can_bridge(&self, cells: std::ops::Range<u16>, y: u16) -> bool {
        let mut cells = cells.into_iter().filter_map(|x| self.frame.cell((x, y)));
        cells.all(|cell| cell.symbol().len() == 1 && fits(cell, self.style))
    }

    fn set_style(&mut self, style: CellStyle) -> std::io::Result<()> {
        if style == self.style {
            return Ok(());
        }
        let from_plain = [vec![String::new()], codes(PLAIN, style)].concat().join(";");
        let codes = shorter(from_plain, codes(self.style, style).join(";"));
        self.style = style;
        write!(&mut self.bytes, "\x1b[{codes}m")
    }
}

fn shorter(a: String, b: String) -> String {
    if b.len() < a.len() { b } else { a }
}

/// Moves down by `rows`. In raw mode a line feed goes straight down.
fn down(rows: u16) -> String {
    if rows <= MOST_LINE_FEEDS { "\n".repeat(usize::from(rows)) } else { format!("\x1b[{rows}B") }
}

fn right(columns: u16) -> String {
    match columns {
        0 => String::new(),
        1 => "\x1b[C".to_owned(),
        more => format!("\x1b[{more}C"),
    }
}

/// Moves along a line from one column to another.
fn along(from: u16, to: u16) -> String {
    match from.saturating_sub(to) {
        0 => right(to - from),
        // Not by backspaces: none is ever sent, so that one that is seen has come from elsewhere.
        1 => shorter("\x1b[D".to_owned(), "\r".to_owned() + &right(to)),
        back => shorter(format!("\x1b[{back}D"), "\r".to_owned() + &right(to)),
    }
}

/// The codes that change one style to another.
fn codes(from: CellStyle, to: CellStyle) -> Vec<String> {
    let weight = Modifier::BOLD | Modifier::DIM;
    let mut gone = from.modifier - to.modifier;
    let mut new = to.modifier - from.modifier;
    if gone.intersects(weight) {
        // One code ends both.
        new |= to.modifier & weight;
        gone |= weight;
    }
    let mut codes: Vec<&str> = MODIFIERS.iter().filter(|(one, ..)| gone.contains(*one)).map(|(.., off)| *off).collect();
    codes.dedup();
    codes.extend(MODIFIERS.iter().filter(|(one, ..)| new.contains(*one)).map(|(_, on, _)| *on));
    let colors = [(to.fg != from.fg).then(|| color(to.fg, 30)), (to.bg != from.bg).then(|| color(to.bg, 40))];
    codes.into_iter().map(str::to_owned).chain(colors.into_iter().flatten()).collect()
}

/// The modifiers with the codes that switch them on and off.
const MODIFIERS: [(Modifier, &str, &str); 7] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

/// The code of a colour: `first` is 30 for the foreground, 40 for the background.
fn color(color: Color, first: u8) -> String {
    let named = |index: u8| if index < 8 { first + index } else { first + 60 + index - 8 };
    let index = match color {
        Color::Reset => return (first + 9).to_string(),
        Color::Rgb(r, g, b) => return format!("{};2;{r};{g};{b}", first + 8),
        Color::Indexed(index) => return format!("{};5;{index}", first + 8),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    named(index).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn written(paint: impl FnOnce(&mut Buffer)) -> String {
        let blank = Buffer::empty(Rect::new(0, 0, 20, 3));
        let mut buffer = blank.clone();
        paint(&mut buffer);
        let mut bytes = Vec::new();
        write(&mut bytes, &blank.diff(&buffer), &buffer).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn plain(text: &str) -> String {
        written(|buffer| buffer.set_string(0, 0, text, Style::new()))
    }

    #[test]
    fn ways_and_styles_are_short() {
        let bold = Style::new().fg(Color::Indexed(75)).add_modifier(Modifier::BOLD);
        let text = written(|buffer| {
            buffer.set_string(2, 1, "ab", bold);
            buffer.set_string(6, 1, "c", Style::new().fg(Color::Indexed(75)));
        });
        assert_eq!(text, "\x1b[2;3H\x1b[1;38;5;75mab  \x1b[22mc\x1b[m");
    }

    #[test]
    fn the_cursor_takes_the_shortest_way() {
        let text = written(|buffer| {
            for (x, y) in [(0, 0), (1, 1), (9, 1), (8, 2)] {
                buffer.set_string(x, y, "a", Style::new());
            }
        });
        assert_eq!(text, "\x1b[1Ha\na\x1b[7Ca\x1b[2D\na");
        assert_eq!(written(|buffer| buffer.set_string(18, 0, "ab", Style::new())), "\x1b[1;19Hab");
        let edge = written(|buffer| {
            buffer.set_string(19, 0, "a", Style::new());
            buffer.set_string(0, 1, "b", Style::new());
        });
        assert_eq!(edge, "\x1b[1;20Ha\r\nb", "not straight down from behind the last column");
    }

    #[test]
    fn blanks_need_no_foreground() {
        let (blue, blank) = (Style::new().fg(Color::Indexed(75)), Buffer::empty(Rect::new(0, 0, 20, 1)));
        let mut buffer = blank.clone();
        buffer.set_string(0, 0, "  ", blue);
        assert!(look_same(&blank[(0, 0)], &buffer[(0, 0)]));
        buffer.set_string(0, 0, " ", blue.add_modifier(Modifier::UNDERLINED));
        assert!(!look_same(&blank[(0, 0)], &buffer[(0, 0)]));
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let text = written(|buffer| {
            buffer[(0, 0)].set_symbol("\u{1b}[2J");
            buffer[(9, 0)].set_symbol("\u{202e}");
        });
        assert!(text.contains("␛[2J") && text.contains('\u{fffd}'), "{text:?}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{202e}'), "{text:?}");
    }

    #[test]
    fn after_a_character_of_doubtful_width_the_place_is_said_anew() {
        assert_eq!(plain("漢a"), "\x1b[1H漢\x1b[3Ga");
        assert_eq!(plain("●a"), "\x1b[1H●\x1b[2Ga");
        assert_eq!(plain("─a"), "\x1b[1H─a");
    }

    /// A terminal that knows just what is written here.
    struct Screen {
        cells: Vec<Vec<(String, String, String, Modifier)>>,
        at: (usize, usize),
        ink: (String, String, Modifier),
    }

    impl Screen {
        fn new(width: usize, height: usize) -> Self {
            let blank = (" ".to_owned(), "39".to_owned(), "49".to_owned(), Modifier::empty());
            let ink = ("39".to_owned(), "49".to_owned(), Modifier::empty());
            Self { cells: vec![vec![blank; width]; height], at: (0, 0), ink }
        }

        fn show(&mut self, text: &str) {
            let mut rest = text;
            while let Some(c) = rest.chars().next() {
                if let Some(sequence) = rest.strip_prefix("\x1b[") {
                    let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    self.obey(&sequence[..end], &sequence[end..=end]);
                    rest = &sequence[end + 1..];
                } else if let Some(control) = ['\r', '\n'].into_iter().find(|&control| control == c) {
                    self.steer(control);
                    rest = &rest[1..];
                } else {
                    let (x, y) = self.at;
                    let (fg, bg, modifier) = self.ink.clone();
                    self.cells[y][x] = (c.to_string(), fg, bg, modifier);
                    self.at.0 += 1;
                    rest = &rest[c.len_utf8()..];
                }
            }
        }

        fn steer(&mut self, control: char) {
            assert!(control == '\r' || self.at.0 < self.cells[0].len(), "terminals differ in where they are");
            match control {
                '\r' => self.at.0 = 0,
                _ => self.at.1 += 1,
            }
        }

        fn obey(&mut self, parameters: &str, command: &str) {
            let number = |text: &str| text.parse::<usize>().unwrap_or(1);
            match command {
                "H" => {
                    let (y, x) = parameters.split_once(';').unwrap_or((parameters, "1"));
                    self.at = (number(x) - 1, number(y) - 1);
                }
                "G" => self.at.0 = number(parameters) - 1,
                "B" => self.at.1 += number(parameters),
                "C" => self.at.0 += number(parameters),
                "D" => self.at.0 -= number(parameters),
                "m" => self.dress(&parameters.split(';').collect::<Vec<_>>()),
                other => panic!("{other}"),
            }
        }

        fn dress(&mut self, codes: &[&str]) {
            let mut at = 0;
            while at < codes.len() {
                let length = match (codes[at], codes.get(at + 1)) {
                    ("38" | "48", Some(&"2")) => 5,
                    ("38" | "48", Some(&"5")) => 3,
                    _ => 1,
                };
                let code = codes[at..at + length].join(";");
                match (codes[at], codes[at].len()) {
                    ("", _) => self.ink = ("39".to_owned(), "49".to_owned(), Modifier::empty()),
                    (first, 1) => self.ink.2 |= MODIFIERS.iter().find(|(_, on, _)| *on == first).unwrap().0,
                    (first, 2) if first.starts_with('2') => {
                        let off = MODIFIERS.iter().filter(|(.., off)| *off == first).map(|(one, ..)| *one);
                        off.for_each(|one| self.ink.2 -= one);
                    }
                    (first, _) if first.starts_with('4') || first.starts_with("10") => self.ink.1 = code,
                    _ => self.ink.0 = code,
                }
                at += length;
            }
        }
    }

    fn cells() -> impl Strategy<Value = Vec<(char, Color, Color, Modifier)>> {
        let colors = [Color::Reset, Color::Red, Color::White, Color::Indexed(75), Color::Rgb(1, 22, 255)];
        let modifiers = [Modifier::empty(), Modifier::BOLD, Modifier::DIM, Modifier::BOLD | Modifier::UNDERLINED];
        let color = prop::sample::select(colors.to_vec());
        let symbol = prop_oneof![3 => Just(' '), 2 => Just('a'), 1 => Just('─'), 1 => Just('●'), 1 => Just('⣀')];
        prop::collection::vec((symbol, color.clone(), color, prop::sample::select(modifiers.to_vec())), 60)
    }

    fn filled(cells: &[(char, Color, Color, Modifier)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
        for (target, (symbol, fg, bg, modifier)) in buffer.content.iter_mut().zip(cells) {
            target.set_char(*symbol).set_style(Style::new().fg(*fg).bg(*bg).add_modifier(*modifier));
        }
        buffer
    }

    /// What an eye sees of a cell: a blank one has no ink.
    fn seen((symbol, fg, bg, modifier): &(String, String, String, Modifier)) -> (String, String, String, Modifier) {
        let blank = symbol == " " && !modifier.intersects(SEEN_ON_BLANKS);
        let (fg, modifier) = if blank { (String::new(), Modifier::empty()) } else { (fg.clone(), *modifier) };
        (symbol.clone(), fg, bg.clone(), modifier)
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_painted(first in cells(), second in cells()) {
            let mut screen = Screen::new(20, 3);
            let mut before = Buffer::empty(Rect::new(0, 0, 20, 3));
            for cells in [first, second] {
                let buffer = filled(&cells);
                let mut bytes = Vec::new();
                let changes: Vec<_> =
                    before.diff(&buffer).into_iter().filter(|(x, y, cell)| !look_same(&before[(*x, *y)], cell)).collect();
                write(&mut bytes, &changes, &buffer).unwrap();
                screen.show(std::str::from_utf8(&bytes).unwrap());
                for (cell, shown) in buffer.content.iter().zip(screen.cells.iter().flatten()) {
                    let wanted = (cell.symbol().to_owned(), color(cell.fg, 30), color(cell.bg, 40), cell.modifier);
                    prop_assert_eq!(seen(shown), seen(&wanted));
                }
                before = buffer;
            }
        }
    }
}
