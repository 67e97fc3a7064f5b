//! All types but BSN and IBAN, which have modules of their own: one table, a row each. To add a type is to add a row, and its check.

mod checks;
mod code;
mod dutch;
mod foreign;
mod free;
mod labels;
mod weigh;

#[cfg(test)]
mod tests;

pub(super) use code::{Candidate, Codes, Kinds};
pub(super) use free::{email, password, secret};
pub(super) use labels::{add as add_labels, joined};
pub(super) use weigh::{strongest, view, weigh};

use super::Confidence::{self, High, Low, Medium};
use code::Code;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(u8);

/// One type.
struct Row {
    id: &'static str,
    /// The fewest and the most letters and digits; none for what is no code.
    lengths: (usize, usize),
    /// Form and check.
    fits: fn(&Code<'_>) -> bool,
    /// What speaks for a code beyond its check, but refuses none.
    raises: fn(&Code<'_>) -> bool,
    /// The check in a phrase, for `why`.
    check: &'static str,
    /// How sure a code is without a label; `None`: it counts only with one.
    alone: Option<Confidence>,
    /// How sure it is with a label.
    labelled: Confidence,
}

impl Row {
    /// By form and check alone: 1 in 97 or stronger, or the brand of a card.
    const fn is_strong(&self) -> bool {
        matches!(self.alone, Some(High))
    }
}

const fn row(
    id: &'static str,
    lengths: (usize, usize),
    fits: fn(&Code<'_>) -> bool,
    check: &'static str,
    alone: Option<Confidence>,
    labelled: Confidence,
) -> Row {
    Row { id, lengths, fits, raises: never, check, alone, labelled }
}

/// Types that are found by other means than a run of letters and digits.
const fn free(id: &'static str, check: &'static str, alone: Option<Confidence>, labelled: Confidence) -> Row {
    row(id, (0, 0), never, check, alone, labelled)
}

fn never(_: &Code<'_>) -> bool {
    false
}

/// Passport numbers have letters in them or a sum that fits; `NO12345678` alone is no passport.
fn passport_raises(code: &Code<'_>) -> bool {
    matches!(code.compact[0], b'N' | b'I') && dutch::passport_digit(code.compact) && code.compact[2..8].iter().any(u8::is_ascii_uppercase)
}

/// Foreign numbers with a check weaker than 1 in 97 are everybody's order numbers: low alone, high with their label.
const ROWS: [Row; 32] = [
    row("rsin", (9, 9), dutch::rsin, "11-proef", None, High),
    row("onderwijsnummer", (9, 9), dutch::onderwijsnummer, "11-proef, remainder 5", Some(Low), High),
    row("nl_vat", (14, 14), dutch::nl_vat, "mod 97", Some(High), High),
    row("nl_vat_bsn", (14, 14), dutch::nl_vat_bsn, "11-proef", Some(High), High),
    row("bank_account_old", (3, 10), dutch::bank_account_old, "11-proef of banks, or a giro number", None, Low),
    row("credit_card", (13, 19), dutch::credit_card, "brand and Luhn", Some(High), High),
    Row { raises: passport_raises, ..row("nl_passport", (9, 9), dutch::nl_passport, "form of a travel document", Some(Low), High) },
    row("kvk", (8, 12), dutch::kvk, "form", None, Medium),
    row("nl_driving_licence", (10, 10), dutch::nl_driving_licence, "form", None, Medium),
    row("agb", (8, 8), dutch::digits, "form", None, Medium),
    row("big", (11, 11), dutch::digits, "form", None, Medium),
    row("uzovi", (4, 4), dutch::one_group, "form", None, Medium),
    row("v_number", (10, 10), dutch::digits, "form", None, Medium),
    row("a_number", (10, 10), dutch::a_number, "form", None, Medium),
    row("licence_plate", (6, 6), dutch::licence_plate, "side code", Some(Low), Medium),
    row("postcode_address", (6, 6), dutch::postcode, "form", Some(Low), Medium),
    free("dob", "calendar", None, High),
    free("person_label", "word", Some(High), High),
    row("phone_mobile", (10, 13), dutch::phone_mobile, "numbering plan", Some(Medium), High),
    free("email", "form", Some(High), High),
    row("be_rrn", (11, 11), foreign::be_rrn, "mod 97", Some(High), High),
    row("de_idnr", (11, 11), foreign::de_idnr, "mod 11,10 and repeated digit", Some(Low), High),
    row("fr_nir", (15, 15), foreign::fr_nir, "mod 97", Some(High), High),
    row("es_nif", (9, 9), foreign::es_nif, "letter", Some(Low), High),
    row("pl_pesel", (11, 11), foreign::pl_pesel, "check digit and birthday", Some(Low), High),
    row("se_pn", (10, 12), foreign::se_pn, "Luhn and birthday", Some(Low), High),
    // A letter of 26, a birthday and sixteen letters and digits in one order: together far stronger than 1 in 97.
    row("it_cf", (16, 16), foreign::it_cf, "letter and birthday", Some(High), High),
    row("dk_cpr", (10, 10), foreign::dk_cpr, "birthday", None, High),
    // 1 in 31 and a birthday. Without a letter at its end `230424-2809` is anything.
    Row { raises: foreign::hetu_raises, ..row("fi_hetu", (10, 11), foreign::fi_hetu, "character and birthday", Some(Low), High) },
    row("pt_nif", (9, 9), foreign::pt_nif, "mod 11", None, High),
    row("uk_nino", (9, 9), foreign::uk_nino, "form", Some(Low), High),
    free("secret", "prefix", Some(High), High),
];

/// A password stands behind its word, so it has no row: nothing of it is known but where it begins.
pub(super) const PASSWORD: &str = "password";

impl Kind {
    const PLATE: Kind = Kind(14);
    pub(super) const POSTCODE: Kind = Kind(15);
    pub(super) const DOB: Kind = Kind(16);
    pub(super) const PERSON: Kind = Kind(17);
    const PHONE: Kind = Kind(18);
    pub(super) const EMAIL: Kind = Kind(19);
    pub(super) const SECRET: Kind = Kind(31);
    /// Behind the table.
    pub(super) const PASSWORD: Kind = Kind(32);
    /// Of the labels of numbers that are no type: an order number.
    const OTHER: Kind = Kind(33);

    /// The type that rules and findings call `id`.
    pub(super) fn of(id: &str) -> Option<Kind> {
        if id == PASSWORD {
            return Some(Kind::PASSWORD);
        }
        ROWS.iter().position(|row| row.id == id).map(|n| Kind(n as u8))
    }

    /// Its id.
    pub(super) fn id(self) -> &'static str {
        ROWS.get(usize::from(self.0)).map_or(PASSWORD, |row| row.id)
    }

    /// Every id.
    pub(super) fn ids() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.id).chain([PASSWORD])
    }

    /// Whether its last four characters may be shown; of anything else only the first is.
    pub(super) fn is_number(self) -> bool {
        self.row().is_some_and(|row| row.lengths.0 > 0)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.get(usize::from(self.0))
    }
}
