//! Changed cells as the fewest bytes that a terminal understands.
//!
//! Every frame travels, often over SSH: styles are written only where they change, all in one
//! sequence, and the cursor takes the shortest way.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// What the terminal writes with.
type Look = (Color, Color, Modifier);

const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

/// Cells that may be written again: a way is three or four bytes.
const BRIDGE: u16 = 3;

/// Rows that are gone one by one, a byte each: more are one sequence.
const SINGLE: u16 = 3;

/// Looks for each of which a whole frame is gone through; a heatmap has more.
const FEW: usize = 24;

/// What is seen of a blank cell too.
const LINES: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Where the terminal's cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// Not known.
    Lost,
    /// On this line: what was written may be of another width there.
    Unsure(u16),
    /// Before this cell.
    At(u16, u16),
}

/// Writes cells, and remembers what the terminal has understood so far.
#[derive(Debug, Clone)]
struct Pen<'a> {
    bytes: Vec<u8>,
    /// The whole frame, of which only the changed cells have to be written.
    frame: &'a Buffer,
    cursor: Cursor,
    look: Look,
}

/// Appends what makes a terminal show `changes`; it writes plainly before and after.
///
/// # Errors
/// Never, as far as known: it writes to memory.
pub(super) fn write(bytes: &mut Vec<u8>, changes: &[(u16, u16, &Cell)], frame: &Buffer) -> std::io::Result<()> {
    let new = Pen { bytes: Vec::new(), frame, cursor: Cursor::Lost, look: PLAIN };
    let mut best = new.clone();
    changes.chunk_by(|a, b| a.1 == b.1).try_for_each(|line| best.shortest(line))?;
    best.dress(PLAIN)?;
    if has_few_looks(changes) {
        let mut sorted = new;
        sorted.by_look(changes)?;
        sorted.dress(PLAIN)?;
        best = best.or_shorter(sorted);
    }
    bytes.extend_from_slice(&best.bytes);
    Ok(())
}

/// Whether the cells have so few looks that the whole frame can be gone through for each of them.
fn has_few_looks(cells: &[(u16, u16, &Cell)]) -> bool {
    let mut looks: Vec<Look> = Vec::new();
    cells.iter().all(|(_, _, cell)| {
        if looks.last() != Some(&look(cell)) && !looks.contains(&look(cell)) {
            looks.push(look(cell));
        }
        looks.len() <= FEW
    })
}

fn look(cell: &Cell) -> Look {
    (cell.fg, cell.bg, cell.modifier)
}

/// Whether two cells look alike, though their inks may differ.
#[must_use]
pub(super) fn alike(a: &Cell, b: &Cell) -> bool {
    a.symbol() == b.symbol() && fits(a, look(b))
}

/// Whether a cell can be written in a look: in its own, or in any where it is blank.
fn fits(cell: &Cell, with: Look) -> bool {
    let blank = cell.symbol() == " " && cell.bg == with.1 && !(cell.modifier | with.2).intersects(LINES);
    blank || look(cell) == with
}

/// Whether every terminal agrees that this takes one column.
fn sure(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let first = characters.next().unwrap_or(' ');
    characters.next().is_none() && matches!(first, ' '..='~' | '·' | '─'..='▟' | '\u{2800}'..='\u{28ff}' | 'À'..='ÿ')
}

