//! Lists of MAPI properties within TNEF (MS-OXTNEF, 2.1.3.4).

use crate::extract::mapi;
use encoding_rs::{Encoding, UTF_16LE};

/// Properties, in their order: number, name, value.
#[derive(Default)]
pub(super) struct Properties<'o> {
    pub(super) all: Vec<(u16, String, Value<'o>)>,
}

/// What a property holds, as far as it may be text.
pub(super) enum Value<'o> {
    Text(String),
    Octets(&'o [u8]),
    /// Behind its interface: a mail in TNEF, or an OLE object.
    Object(&'o [u8]),
    Number(u32),
}

/// Types of properties (MS-OXCDATA, 2.11.1); this bit says that there are several values.
const SEVERAL: u16 = 0x1000;

/// Octets of an interface's name before an object.
const INTERFACE: usize = 16;

impl<'o> Properties<'o> {
    /// The properties of a message or an attachment, and whether all were whole.
    pub(super) fn read(data: &'o [u8], encoding: &'static Encoding) -> (Properties<'o>, bool) {
        let (properties, is_whole, _) = Properties::read_row(data, encoding);
        (properties, is_whole)
    }

    /// The same, and what stands behind them.
    pub(super) fn read_row(data: &'o [u8], encoding: &'static Encoding) -> (Properties<'o>, bool, &'o [u8]) {
        let mut properties = Properties::default();
        let mut rest = Rest(data);
        let is_whole = properties.fill(&mut rest, encoding).is_some();
        (properties, is_whole, rest.0)
    }

    fn fill(&mut self, rest: &mut Rest<'o>, encoding: &'static Encoding) -> Option<()> {
        // Each takes four octets at least, so the data bound this.
        for _ in 0..rest.number()? {
            let tag = rest.number()?;
            let (kind, number) = ((tag & 0xFFFF) as u16, (tag >> 16) as u16);
            let name = if number >= mapi::NAMED { rest.name()? } else { mapi::name(number).into_owned() };
            let is_long = matches!(kind & !SEVERAL, 0x0D | 0x1E | 0x1F | 0x102);
            let count = if is_long || kind & SEVERAL != 0 { rest.number()? } else { 1 };
            // Values without an octet (PtypUnspecified, PtypNull) come one by one, or a count alone would keep us for minutes.
            if count != 1 && matches!(kind & !SEVERAL, 0x00 | 0x01) {
                return None;
            }
            for _ in 0..count {
                let value = rest.value(kind & !SEVERAL, encoding)?;
                self.all.extend(value.map(|value| (number, name.clone(), value)));
            }
        }
        Some(())
    }

    /// The value of a property that is a number.
    pub(super) fn number(&self, number: u16) -> Option<u32> {
        self.all.iter().find_map(|(n, _, value)| match value {
            Value::Number(value) if *n == number => Some(*value),
            _ => None,
        })
    }
}

/// Octets that were not read yet.
struct Rest<'o>(&'o [u8]);

impl<'o> Rest<'o> {
    fn take(&mut self, length: usize) -> Option<&'o [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4).and_then(|n| n.try_into().ok()).map(u32::from_le_bytes)
    }

    /// Data behind their length, padded to four octets; the last ones of a list perhaps are not.
    fn padded(&mut self) -> Option<&'o [u8]> {
        let length = self.number()? as usize;
        let data = self.take(length)?;
        self.take((length.next_multiple_of(4) - length).min(self.0.len()))?;
        Some(data)
    }

    /// The name of a named property: its set, and a number or a text.
    fn name(&mut self) -> Option<String> {
        self.take(16)?;
        match self.number()? {
            0 => Some(format!("property {:04x}", self.number()?)),
            _ => Some(wide(self.padded()?)),
        }
    }

    fn value(&mut self, kind: u16, encoding: &'static Encoding) -> Option<Option<Value<'o>>> {
        Some(match kind {
            0x02 | 0x03 | 0x04 | 0x0A | 0x0B => Some(Value::Number(self.number()?)),
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => {
                self.take(8)?;
                None
            }
            0x48 => {
                self.take(16)?;
                None
            }
            0x1E => Some(Value::Text(encoding.decode_without_bom_handling(self.padded()?).0.trim_end_matches('\0').to_owned())),
            0x1F => Some(Value::Text(wide(self.padded()?))),
            0x0D => Some(Value::Object(self.padded()?.get(INTERFACE..).unwrap_or_default())),
            0x102 => Some(Value::Octets(self.padded()?)),
            0x00 | 0x01 => None,
            // Of a type that isn't known the length isn't known either.
            _ => return None,
        })
    }
}

fn wide(octets: &[u8]) -> String {
    UTF_16LE.decode_without_bom_handling(octets).0.trim_end_matches('\0').to_owned()
}
