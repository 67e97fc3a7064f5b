//! Numbers as a spreadsheet holds them and as it shows them.

/// An integer without point or exponent; else the shortest decimal that reads back as the same number.
pub(super) fn plain(value: f64) -> String {
    format!("{value}")
}

/// An integer as its number format shows it, where that adds zeros or puts signs between the digits: `000000000`, `0000.00.000`, `000-00-000`.
///
/// Other formats (currencies, percentages, dates) show nothing that the plain number lacks, and give `None`.
pub(super) fn formatted(value: f64, format: &str) -> Option<String> {
    /// Excel keeps 15 digits.
    const LARGEST: f64 = 1e15;
    if value < 0.0 || value.fract() != 0.0 || value >= LARGEST {
        return None;
    }
    let slots = slots(format.split(';').next().unwrap_or_default())?;
    let places = slots.iter().filter(|s| matches!(s, Slot::Zero | Slot::Digit)).count();
    let zeros = slots.iter().filter(|s| matches!(s, Slot::Zero)).count();
    if zeros < 2 && places == slots.len() {
        return None;
    }
    if places == 0 {
        return None;
    }
    let digits = plain(value).into_bytes();
    let mut left = digits.len();
    let mut places_left = places;
    let mut shown = Vec::with_capacity(slots.len());
    for slot in slots.iter().rev() {
        match slot {
            Slot::Literal(c) => shown.push(*c),
            Slot::Zero | Slot::Digit => {
                places_left -= 1;
                if left > 0 {
                    left -= 1;
                    shown.push(char::from(digits[left]));
                } else if matches!(slot, Slot::Zero) {
                    shown.push('0');
                }
                // The first place takes all digits that are left.
                while places_left == 0 && left > 0 {
                    left -= 1;
                    shown.push(char::from(digits[left]));
                }
            }
        }
    }
    Some(shown.iter().rev().collect())
}

/// Whether a number format shows a date or a time: letters for its parts outside of literals, colours and locales (ECMA-376, part 1, 18.8.31).
pub(super) fn is_date(format: &str) -> bool {
    let first = format.split(';').next().unwrap_or_default();
    if first.to_ascii_lowercase().contains("general") {
        return false;
    }
    let mut chars = first.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => drop(chars.by_ref().find(|c| *c == '"')),
            '\\' | '_' | '*' => drop(chars.next()),
            // `[h]` is time that has passed.
            '[' => {
                let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if !inner.is_empty() && inner.bytes().all(|b| b"hmsHMS".contains(&b)) {
                    return true;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return true,
            '0' | '#' | '?' | '@' => return false,
            _ => {}
        }
    }
    false
}

enum Slot {
    /// `0`: a digit, or zero.
    Zero,
    /// `#`, `?`: a digit, or nothing.
    Digit,
    Literal(char),
}

/// The places of a format made of digits and literals only.
fn slots(format: &str) -> Option<Vec<Slot>> {
    // One point is a decimal point; more of them are written between the digits of an integer.
    let points = format.matches('.').count() - format.matches("\\.").count();
    let mut slots = Vec::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '0' => slots.push(Slot::Zero),
            '#' | '?' => slots.push(Slot::Digit),
            '\\' => slots.push(Slot::Literal(chars.next()?)),
            '"' => slots.extend(chars.by_ref().take_while(|c| *c != '"').map(Slot::Literal)),
            '-' | ' ' | '/' | '(' | ')' | ':' => slots.push(Slot::Literal(c)),
            '.' if points > 1 => slots.push(Slot::Literal('.')),
            '_' | '*' => {
                chars.next()?;
            }
            '[' => {
                // A colour, a condition, a locale.
                chars.by_ref().find(|c| *c == ']')?;
            }
            _ => return None,
        }
    }
    Some(slots)
}
