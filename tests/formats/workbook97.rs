//! Workbooks of Excel 97 (MS-XLS).

use super::compound::{compound, wide};

/// What a record is, and its data.
pub type Record = (u16, Vec<u8>);

pub const UNICODE: u16 = 0x0600;

pub fn octets(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|(kind, data)| [&kind.to_le_bytes(), &(data.len() as u16).to_le_bytes(), data.as_slice()].concat()).collect()
}

pub fn begin(version: u16, kind: u16) -> Record {
    (0x0809, [version.to_le_bytes(), kind.to_le_bytes(), [0; 2], [0; 2]].concat())
}

/// A text as most records hold it: its length in two octets, how wide it is, its characters.
pub fn text(text: &str) -> Vec<u8> {
    let units = wide(text);
    [&((units.len() / 2) as u16).to_le_bytes(), [1].as_slice(), &units].concat()
}

pub fn at(row: u16, column: u16, style: u16) -> Vec<u8> {
    [row.to_le_bytes(), column.to_le_bytes(), style.to_le_bytes()].concat()
}

/// A text in a cell.
pub fn label(row: u16, column: u16, content: &str) -> Record {
    (0x0204, [at(row, column, 0), text(content)].concat())
}

pub fn number(row: u16, column: u16, style: u16, value: f64) -> Record {
    (0x0203, [at(row, column, style).as_slice(), &value.to_le_bytes()].concat())
}

/// The stream of a workbook with these sheets, behind these records of the globals.
pub fn workbook_with(globals: &[Record], sheets: &[(&str, Vec<Record>)]) -> Vec<u8> {
    let sheet = |records: &[Record]| octets(&[&[begin(UNICODE, 0x10)], records, &[(0x000A, Vec::new())]].concat());
    let listed = |name: &str, offset: usize| {
        let name = wide(name);
        (0x0085, [&(offset as u32).to_le_bytes(), [2, 0, (name.len() / 2) as u8, 1].as_slice(), &name].concat())
    };
    let head = |offsets: &[usize]| {
        let list = sheets.iter().zip(offsets).map(|((name, _), offset)| listed(name, *offset));
        let list: Vec<Record> = list.collect();
        octets(&[&[begin(UNICODE, 5)], list.as_slice(), globals, &[(0x000A, Vec::new())]].concat())
    };
    let mut offset = head(&vec![0; sheets.len()]).len();
    let bodies: Vec<Vec<u8>> = sheets.iter().map(|(_, records)| sheet(records)).collect();
    let offsets: Vec<usize> = bodies
        .iter()
        .map(|body| {
            offset += body.len();
            offset - body.len()
        })
        .collect();
    [head(&offsets), bodies.concat()].concat()
}

/// The stream of a workbook with these sheets.
pub fn workbook(sheets: &[(&str, Vec<Record>)]) -> Vec<u8> {
    workbook_with(&[], sheets)
}

pub fn xls(globals: &[Record], sheets: &[(&str, Vec<Record>)]) -> Vec<u8> {
    compound(&[("Workbook", &workbook_with(globals, sheets))])
}

/// Formats 164 and 165, and styles 0 to 3: none, `000000000`, a date of our own, a built-in date.
pub fn styles() -> Vec<Record> {
    let format = |index: u16, code: &str| (0x041E, [index.to_le_bytes().as_slice(), &text(code)].concat());
    let style = |format: u16| (0x00E0, [[0; 2], format.to_le_bytes()].concat());
    vec![format(164, "000000000"), format(165, "[$-413]d\\ mmmm\\ yyyy"), style(0), style(164), style(165), style(14)]
}

/// The shared strings in records of `most` octets; cut anywhere, as Excel does.
pub fn shared(strings: &[&str], most: usize) -> Vec<Record> {
    let count = (strings.len() as u32).to_le_bytes();
    let mut records = vec![(0x00FC, [count, count].concat())];
    for string in strings {
        let units = wide(string);
        let header = [&((units.len() / 2) as u16).to_le_bytes(), [1].as_slice()].concat();
        if records.last().unwrap().1.len() + header.len() > most {
            records.push((0x003C, Vec::new()));
        }
        records.last_mut().unwrap().1.extend(header);
        for unit in units.chunks(2) {
            if records.last().unwrap().1.len() + 2 > most {
                records.push((0x003C, vec![1]));
            }
            records.last_mut().unwrap().1.extend(unit);
        }
    }
    records
}

pub fn labelled(row: u16, column: u16, index: u32) -> Record {
    (0x00FD, [at(row, column, 0).as_slice(), &index.to_le_bytes()].concat())
}
