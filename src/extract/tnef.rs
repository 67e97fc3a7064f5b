//! TNEF, `winmail.dat`: what Outlook makes of a mail with formatting for another Outlook (MS-OXTNEF).

mod properties;

use super::{
    Places, Source,
    charset::code_page,
    html, mapi, plain,
    reading::{Here, Reading},
    rtf,
};
use bytes::Bytes;
use encoding_rs::{Encoding, WINDOWS_1252};
use properties::{Properties, Value};
use std::borrow::Cow;

/// The first four octets (MS-OXTNEF, 2.1.3.1).
pub(super) const SIGNATURE: [u8; 4] = 0x223E_9F78_u32.to_le_bytes();

/// Attributes by their numbers, type included (MS-OXTNEF, 2.1.3.2 and 2.1.3.3).
mod id {
    pub(super) const FROM: u32 = 0x0000_8000;
    pub(super) const SUBJECT: u32 = 0x0001_8004;
    pub(super) const BODY: u32 = 0x0002_800C;
    pub(super) const OEM_CODE_PAGE: u32 = 0x0006_9007;
    pub(super) const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
    pub(super) const RECIPIENTS: u32 = 0x0006_9004;
    pub(super) const ATTACHMENT_START: u32 = 0x0006_9002;
    pub(super) const ATTACHMENT_TITLE: u32 = 0x0001_8010;
    pub(super) const ATTACHMENT_DATA: u32 = 0x0006_800F;
    pub(super) const ATTACHMENT_FILE_NAME: u32 = 0x0006_9001;
    pub(super) const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;
}

/// An attachment as its attributes come.
#[derive(Default)]
struct Attachment<'o> {
    title: Option<String>,
    long_name: Option<String>,
    media_type: String,
    data: Option<Cow<'o, [u8]>>,
}

/// Reads a mail in TNEF: its texts, its properties, and its attachments as members.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let mut winmail = Winmail { reading, here, encoding: WINDOWS_1252, lines: String::new(), attachment: None };
    // Signature and key.
    let is_whole = octets.get(6..).is_some_and(|rest| winmail.attributes(rest));
    winmail.attachment_ends();
    let lines = std::mem::take(&mut winmail.lines);
    reading.text(&here.part, Source::Properties, plain::clean(Cow::Owned(lines)).into_owned(), Places::None);
    if !is_whole {
        reading.damaged(here, "tnef");
    }
}

struct Winmail<'r, 'l, 'o> {
    reading: &'r mut Reading<'l>,
    here: &'r Here,
    /// Of octets that are text (attOemCodepage).
    encoding: &'static Encoding,
    /// `name: value`.
    lines: String,
    attachment: Option<Attachment<'o>>,
}

