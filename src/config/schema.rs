//! JSON Schemas of the files that people write, for their editors: what is a known word there, and what it means. `zegel check` does not use them;
//! the tests prove that both know the same words.

/// The schemas, by the name under which `zegel init` writes them.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("schema/policy.json", include_str!("../../schema/policy.json")),
    ("schema/rule.json", include_str!("../../schema/rule.json")),
    ("schema/zegel.json", include_str!("../../schema/zegel.json")),
];

#[cfg(test)]
mod tests;
