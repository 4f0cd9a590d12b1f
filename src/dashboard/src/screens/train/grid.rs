//! How many charts there is room for, and where.

use ratatui::layout::Rect;

use crate::widgets::area::{below, from, to};

/// The smallest chart that is worth drawing.
const SMALLEST: (u16, u16) = (28, 8);

/// The charts on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Charts beside each other.
    pub columns: u16,
    /// Index of the first one.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

/// Whether there are as many as is good to look at, or as many as there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    /// Large ones.
    Easy,
    /// As small as need be.
    Tight,
}

impl Grid {
    /// The page of `charts` charts on which the chart `focus` is.
    #[must_use]
    pub fn new(area: Rect, charts: usize, focus: usize, density: Density) -> Self {
        let (mut columns, mut rows) = easy(area);
        while density == Density::Tight && usize::from(columns * rows) < charts {
            if area.height / (rows + 1) >= SMALLEST.1 {
                rows += 1;
            } else if area.width / (columns + 1) >= SMALLEST.0 {
                columns += 1;
            } else {
                break;
            }
        }
        let page = usize::from(columns * rows);
        let first = focus / page * page;
        let count = charts.saturating_sub(first).min(page);
        // Few charts are beside each other only where one row is not enough height for them.
        Self { columns: columns.min(u16::try_from(count.max(1)).unwrap_or(columns)), first, count }
    }

    /// As [`Grid::new`], with large charts.
    #[must_use]
    pub fn easy(area: Rect, charts: usize, focus: usize) -> Self {
        Self::new(area, charts, focus, Density::Easy)
    }

    /// Their places, row by row; the charts of the last row fill it.
    #[must_use]
    pub fn tiles(&self, area: Rect) -> Vec<Rect> {
        let columns = usize::from(self.columns.max(1));
        let rows = self.count.div_ceil(columns);
        let tile = |index: usize| {
            let (column, row) = (index % columns, index / columns);
            let beside = (self.count - row * columns).min(columns);
            let (left, right) = part(area.width, column, beside);
            let (top, bottom) = part(area.height, row, rows);
            Rect { height: bottom - top, ..below(to(from(area, left), right - left), top) }
        };
        (0..self.count).map(tile).collect()
    }
}

/// As many as are easy to look at.
fn easy(area: Rect) -> (u16, u16) {
    let columns = if area.width < 240 { (area.width / 30).clamp(1, 3) } else { area.width / 75 };
    let rows = if area.height < 60 { (area.height / 8).clamp(1, 2) } else { area.height / 18 };
    (columns, rows)
}

fn part(length: u16, index: usize, of: usize) -> (u16, u16) {
    let at = |index: usize| (usize::from(length) * index / of.max(1)) as u16;
    (at(index), at(index + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tiles_fill_the_area_and_the_one_in_focus_is_among_them(
            (width, height) in (1u16..400, 1u16..120), charts in 1usize..40, focus in 0usize..40, tight in any::<bool>()
        ) {
            let area = Rect::new(3, 5, width, height);
            let focus = focus.min(charts - 1);
            let density = if tight { Density::Tight } else { Density::Easy };
            let grid = Grid::new(area, charts, focus, density);
            prop_assert!((grid.first..grid.first + grid.count).contains(&focus));
            let tiles = grid.tiles(area);
            prop_assert_eq!(tiles.len(), grid.count);
            prop_assert_eq!(tiles.iter().map(|tile| tile.area()).sum::<u32>(), area.area());
            prop_assert!(tiles.iter().all(|tile| tile.intersection(area) == *tile));
        }
    }

    #[test]
    fn a_wide_terminal_is_used() {
        let page = |width, height, charts, density| {
            let grid = Grid::new(Rect::new(0, 0, width, height), charts, 0, density);
            (grid.columns, grid.count)
        };
        assert_eq!(page(80, 18, 8, Density::Easy), (2, 4));
        assert_eq!(page(200, 44, 8, Density::Easy), (3, 6));
        assert_eq!(page(300, 74, 8, Density::Easy), (4, 8));
        assert_eq!(page(200, 44, 20, Density::Tight), (4, 20));
    }
}
