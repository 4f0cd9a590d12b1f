//! Reads numbers of a log to the nearest f64. The usual spelling, digits with a point among them, is read eight digits
//! at a time and rounded by one division or one multiplication; all others are left to the standard library.

/// The number at the start of `text`, as JSON spells it, and its length; `None` if there is none or it is not finite.
pub(super) fn number(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let (mut digits, whole) = digits(text, sign, 0);
    if whole == sign || (text[sign] == b'0' && whole - sign > 1) {
        return None;
    }
    let (mut end, mut fraction) = (whole, 0);
    if text.get(whole) == Some(&b'.') {
        (digits, end) = self::digits(text, whole + 1, digits);
        fraction = end - whole - 1;
        (fraction > 0).then_some(())?;
    }
    let exponent = matches!(text.get(end), Some(b'e' | b'E'));
    if exponent || fraction > MOST_DIGITS || is_long(&text[sign..end], digits) {
        return general(text, end);
    }
    let size = quotient(digits, fraction);
    Some((if sign == 1 { -size } else { size }, end))
}

/// A number with no more digits than this fits in 64 bits.
const MOST_DIGITS: usize = 19;

/// Whether `digits`, whose value came out as `value`, may have too many digits for 64 bits. Leading zeros do not count,
/// unless there are only zeros.
fn is_long(digits: &[u8], value: u64) -> bool {
    let zeros = || digits.iter().take_while(|byte| b"0.".contains(byte)).count();
    digits.len() > MOST_DIGITS && (value == 0 || digits.len() - zeros() > MOST_DIGITS)
}

/// Appends the digits from `at` on to those of `value`; returns the new value and where the digits end. A value that does
/// not fit in 64 bits wraps around, and the caller does not use it.
fn digits(text: &[u8], mut at: usize, mut value: u64) -> (u64, usize) {
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk).and_then(|bytes| eight_digits(*bytes)) {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// The value of eight digits: neighbours are added up in pairs, then fours, then all.
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let text = u64::from_le_bytes(bytes);
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let all = text & HIGH == ZEROS && text.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS;
    all.then(|| {
        let ones = text - ZEROS;
        let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
    })
}

/// Ten to the power of the index, all exact: five to the 19th has 45 bits.
const TENS: [f64; MOST_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];

/// Two to the power of 63 and the bits of five to the power of the index, divided by the latter: 64 bits, cut off.
const FIFTHS: [u64; MOST_DIGITS + 1] = {
    let (mut fifths, mut places) = ([0; MOST_DIGITS + 1], 1);
    while places < fifths.len() {
        let five = 5u64.pow(places as u32);
        fifths[places] = ((1 << (63 + five.ilog2() + 1)) / five as u128) as u64;
        places += 1;
    }
    fifths
};

/// `digits` divided by ten to the power of `places`, at most 19, to the nearest f64, the even one of two.
fn quotient(digits: u64, places: usize) -> f64 {
    if digits < 1 << 53 {
        // Both are exact as f64, and a division of f64 is rounded rightly.
        return digits as i64 as f64 / TENS[places];
    }
    if places == 0 {
        return digits as f64;
    }
    product(digits, places).unwrap_or_else(|| divided(digits, places))
}

/// As [`quotient`], by one multiplication, for at least 53 bits of digits and at least one place; `None` where the bits
/// that were cut off might decide how to round (Lemire 2021, Number parsing at a gigabyte per second, section 5, with 64 bits).
fn product(digits: u64, places: usize) -> Option<f64> {
    let up = digits.leading_zeros();
    let high = ((u128::from(digits << up) * u128::from(FIFTHS[places])) >> 64) as u64;
    let spare = 11 - high.leading_zeros();
    let (kept, cut, half) = (high >> spare, high & ((1 << spare) - 1), 1 << (spare - 1));
    // The quotient lies less than two above what is here.
    (cut + 1 != half && cut != half).then_some(())?;
    let fives = 5u64.pow(places as u32).ilog2() as i64 + 1;
    let exponent = i64::from(spare) + 1 - i64::from(up) - fives - places as i64;
    Some(scaled(kept + u64::from(cut > half), exponent))
}