impl<'o> Winmail<'_, '_, 'o> {
    /// One attribute after the other: level, number, length, data, checksum. Whether all were whole.
    fn attributes(&mut self, mut rest: &'o [u8]) -> bool {
        /// What stands before the data, and behind it.
        const FRAME: usize = 9 + 2;
        let mut is_whole = true;
        // Transports leave zeros or a line end behind it.
        while rest.iter().any(|octet| !matches!(octet, 0 | b'\r' | b'\n')) {
            let word = |at: usize| rest.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes);
            let (Some(number), Some(length)) = (word(1), word(5)) else { return false };
            if !matches!(rest[0], 1 | 2) {
                return false;
            }
            let length = length as usize;
            let data = rest.get(9..).unwrap_or_default();
            let data = &data[..length.min(data.len())];
            let checksum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
            let stated = rest.get(9 + data.len()..FRAME + data.len()).map(|c| u16::from_le_bytes([c[0], c[1]]));
            is_whole &= data.len() == length && stated == Some(checksum);
            is_whole &= self.attribute(number, data);
            rest = rest.get(FRAME + data.len()..).unwrap_or_default();
        }
        is_whole
    }

    fn attribute(&mut self, number: u32, data: &'o [u8]) -> bool {
        match number {
            id::OEM_CODE_PAGE => {
                let page = data.first_chunk().map(|p| u32::from_le_bytes(*p));
                self.encoding = page.and_then(code_page).unwrap_or(self.encoding);
            }
            id::SUBJECT => self.subject(&self.string(data)),
            id::BODY => self.body_text(&self.string(data)),
            id::FROM => {
                // TRP (MS-OXTNEF, 2.1.3.3.2): four lengths, then name and address.
                let text = self.string(data.get(8..).unwrap_or_default()).replace('\0', " ");
                self.lines.push_str(&format!("from: {}\n", text.trim().replace('\n', " ")));
            }
            id::MESSAGE_PROPERTIES => return self.message_properties(data),
            id::RECIPIENTS => return self.recipients(data),
            id::ATTACHMENT_START => {
                self.attachment_ends();
                self.attachment = Some(Attachment::default());
            }
            id::ATTACHMENT_TITLE | id::ATTACHMENT_FILE_NAME => {
                let name = self.string(data);
                self.attachment.get_or_insert_default().title.get_or_insert(name);
            }
            id::ATTACHMENT_DATA => self.attachment.get_or_insert_default().data = Some(Cow::Borrowed(data)),
            id::ATTACHMENT_PROPERTIES => return self.attachment_properties(data),
            _ => {}
        }
        true
    }

    fn string(&self, data: &[u8]) -> String {
        let text = self.encoding.decode_without_bom_handling(data).0;
        text.trim_end_matches('\0').to_owned()
    }

    fn source(&self) -> Source {
        // Outlook shows it in the place of the mail it came with.
        if self.here.depth <= 1 { Source::Body } else { Source::Attachment }
    }

    fn subject(&mut self, subject: &str) {
        let part = self.here.section("subject");
        let subject = plain::clean(Cow::Borrowed(subject)).into_owned();
        self.reading.text(&part, Source::Attachment, subject, Places::None);
    }

    fn body_text(&mut self, text: &str) {
        let part = self.reading.unique(self.here.section("text"));
        let source = self.source();
        plain::read(self.reading, self.here, &part, source, text.as_bytes(), Some("utf-8"));
    }

    fn message_properties(&mut self, data: &'o [u8]) -> bool {
        let (properties, is_whole) = Properties::read(data, self.encoding);
        let internet = properties.number(mapi::INTERNET_CODE_PAGE).and_then(code_page).unwrap_or(self.encoding);
        for (number, name, value) in &properties.all {
            match (*number, value) {
                (mapi::BODY, Value::Text(text)) => self.body_text(text),
                (mapi::HTML, Value::Text(text)) => self.body_html(text.as_bytes(), "utf-8"),
                (mapi::HTML, Value::Octets(octets)) => self.body_html(octets, internet.name()),
                (mapi::RTF, Value::Octets(octets)) => self.body_rtf(octets),
                (_, Value::Text(text)) => self.line(name, text),
                _ => {}
            }
        }
        is_whole
    }

    fn body_html(&mut self, octets: &[u8], charset: &str) {
        let part = self.reading.unique(self.here.section("html"));
        let source = self.source();
        html::read(self.reading, self.here, &part, source, octets, Some(charset));
    }

    fn body_rtf(&mut self, octets: &[u8]) {
        let part = self.reading.unique(self.here.section("rtf"));
        let source = self.source();
        rtf::read_packed(self.reading, self.here, &part, source, octets);
    }

    fn line(&mut self, name: &str, value: &str) {
        if !value.trim().is_empty() {
            self.lines.push_str(&format!("{name}: {}\n", value.trim().replace(['\r', '\n'], " ")));
        }
    }

    /// attRecipTable (MS-OXTNEF, 2.1.3.5.1): rows of properties.
    fn recipients(&mut self, data: &'o [u8]) -> bool {
        let Some((count, mut rest)) = data.split_first_chunk().map(|(c, r)| (u32::from_le_bytes(*c), r)) else { return false };
        for _ in 0..count {
            let (row, is_whole, behind) = Properties::read_row(rest, self.encoding);
            for (_, name, value) in &row.all {
                if let Value::Text(text) = value {
                    self.line(&format!("recipient {name}"), text);
                }
            }
            if !is_whole {
                return false;
            }
            rest = behind;
        }
        true
    }

    fn attachment_properties(&mut self, data: &'o [u8]) -> bool {
        let (properties, is_whole) = Properties::read(data, self.encoding);
        let mut lines = Vec::new();
        let attachment = self.attachment.get_or_insert_default();
        for (number, name, value) in properties.all {
            match (number, value) {
                (mapi::LONG_FILE_NAME, Value::Text(text)) => attachment.long_name = Some(text),
                (mapi::FILE_NAME, Value::Text(text)) => {
                    attachment.title.get_or_insert(text);
                }
                (mapi::MEDIA_TYPE, Value::Text(text)) => attachment.media_type = text.to_ascii_lowercase(),
                (mapi::DATA, Value::Object(octets)) => attachment.data = Some(Cow::Borrowed(octets)),
                (mapi::DATA, Value::Octets(octets)) if !octets.is_empty() => attachment.data = Some(Cow::Borrowed(octets)),
                (_, Value::Text(text)) => lines.push((name, text)),
                _ => {}
            }
        }
        for (name, text) in lines {
            self.line(&name, &text);
        }
        is_whole
    }

    fn attachment_ends(&mut self) {
        let Some(attachment) = self.attachment.take() else { return };
        let name = attachment.long_name.or(attachment.title).unwrap_or_else(|| "attachment".to_owned());
        let Some(data) = attachment.data else { return self.reading.damaged(self.here, "tnef") };
        self.reading.member(self.here, &name, &attachment.media_type, &Bytes::from(data.into_owned()));
    }
}
