//! The rules of the repository, in the program: they serve where an organisation has none of its own.

use crate::fault::Files;

/// Every file of `rules/`, by its name in the repository.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("rules/activation-word.toml", include_str!("../../rules/activation-word.toml")),
    ("rules/bsn.toml", include_str!("../../rules/bsn.toml")),
    ("rules/credit-card.toml", include_str!("../../rules/credit-card.toml")),
    ("rules/foreign-ids.toml", include_str!("../../rules/foreign-ids.toml")),
    ("rules/iban.toml", include_str!("../../rules/iban.toml")),
    ("rules/identity-documents.toml", include_str!("../../rules/identity-documents.toml")),
    ("rules/legal.toml", include_str!("../../rules/legal.toml")),
    ("rules/lists/health.txt", include_str!("../../rules/lists/health.txt")),
    ("rules/lists/legal.txt", include_str!("../../rules/lists/legal.txt")),
    ("rules/lists/medicines.txt", include_str!("../../rules/lists/medicines.txt")),
    ("rules/lists/social-care.txt", include_str!("../../rules/lists/social-care.txt")),
    ("rules/marking.toml", include_str!("../../rules/marking.toml")),
    ("rules/medical-person.toml", include_str!("../../rules/medical-person.toml")),
    ("rules/medical.toml", include_str!("../../rules/medical.toml")),
    ("rules/person-details.toml", include_str!("../../rules/person-details.toml")),
    ("rules/person-list.toml", include_str!("../../rules/person-list.toml")),
    ("rules/secrets.toml", include_str!("../../rules/secrets.toml")),
    ("rules/sensitivity-label.toml", include_str!("../../rules/sensitivity-label.toml")),
    ("rules/social-care.toml", include_str!("../../rules/social-care.toml")),
    ("rules/vat.toml", include_str!("../../rules/vat.toml")),
];

/// The same as files.
pub(super) fn files() -> Files {
    EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
