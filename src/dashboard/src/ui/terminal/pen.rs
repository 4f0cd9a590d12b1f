//! Changed cells as the fewest bytes that a terminal understands.
//!
//! Every frame travels, often over SSH: styles are written only where they change, all in one
//! sequence, and short ways along a line are relative.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// What the terminal writes with.
type Look = (Color, Color, Modifier);

const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

/// Cells that may be written again: a way is three or four bytes.
const BRIDGE: u16 = 3;

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
pub fn write(bytes: &mut Vec<u8>, changes: &[(u16, u16, &Cell)], frame: &Buffer) -> std::io::Result<()> {
    let mut pen = Pen { bytes: Vec::new(), frame, cursor: Cursor::Lost, look: PLAIN };
    for line in changes.chunk_by(|a, b| a.1 == b.1) {
        pen.shortest(line)?;
    }
    pen.dress(PLAIN)?;
    bytes.extend_from_slice(&pen.bytes);
    Ok(())
}

fn look(cell: &Cell) -> Look {
    (cell.fg, cell.bg, cell.modifier)
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
        sorted.line(cells)?;
        let best = if straight.bytes.len() <= sorted.bytes.len() { straight } else { sorted };
        self.bytes.extend_from_slice(&best.bytes);
        (self.cursor, self.look) = (best.cursor, best.look);
        Ok(())
    }

    /// The cells of one line, those of one style together: a way along the line is shorter than a colour.
    fn line(&mut self, cells: &[(u16, u16, &Cell)]) -> std::io::Result<()> {
        let mut left: Vec<(u16, u16, &Cell)> = cells.to_vec();
        while let Some((_, _, first)) = left.first() {
            // What needs no change of style comes first.
            let wanted = if left.iter().any(|(_, _, cell)| look(cell) == self.look) { self.look } else { look(first) };
            let (now, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, _, cell)| look(cell) == wanted);
            now.into_iter().try_for_each(|(x, y, cell)| self.cell(x, y, cell))?;
            left = later;
        }
        Ok(())
    }

    fn cell(&mut self, x: u16, y: u16, cell: &Cell) -> std::io::Result<()> {
        self.go(x, y)?;
        self.dress(look(cell))?;
        self.bytes.extend_from_slice(cell.symbol().as_bytes());
        self.cursor = if sure(cell.symbol()) { Cursor::At(x + 1, y) } else { Cursor::Unsure(y) };
        Ok(())
    }

    fn go(&mut self, x: u16, y: u16) -> std::io::Result<()> {
        match self.cursor {
            Cursor::At(at, line) if line == y && at == x => Ok(()),
            Cursor::At(at, line)
                if line == y && (1..=BRIDGE).contains(&x.wrapping_sub(at)) && self.bridges(at..x, y) =>
            {
                for x in at..x {
                    self.bytes.extend_from_slice(self.frame[(x, y)].symbol().as_bytes());
                }
                Ok(())
            }
            Cursor::At(at, line) if line == y && x == at + 1 => write!(&mut self.bytes, "\x1b[C"),
            Cursor::At(at, line) if line == y && x > at => write!(&mut self.bytes, "\x1b[{}C", x - at),
            Cursor::At(_, line) | Cursor::Unsure(line) if line == y => write!(&mut self.bytes, "\x1b[{}G", x + 1),
            _ => write!(&mut self.bytes, "\x1b[{};{}H", y + 1, x + 1),
        }
    }

    /// Whether what stands in these cells can be written again as it is, in fewer bytes than the way around it.
    fn bridges(&self, cells: std::ops::Range<u16>, y: u16) -> bool {
        let lines = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
        cells.into_iter().filter_map(|x| self.frame.cell((x, y))).all(|cell| {
            let blank =
                cell.symbol() == " " && cell.bg == self.look.1 && !(cell.modifier | self.look.2).intersects(lines);
            blank || (cell.symbol().len() == 1 && look(cell) == self.look)
        })
    }

    fn dress(&mut self, wanted: Look) -> std::io::Result<()> {
        if wanted == self.look {
            return Ok(());
        }
        let mut codes = Vec::new();
        let (mut fg, mut bg, mut modifier) = self.look;
        // Taking one thing off is done by taking all off: the codes for single ones are not all alike.
        if !wanted.2.contains(modifier) || wanted == PLAIN {
            codes.push(String::new());
            (fg, bg, modifier) = PLAIN;
        }
        codes.extend(
            MODIFIERS.iter().filter(|(one, _)| (wanted.2 - modifier).contains(*one)).map(|(_, c)| (*c).to_owned()),
        );
        codes.extend((wanted.0 != fg).then(|| color(wanted.0, 30)));
        codes.extend((wanted.1 != bg).then(|| color(wanted.1, 40)));
        self.look = wanted;
        write!(&mut self.bytes, "\x1b[{}m", codes.join(";"))
    }
}

const MODIFIERS: [(Modifier, &str); 7] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::SLOW_BLINK, "5"),
    (Modifier::REVERSED, "7"),
    (Modifier::CROSSED_OUT, "9"),
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
        assert_eq!(text, "\x1b[2;3H\x1b[1;38;5;75mab  \x1b[;38;5;75mc\x1b[m");
    }

    #[test]
    fn after_a_character_of_doubtful_width_the_place_is_said_anew() {
        assert_eq!(plain("漢a"), "\x1b[1;1H漢\x1b[3Ga");
        assert_eq!(plain("●a"), "\x1b[1;1H●\x1b[2Ga");
        assert_eq!(plain("─a"), "\x1b[1;1H─a");
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
                } else {
                    let (x, y) = self.at;
                    let (fg, bg, modifier) = self.ink.clone();
                    self.cells[y][x] = (c.to_string(), fg, bg, modifier);
                    self.at.0 += 1;
                    rest = &rest[c.len_utf8()..];
                }
            }
        }

        fn obey(&mut self, parameters: &str, command: &str) {
            let number = |text: &str| text.parse::<usize>().unwrap_or(1);
            match command {
                "H" => {
                    let (y, x) = parameters.split_once(';').unwrap();
                    self.at = (number(x) - 1, number(y) - 1);
                }
                "G" => self.at.0 = number(parameters) - 1,
                "C" => self.at.0 += number(parameters),
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
                    (first, 1) => self.ink.2 |= MODIFIERS.iter().find(|(_, known)| *known == first).unwrap().0,
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

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_painted(first in cells(), second in cells()) {
            let mut screen = Screen::new(20, 3);
            let mut before = Buffer::empty(Rect::new(0, 0, 20, 3));
            for cells in [first, second] {
                let buffer = filled(&cells);
                let mut bytes = Vec::new();
                write(&mut bytes, &before.diff(&buffer), &buffer).unwrap();
                screen.show(std::str::from_utf8(&bytes).unwrap());
                for (cell, shown) in buffer.content.iter().zip(screen.cells.iter().flatten()) {
                    let wanted = (cell.symbol().to_owned(), color(cell.fg, 30), color(cell.bg, 40), cell.modifier);
                    prop_assert_eq!(shown, &wanted);
                }
                before = buffer;
            }
        }
    }
}