impl Pen<'_> {
    /// A line from left to right, or style by style: whichever is shorter.
    fn shortest(&mut self, cells: &[(u16, u16, &Cell)]) -> std::io::Result<()> {
        let mut straight = Self { bytes: Vec::new(), ..self.clone() };
        cells.iter().try_for_each(|&(x, y, cell)| straight.cell(x, y, cell))?;
        let mut sorted = Self { bytes: Vec::new(), ..self.clone() };
        sorted.by_look(cells)?;
        let best = straight.or_shorter(sorted);
        self.bytes.extend_from_slice(&best.bytes);
        (self.cursor, self.look) = (best.cursor, best.look);
        Ok(())
    }

    fn or_shorter(self, other: Self) -> Self {
        if other.bytes.len() < self.bytes.len() { other } else { self }
    }

    /// Cells in their order, those of one style together: a way is mostly shorter than a colour.
    fn by_look(&mut self, cells: &[(u16, u16, &Cell)]) -> std::io::Result<()> {
        let mut left: Vec<(u16, u16, &Cell)> = cells.to_vec();
        while let Some((_, _, first)) = left.first() {
            // What needs no change of style comes first.
            let wanted = if left.iter().any(|(_, _, cell)| fits(cell, self.look)) { self.look } else { look(first) };
            let (now, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, _, cell)| fits(cell, wanted));
            now.into_iter().try_for_each(|(x, y, cell)| self.cell(x, y, cell))?;
            left = later;
        }
        Ok(())
    }

    fn cell(&mut self, x: u16, y: u16, cell: &Cell) -> std::io::Result<()> {
        self.go(x, y);
        if !fits(cell, self.look) {
            self.dress(look(cell))?;
        }
        self.bytes.extend_from_slice(cell.symbol().as_bytes());
        // Behind the last column terminals differ in where they are.
        let sure = sure(cell.symbol()) && x + 1 < self.frame.area.right();
        self.cursor = if sure { Cursor::At(x + 1, y) } else { Cursor::Unsure(y) };
        Ok(())
    }

    fn go(&mut self, x: u16, y: u16) {
        match self.cursor {
            Cursor::At(at, line) if line == y && at == x => {}
            Cursor::At(at, line)
                if line == y && (1..=BRIDGE).contains(&x.wrapping_sub(at)) && self.bridges(at..x, y) =>
            {
                for x in at..x {
                    self.bytes.extend_from_slice(self.frame[(x, y)].symbol().as_bytes());
                }
            }
            _ => self.bytes.extend_from_slice(self.way(x, y).as_bytes()),
        }
    }

    /// The shortest way to a cell.
    fn way(&self, x: u16, y: u16) -> String {
        let placed = if x == 0 { format!("\x1b[{}H", y + 1) } else { format!("\x1b[{};{}H", y + 1, x + 1) };
        let relative = match self.cursor {
            Cursor::At(at, line) if line <= y => along(at, x) + &down(y - line),
            Cursor::Unsure(line) if line == y => shorter(format!("\x1b[{}G", x + 1), "\r".to_owned() + &right(x)),
            Cursor::Unsure(line) if line < y => format!("\r{}{}", down(y - line), right(x)),
            _ => return placed,
        };
        shorter(placed, relative)
    }

    /// Whether what stands in these cells can be written again as it is, in fewer bytes than the way around it.
    fn bridges(&self, cells: std::ops::Range<u16>, y: u16) -> bool {
        let mut cells = cells.into_iter().filter_map(|x| self.frame.cell((x, y)));
        cells.all(|cell| cell.symbol().len() == 1 && fits(cell, self.look))
    }

    fn dress(&mut self, wanted: Look) -> std::io::Result<()> {
        if wanted == self.look {
            return Ok(());
        }
        let anew = [vec![String::new()], codes(PLAIN, wanted)].concat().join(";");
        let codes = shorter(anew, codes(self.look, wanted).join(";"));
        self.look = wanted;
        write!(&mut self.bytes, "\x1b[{codes}m")
    }
}

fn shorter(a: String, b: String) -> String {
    if b.len() < a.len() { b } else { a }
}

/// Down so many rows. A line feed goes straight down: the terminal is raw.
fn down(rows: u16) -> String {
    if rows <= SINGLE { "\n".repeat(usize::from(rows)) } else { format!("\x1b[{rows}B") }
}

fn right(columns: u16) -> String {
    match columns {
        0 => String::new(),
        1 => "\x1b[C".to_owned(),
        more => format!("\x1b[{more}C"),
    }
}

/// Along a line, from a column to another.
fn along(from: u16, to: u16) -> String {
    match from.saturating_sub(to) {
        0 => right(to - from),
        // Not by backspaces: none is ever sent, so that one that is seen has come from elsewhere.
        1 => shorter("\x1b[D".to_owned(), "\r".to_owned() + &right(to)),
        back => shorter(format!("\x1b[{back}D"), "\r".to_owned() + &right(to)),
    }
}

/// The codes that make one look another.
fn codes(from: Look, to: Look) -> Vec<String> {
    let weight = Modifier::BOLD | Modifier::DIM;
    let mut gone = from.2 - to.2;
    let mut new = to.2 - from.2;
    if gone.intersects(weight) {
        // They go together.
        new |= to.2 & weight;
        gone |= weight;
    }
    let mut codes: Vec<&str> = MODIFIERS.iter().filter(|(one, ..)| gone.contains(*one)).map(|(.., off)| *off).collect();
    codes.dedup();
    codes.extend(MODIFIERS.iter().filter(|(one, ..)| new.contains(*one)).map(|(_, on, _)| *on));
    let colors = [(to.0 != from.0).then(|| color(to.0, 30)), (to.1 != from.1).then(|| color(to.1, 40))];
    codes.into_iter().map(str::to_owned).chain(colors.into_iter().flatten()).collect()
}

/// With the codes that put them on and off.
const MODIFIERS: [(Modifier, &str, &str); 7] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

/// The code of a colour: `first` is 30 for the ink, 40 for the background.
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
    fn blanks_need_no_ink() {
        let (blue, blank) = (Style::new().fg(Color::Indexed(75)), Buffer::empty(Rect::new(0, 0, 20, 1)));
        let mut buffer = blank.clone();
        buffer.set_string(0, 0, "  ", blue);
        assert!(alike(&blank[(0, 0)], &buffer[(0, 0)]));
        buffer.set_string(0, 0, " ", blue.add_modifier(Modifier::UNDERLINED));
        assert!(!alike(&blank[(0, 0)], &buffer[(0, 0)]));
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
        let blank = symbol == " " && !modifier.intersects(LINES);
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
                    before.diff(&buffer).into_iter().filter(|(x, y, cell)| !alike(&before[(*x, *y)], cell)).collect();
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
