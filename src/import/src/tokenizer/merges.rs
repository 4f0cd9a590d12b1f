//! The pairs that a SentencePiece model of merges puts together, which its file does not list: every split of a piece
//! into two pieces is one, that of the best piece first.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// Bytes of a piece at most; the work for a piece grows with their square.
const LONGEST: usize = 512;
/// Pairs at most.
const MOST: usize = 8_000_000;

/// A pair, the score of what it makes, and the lengths of its parts in characters.
struct Pair<'a> {
    parts: [&'a str; 2],
    score: f64,
    lengths: [usize; 2],
}

/// The pairs of `pieces` in the order in which transformers lists them. `own` are the pieces of the file itself with
/// their ids, which the parts of a pair are looked up in.
///
/// # Errors
/// When a piece is too long, or there are too many pairs.
pub(super) fn pairs<'a>(pieces: &[(&'a str, f64)], own: &HashMap<&str, usize>) -> Result<Vec<[&'a str; 2]>, String> {
    let (mut pairs, mut seen) = (Vec::new(), HashSet::new());
    for (piece, score) in pieces.iter().filter(|(piece, _)| seen.insert(*piece)) {
        if piece.len() > LONGEST {
            return Err(format!("has a piece of {} bytes; {LONGEST} at most", piece.len()));
        }
        let mut splits: Vec<_> = piece
            .char_indices()
            .skip(1)
            .filter_map(|(at, _)| {
                let parts: [&'a str; 2] = [&piece[..at], &piece[at..]];
                Some(([*own.get(parts[0])?, *own.get(parts[1])?], parts))
            })
            .collect();
        splits.sort_unstable();
        let made = |(_, parts): (_, [&'a str; 2])| Pair {
            parts,
            score: *score,
            lengths: parts.map(|part| part.chars().count()),
        };
        pairs.extend(splits.into_iter().map(made));
        if pairs.len() > MOST {
            return Err(format!("makes more than {MOST} pairs"));
        }
    }
    // Those that are alike stay in their order, as in Python.
    pairs.sort_by(later);
    Ok(pairs.into_iter().map(|pair| pair.parts).collect())
}

fn later(a: &Pair<'_>, b: &Pair<'_>) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| b.lengths.cmp(&a.lengths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_piece_comes_first_and_its_longest_part() {
        let pieces = [("a", 0.0), ("b", 0.0), ("ab", -1.0), ("abb", -2.0), ("bb", -2.0)];
        let own = pieces.iter().enumerate().map(|(id, (piece, _))| (*piece, id)).collect();
        let pairs = pairs(&pieces, &own).unwrap();
        assert_eq!(pairs, [["a", "b"], ["ab", "b"], ["a", "bb"], ["b", "b"]]);
        assert!(super::pairs(&[("x".repeat(513).as_str(), 0.0)], &HashMap::new()).is_err());
    }
}