/// As [`product`], exactly, by a long division.
fn divided(digits: u64, places: usize) -> f64 {
    let divisor = 10u64.pow(places as u32);
    let (up, divisor_up) = (digits.leading_zeros(), divisor.leading_zeros());
    let (dividend, divisor) = (u128::from(digits << up) << 63, u128::from(divisor << divisor_up));
    // At least 63 bits, of which 53 are kept.
    let (quotient, rest) = ((dividend / divisor) as u64, dividend % divisor);
    let spare = 11 - quotient.leading_zeros();
    let (kept, cut, half) = (quotient >> spare, quotient & ((1 << spare) - 1), 1 << (spare - 1));
    let above = cut > half || (cut == half && (rest > 0 || kept & 1 == 1));
    scaled(kept + u64::from(above), i64::from(divisor_up) - i64::from(up) - 63 + i64::from(spare))
}

/// `kept`, of no more than 53 bits and a carry, times two to the power of `exponent`.
fn scaled(kept: u64, exponent: i64) -> f64 {
    kept as i64 as f64 * f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// Any number, by the standard library. `end` is where its digits and point end.
fn general(text: &[u8], mut end: usize) -> Option<(f64, usize)> {
    if matches!(text.get(end), Some(b'e' | b'E')) {
        end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let (_, last) = digits(text, end, 0);
        (last > end).then_some(())?;
        end = last;
    }
    let value: f64 = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    value.is_finite().then_some((value, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(u64, usize)> {
        number(text.as_bytes()).map(|(value, length)| (value.to_bits(), length))
    }

    /// By the general reader of JSON.
    fn expected(text: &str) -> Option<(u64, usize)> {
        serde_json::from_str::<f64>(text).ok().map(|value| (value.to_bits(), text.len()))
    }

    proptest! {
        #[test]
        fn every_f64_that_is_written_is_read_back(value in any::<f64>(), small in -1e4f64..1e4) {
            for value in [value, small, small / 1e4].into_iter().filter(|value| value.is_finite()) {
                let text = serde_json::to_string(&value).unwrap();
                prop_assert_eq!(read(&text), Some((value.to_bits(), text.len())), "{}", text);
            }
        }

        #[test]
        fn digits_are_rounded_rightly(text in "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?") {
            prop_assert_eq!(read(&text), expected(&text), "{}", text);
        }

        #[test]
        fn halves_go_to_the_even_one(kept in (1u64 << 52)..(1 << 53), places in 1usize..4, more in 0u64..3) {
            // Just at, below or above the middle between two numbers of 53 bits.
            let text = format!("{}", u128::from(kept * 2 + 1) * 5u128.pow(places as u32) + u128::from(more) - 1);
            let text = format!("{}.{}", &text[..text.len() - places], &text[text.len() - places..]);
            prop_assert_eq!(read(&text), expected(&text), "{}", text);
        }

        #[test]
        fn what_is_no_number_is_none(text in "[-+0-9.eE]{0,8}") {
            // What follows a number is the next one's to look at.
            if let Some((_, length)) = read(&text) {
                prop_assert_eq!(read(&text), expected(&text[..length]), "{}", text);
            } else {
                prop_assert_eq!(expected(&text), None, "{}", text);
            }
        }
    }

    #[test]
    fn the_largest_and_the_odd_ones() {
        for text in [
            "18446744073709551615",
            "9007199254740993",
            "0.9007199254740993",
            "-0",
            "-0.0",
            "5e-324",
            "1e999",
            "1.",
            "01",
            "-",
        ] {
            assert_eq!(read(text), expected(text), "{text}");
        }
    }
}
