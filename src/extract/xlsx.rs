//! Workbooks (XLSX), sheet by sheet and cell by cell. Cells are streamed: a sheet with A1 and XFD1048576 has 2 cells, not 17 thousand million.

use super::{
    Places, ProblemKind, Source,
    office::package::{Package, part_name, targets},
    plain,
    reading::{Here, Reading},
    sheet::Sheet,
    xml::{self, Node},
    zip::Member,
};
use bytes::Bytes;
use calamine::{DataRef, Reader, Xlsx};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt::Write,
    io::Cursor,
};

/// The usual name of the shared strings, which are read before the cells.
const STRINGS: &str = "xl/sharedstrings.xml";

/// Reads a workbook: its sheets first, then everything else in the package.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes, package: &mut Package<'_>, main: &str) {
    let (sheets, mut is_safe) = measure(reading, here, package);
    // calamine inflates these whole, so they are measured first: a directory that lies is found out here.
    let has_strings = package.unread().any(|(name, _)| name == STRINGS);
    let strings = package.take(reading, here, STRINGS);
    is_safe &= strings.is_some() || !has_strings;
    let mut seen = Seen::default();
    let read = if is_safe { cells(reading, here, octets, &mut seen) } else { HashSet::new() };
    let titles = owners(reading, here, package, main);
    let mut named: HashMap<&String, u32> = HashMap::new();
    titles.values().for_each(|title| *named.entry(title).or_default() += 1);
    for (name, sheet) in &sheets {
        // A sheet that the workbook doesn't list, or whose name another one has, is read as text.
        let is_read = titles.get(name).is_some_and(|title| read.contains(title) && named.get(title) == Some(&1));
        beside_the_cells(reading, here, package, name, sheet, is_read);
    }
    if let Some(strings) = strings {
        unused_strings(reading, here, &strings, &seen);
    }
}

/// Takes the sheets out of the package; says whether all that calamine will inflate is within the limits.
fn measure(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>) -> (Vec<(String, Member)>, bool) {
    let (member, largest) = (reading.limits.member, reading.limits.sheet);
    let (mut sheets, mut is_safe, mut total) = (Vec::new(), true, 0u64);
    let entries = package.archive().members();
    if entries.len() > reading.limits.members {
        reading.too_large(here, "members");
        return (sheets, false);
    }
    for entry in entries {
        let name = part_name(&entry.name);
        let is_sheet = is_sheet(&name);
        if name != STRINGS && (is_sheet || name.ends_with(".xml") || name.ends_with(".rels")) {
            is_safe &= package.archive().check(reading, here, entry.index, if is_sheet { largest } else { member });
        }
        if is_sheet && let Some(sheet) = package.remove(&name) {
            total = total.saturating_add(sheet.size);
            sheets.push((name, sheet));
        }
    }
    if total > largest {
        reading.too_large(here, "expanded");
        is_safe = false;
    }
    (sheets, is_safe)
}

/// Tells the package which comments and drawings belong to which sheet, by the workbook's relationships; the name of each sheet by its part.
fn owners(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, main: &str) -> HashMap<String, String> {
    let mut titles = HashMap::new();
    let relations = package.relations(reading, here, main, "workbook");
    let Some(workbook) = package.take(reading, here, main) else { return titles };
    package.read_xml(reading, here, main, &workbook);
    let targets = targets(&relations);
    let mut number = 0u32;
    let _ = xml::walk(&xml::text(&workbook), |node| {
        let Node::Open("sheet", element) = node else { return };
        number += 1;
        let Some(sheet) = xml::attributes(element).filter(|(name, _)| name == "id").find_map(|(_, id)| targets.get(&*id).copied()) else {
            return;
        };
        let place = format!("sheet {number}");
        titles.insert(sheet.to_owned(), xml::attribute(element, "name").unwrap_or_default().into_owned());
        package.belongs(sheet, &place, None);
        for relation in package.relations(reading, here, sheet, &place) {
            package.belongs(&relation.target, &place, Some(number));
        }
    });
    titles
}

fn is_sheet(name: &str) -> bool {
    ["xl/worksheets/", "xl/chartsheets/", "xl/dialogsheets/", "xl/macrosheets/"].iter().any(|p| name.starts_with(p))
        && name.ends_with(".xml")
}

/// Shared strings that a cell uses, by hash.
#[derive(Default)]
struct Seen {
    strings: HashSet<u64>,
}

impl Seen {
    fn hash(text: &str) -> u64 {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
    }
}

/// Reads all cells; the names of the sheets that could be read to their end.
fn cells(reading: &mut Reading<'_>, here: &Here, octets: &Bytes, seen: &mut Seen) -> HashSet<String> {
    let Ok(mut workbook) = Xlsx::new(Cursor::new(&octets[..])) else {
        reading.damaged(here, "xlsx");
        return HashSet::new();
    };
    let names = workbook.sheet_names();
    let mut listed: String = names.iter().map(|n| format!("{n}\n")).collect();
    for (name, formula) in workbook.defined_names() {
        let _ = writeln!(listed, "{name}\t{formula}");
    }
    reading.text(&here.part, Source::Attachment, listed, Places::Named("names".into()));
    let mut left = reading.limits.cells;
    let mut read = HashSet::new();
    for (number, name) in (1u32..).zip(names) {
        let mut sheet = Sheet::new(number);
        let end = fill(&mut sheet, &mut workbook, &name, seen, &mut left, reading.limits.text);
        sheet.done(reading, &here.part);
        let place = Some(format!("sheet {number}"));
        match end {
            End::Whole => {
                read.insert(name);
            }
            End::NoSheet => {}
            End::Damaged => reading.problem(&here.part, place, ProblemKind::Damaged, "xlsx"),
            End::TooLarge => {
                read.insert(name);
                reading.problem(&here.part, place, ProblemKind::TooLarge, "cells");
            }
        }
    }
    read
}

