//! Properties of MAPI by their numbers (MS-OXPROPS): what Outlook's messages and winmail.dat are made of.

use std::borrow::Cow;

pub(super) const SUBJECT: u16 = 0x0037;
/// The header of the mail as it came.
pub(super) const HEADER: u16 = 0x007D;
pub(super) const BODY: u16 = 0x1000;
/// The body in RTF, packed (MS-OXRTFCP).
pub(super) const RTF: u16 = 0x1009;
pub(super) const HTML: u16 = 0x1013;
pub(super) const DISPLAY_NAME: u16 = 0x3001;
/// Of an attachment: its octets, or an object.
pub(super) const DATA: u16 = 0x3701;
pub(super) const FILE_NAME: u16 = 0x3704;
/// How an attachment lies there, or where else.
pub(super) const METHOD: u16 = 0x3705;
pub(super) const LONG_FILE_NAME: u16 = 0x3707;
pub(super) const MEDIA_TYPE: u16 = 0x370E;
/// Of the body in HTML.
pub(super) const INTERNET_CODE_PAGE: u16 = 0x3FDE;
pub(super) const LANGUAGE: u16 = 0x3FF1;
/// Of texts with one octet a character.
pub(super) const CODE_PAGE: u16 = 0x3FFD;

/// From here on a message gives out the numbers, to names of its own.
pub(super) const NAMED: u16 = 0x8000;

/// What people call a property that they see; else its number.
pub(super) fn name(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        0x001A => "message class",
        SUBJECT => "subject",
        0x0042 | 0x0C1A => "from",
        0x0065 | 0x0C1F | 0x5D01 | 0x5D02 => "from address",
        0x0070 => "topic",
        0x0E02 => "bcc",
        0x0E03 => "cc",
        0x0E04 => "to",
        0x1035 => "message-id",
        DISPLAY_NAME => "name",
        0x3003 => "address",
        0x3004 => "comment",
        FILE_NAME | LONG_FILE_NAME => "file",
        0x3708 | 0x370D => "path",
        0x39FE => "smtp address",
        0x3A06 => "given name",
        0x3A08 => "business telephone",
        0x3A09 => "home telephone",
        0x3A11 => "surname",
        0x3A16 => "company",
        0x3A1C => "mobile telephone",
        number => return Cow::Owned(format!("property {number:04x}")),
    })
}
