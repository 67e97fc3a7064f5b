//! The record in every format, as `zegel explain` tells of it: found, and where.

use crate::{formats::record, process::command};
use std::fs;
use tempfile::TempDir;

#[test]
fn a_record_in_every_format_is_found_where_it_stands() {
    let (folder, files) = (TempDir::new().unwrap(), record::files());
    for file in &files {
        fs::write(folder.path().join(file.name), &file.octets).unwrap();
    }
    let mut arguments = vec!["explain", "--format", "json"];
    arguments.extend(files.iter().map(|file| file.name));
    let (_, told, complaints) = command(folder.path(), &arguments);
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), files.len(), "{complaints}");
    let mut wrong = Vec::new();
    for (file, told) in files.iter().zip(&told) {
        let findings = told["findings"].as_array().unwrap();
        let found: Vec<_> = findings.iter().map(|f| ["rule", "part", "place"].map(|key| f[key].as_str().unwrap_or_default())).collect();
        for (rule, part, place) in &file.tells {
            // A file that is a mail is explained as one: what hangs on it has no file around it.
            let part = if file.name.ends_with(".eml") {
                part.replacen(" > ", "attachment ", 1)
            } else {
                format!("attachment \"{}\"{part}", file.name)
            };
            if !found.contains(&[rule, &part, place]) {
                wrong.push(format!("{rule} in {part}, {place}: {found:?}"));
            }
        }
        if told["problems"].as_array().is_none_or(|problems| !problems.is_empty()) {
            wrong.push(format!("{}: {}", file.name, told["problems"]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