/// How reading a sheet ended.
enum End {
    Whole,
    /// A chart sheet, a macro sheet: nothing for the reader of cells.
    NoSheet,
    Damaged,
    TooLarge,
}

/// Reads the cells of one sheet.
fn fill(sheet: &mut Sheet, workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, seen: &mut Seen, left: &mut usize, most_text: usize) -> End {
    let Ok(mut reader) = workbook.worksheet_cells_reader(name) else { return End::NoSheet };
    let formats: Vec<Option<String>> = reader.styles().iter().map(|s| s.number_format.as_ref().map(|f| f.format_code.clone())).collect();
    loop {
        match reader.next_cell_with_style_id() {
            Ok(Some((cell, style))) => {
                if *left == 0 || sheet.text.len() > most_text {
                    return End::TooLarge;
                }
                *left -= 1;
                let format = formats.get(style).and_then(Option::as_deref);
                if !matches!(cell.get_value(), DataRef::Empty) {
                    let (row, column) = cell.get_position();
                    sheet.begin(row, column);
                    value(sheet, cell.get_value(), format, seen);
                }
            }
            Ok(None) => return End::Whole,
            Err(_) => return End::Damaged,
        }
    }
}

fn value(sheet: &mut Sheet, value: &DataRef<'_>, format: Option<&str>, seen: &mut Seen) {
    match value {
        DataRef::Int(n) => sheet.number(*n as f64, format),
        DataRef::Float(n) => sheet.number(*n, format),
        DataRef::String(text) => sheet.words(text),
        DataRef::SharedString(text) => {
            seen.strings.insert(Seen::hash(text));
            sheet.words(text);
        }
        DataRef::Bool(yes) => sheet.words(if *yes { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(date) => sheet.date(date),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => sheet.words(text),
        DataRef::Error(error) => sheet.words(&error.to_string()),
        DataRef::Empty => {}
    }
}

/// What else a sheet's file holds: headers and footers, validation lists, links, literals in formulas. All of it if its cells weren't read.
fn beside_the_cells(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, name: &str, sheet: &Member, are_cells_read: bool) {
    if sheet.size > reading.limits.member {
        // Its cells were streamed; what stands beside them was not looked at.
        reading.too_large(here, "member");
        return;
    }
    let Some(octets) = package.archive().take(reading, here, sheet.index) else { return };
    // A reference within a number, `<v>12&#51;</v>`, stops calamine short: then all is read as text besides.
    let has_references = memchr::memchr(b'&', &octets).is_some() && {
        let text = String::from_utf8_lossy(&octets);
        text.split("<v>").skip(1).any(|v| v.split('<').next().is_some_and(|v| v.contains("&#")))
    };
    if !are_cells_read || has_references {
        return package.read_xml(reading, here, name, &octets);
    }
    let text = xml::text(&octets);
    let without_cells = match (text.find("<sheetData"), text.rfind("</sheetData>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &text[..start], &text[end + 12..]),
        _ => text.clone().into_owned(),
    };
    package.read_xml(reading, here, name, without_cells.as_bytes());
    let literals = literals(&text);
    reading.text(
        &here.part,
        Source::Attachment,
        literals,
        Places::Named(format!("formulas of {}", name.rsplit('/').next().unwrap_or_default())),
    );
}

/// The string literals of formulas, one a line.
fn literals(text: &str) -> String {
    let mut literals = String::new();
    if !text.contains("<f") && !text.contains(":f>") {
        return literals;
    }
    let mut formula = None;
    let _ = xml::walk(text, |node| match node {
        Node::Open("f", _) => formula = Some(String::new()),
        Node::Text(text) => {
            if let Some(formula) = &mut formula {
                formula.push_str(&text);
            }
        }
        Node::Close("f") => {
            let formula = formula.take().unwrap_or_default();
            for literal in formula.split('"').skip(1).step_by(2).filter(|l| !l.trim().is_empty()) {
                literals.push_str(&plain::clean(Cow::Borrowed(literal)));
                literals.push('\n');
            }
        }
        _ => {}
    });
    literals
}

/// Shared strings that no cell shows: what was deleted, but still travels.
fn unused_strings(reading: &mut Reading<'_>, here: &Here, octets: &[u8], seen: &Seen) {
    let (mut unused, mut string, mut depth) = (String::new(), String::new(), 0u32);
    let health = xml::walk(&xml::text(octets), |node| match node {
        Node::Open("si", _) => string.clear(),
        Node::Open("t", _) => depth += 1,
        Node::Close("t") => depth = depth.saturating_sub(1),
        Node::Text(text) if depth > 0 => string.push_str(&text),
        Node::Close("si") if !string.trim().is_empty() && !seen.strings.contains(&Seen::hash(&string)) => {
            unused.push_str(&plain::clean(Cow::Borrowed(&string)));
            unused.push('\n');
        }
        _ => {}
    });
    if health == xml::Health::Damaged {
        reading.damaged(here, "xml");
    }
    reading.text(&here.part, Source::Attachment, unused, Places::Named("strings without a cell".into()));
}
