//! Splits rows into parts of bounded cost.

/// Splits `rows` into parts that cost at most `most` each, or have a single row.
#[must_use]
pub fn parts<T>(rows: &[T], most: usize, cost: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut parts, mut start, mut sum) = (Vec::new(), 0, 0);
    for (index, row) in rows.iter().enumerate() {
        let more = cost(row);
        if sum + more > most && index > start {
            parts.push(&rows[start..index]);
            (start, sum) = (index, 0);
        }
        sum += more;
    }
    if start < rows.len() {
        parts.push(&rows[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_large_as_may_be_and_lose_nothing() {
        let found = parts(&[3, 2, 4, 9, 1, 1], 5, |&row| row);
        assert_eq!(found, [&[3, 2][..], &[4], &[9], &[1, 1]]);
        assert!(parts(&[], 5, |&row: &usize| row).is_empty());
    }
}
