//! Names of the glyphs of a Compact Font Format program, and its built-in encoding (Adobe Technical Note 5176).
//!
//! Outlines are not looked at. Whatever points outside the font says nothing.

use super::truetype::be16;

/// The names that every font has (appendix A): their numbers, SIDs, are their places in this list.
const STANDARD: &str = ".notdef space exclam quotedbl numbersign dollar percent ampersand quoteright parenleft parenright asterisk plus comma \
hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at A B C D E F G H I J K L M \
N O P Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore quoteleft a b c d e f g h i j k l m n o p q r s t u v w x y z \
braceleft bar braceright asciitilde exclamdown cent sterling fraction yen florin section currency quotesingle quotedblleft guillemotleft \
guilsinglleft guilsinglright fi fl endash dagger daggerdbl periodcentered paragraph bullet quotesinglbase quotedblbase quotedblright \
guillemotright ellipsis perthousand questiondown grave acute circumflex tilde macron breve dotaccent dieresis ring cedilla hungarumlaut ogonek \
caron emdash AE ordfeminine Lslash Oslash OE ordmasculine ae dotlessi lslash oslash oe germandbls onesuperior logicalnot mu trademark Eth \
onehalf plusminus Thorn onequarter divide brokenbar degree thorn threequarters twosuperior registered minus eth multiply threesuperior \
copyright Aacute Acircumflex Adieresis Agrave Aring Atilde Ccedilla Eacute Ecircumflex Edieresis Egrave Iacute Icircumflex Idieresis Igrave \
Ntilde Oacute Ocircumflex Odieresis Ograve Otilde Scaron Uacute Ucircumflex Udieresis Ugrave Yacute Ydieresis Zcaron aacute acircumflex \
adieresis agrave aring atilde ccedilla eacute ecircumflex edieresis egrave iacute icircumflex idieresis igrave ntilde oacute ocircumflex \
odieresis ograve otilde scaron uacute ucircumflex udieresis ugrave yacute ydieresis zcaron exclamsmall Hungarumlautsmall dollaroldstyle \
dollarsuperior ampersandsmall Acutesmall parenleftsuperior parenrightsuperior twodotenleader onedotenleader zerooldstyle oneoldstyle \
twooldstyle threeoldstyle fouroldstyle fiveoldstyle sixoldstyle sevenoldstyle eightoldstyle nineoldstyle commasuperior threequartersemdash \
periodsuperior questionsmall asuperior bsuperior centsuperior dsuperior esuperior isuperior lsuperior msuperior nsuperior osuperior rsuperior \
ssuperior tsuperior ff ffi ffl parenleftinferior parenrightinferior Circumflexsmall hyphensuperior Gravesmall Asmall Bsmall Csmall Dsmall \
Esmall Fsmall Gsmall Hsmall Ismall Jsmall Ksmall Lsmall Msmall Nsmall Osmall Psmall Qsmall Rsmall Ssmall Tsmall Usmall Vsmall Wsmall Xsmall \
Ysmall Zsmall colonmonetary onefitted rupiah Tildesmall exclamdownsmall centoldstyle Lslashsmall Scaronsmall Zcaronsmall Dieresissmall \
Brevesmall Caronsmall Dotaccentsmall Macronsmall figuredash hypheninferior Ogoneksmall Ringsmall Cedillasmall questiondownsmall oneeighth \
threeeighths fiveeighths seveneighths onethird twothirds zerosuperior foursuperior fivesuperior sixsuperior sevensuperior eightsuperior \
ninesuperior zeroinferior oneinferior twoinferior threeinferior fourinferior fiveinferior sixinferior seveninferior eightinferior nineinferior \
centinferior dollarinferior periodinferior commainferior Agravesmall Aacutesmall Acircumflexsmall Atildesmall Adieresissmall Aringsmall AEsmall \
Ccedillasmall Egravesmall Eacutesmall Ecircumflexsmall Edieresissmall Igravesmall Iacutesmall Icircumflexsmall Idieresissmall Ethsmall \
Ntildesmall Ogravesmall Oacutesmall Ocircumflexsmall Otildesmall Odieresissmall OEsmall Oslashsmall Ugravesmall Uacutesmall Ucircumflexsmall \
Udieresissmall Yacutesmall Thornsmall Ydieresissmall 001.000 001.001 001.002 001.003 Black Bold Book Light Medium Regular Roman Semibold";

/// How many those are.
const STANDARD_COUNT: u16 = 391;

/// The predefined charsets ISOAdobe, Expert and ExpertSubset, as runs of SIDs (appendix C).
const CHARSETS: [&[(u16, u16)]; 3] = [
    &[(0, 228)],
    &[
        (0, 1),
        (229, 238),
        (13, 15),
        (99, 99),
        (239, 248),
        (27, 28),
        (249, 266),
        (109, 110),
        (267, 318),
        (158, 158),
        (155, 155),
        (163, 163),
        (319, 326),
        (150, 150),
        (164, 164),
        (169, 169),
        (327, 378),
    ],
    &[
        (0, 1),
        (231, 232),
        (235, 238),
        (13, 15),
        (99, 99),
        (239, 248),
        (27, 28),
        (249, 251),
        (253, 266),
        (109, 110),
        (267, 270),
        (272, 272),
        (300, 302),
        (305, 305),
        (314, 315),
        (158, 158),
        (155, 155),
        (163, 163),
        (320, 326),
        (150, 150),
        (164, 164),
        (169, 169),
        (327, 346),
    ],
];

/// Operators of a Top DICT (table 9); two-octet ones have 0x0C in front.
const CHARSET: u16 = 15;
const ENCODING: u16 = 16;
const CHAR_STRINGS: u16 = 17;
const ROS: u16 = 0x0C1E;

/// A font program, as far as the meaning of its glyphs goes.
pub(super) struct Cff<'f> {
    /// The String INDEX.
    strings: Index<'f>,
    /// The standard names, in their order.
    standard: Vec<&'static str>,
    /// By glyph: an SID; the character id in a font keyed by these.
    charset: Vec<u16>,
    /// Glyphs have no names, only character ids.
    pub(super) is_keyed_by_id: bool,
    encoding: Encoding<'f>,
}

enum Encoding<'f> {
    Standard,
    /// MacExpert or one that can't be read.
    Unknown,
    Own(&'f [u8]),
}

impl<'f> Cff<'f> {
    /// Reads a font; `None` when its tables lie elsewhere than it says.
    pub(super) fn read(font: &'f [u8]) -> Option<Cff<'f>> {
        if font.first() != Some(&1) {
            return None;
        }
        let names = Index::read(font, usize::from(*font.get(2)?))?;
        let tops = Index::read(font, names.end)?;
        let strings = Index::read(font, tops.end)?;
        let top = Top::read(tops.get(0)?);
        // The number of glyphs is nowhere else.
        let glyphs = Index::read(font, top.char_strings?)?.count;
        let charset = match CHARSETS.get(top.charset).filter(|_| !top.is_keyed_by_id) {
            Some(runs) => runs.iter().flat_map(|(first, last)| *first..=*last).take(usize::from(glyphs)).collect(),
            None => charset(font.get(top.charset..)?, glyphs),
        };
        let encoding = match top.encoding {
            0 => Encoding::Standard,
            1 => Encoding::Unknown,
            at => font.get(at..).map_or(Encoding::Unknown, Encoding::Own),
        };
        let standard = STANDARD.split(' ').collect();
        Some(Cff { strings, standard, charset, is_keyed_by_id: top.is_keyed_by_id, encoding })
    }

    /// The name of a glyph.
    pub(super) fn name(&self, glyph: u16) -> Option<&[u8]> {
        let sid = self.charset.get(usize::from(glyph)).filter(|_| !self.is_keyed_by_id)?;
        self.string(*sid)
    }

    fn string(&self, sid: u16) -> Option<&[u8]> {
        match sid.checked_sub(STANDARD_COUNT) {
            Some(own) => self.strings.get(own),
            None => self.standard.get(usize::from(sid)).map(|name| name.as_bytes()),
        }
    }

    /// By glyph, the character id that stands for it; glyph and id are the same where the font isn't keyed by ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = (u16, u16)> {
        (0..).zip(&self.charset).map(|(glyph, id)| (glyph, if self.is_keyed_by_id { *id } else { glyph }))
    }

    /// Whether codes mean what they do in StandardEncoding.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.encoding, Encoding::Standard)
    }

    /// Codes and the names of their glyphs (section 12).
    pub(super) fn codes(&self) -> Vec<(u8, &[u8])> {
        let Encoding::Own(table) = self.encoding else { return Vec::new() };
        let octet = |at: usize| table.get(at).copied();
        let mut codes = Vec::new();
        let (Some(format), Some(count)) = (octet(0), octet(1)) else { return codes };
        let count = usize::from(count);
        let mut glyph = 1u16;
        let mut tell = |code: u8, left: u8| {
            for code in (code..=255).take(1 + usize::from(left)) {
                codes.extend(self.name(glyph).map(|name| (code, name)));
                glyph = glyph.saturating_add(1);
            }
        };
        let end = match format & 0x7F {
            0 => {
                (0..count).filter_map(|i| octet(2 + i)).for_each(|code| tell(code, 0));
                2 + count
            }
            1 => {
                (0..count).filter_map(|i| octet(2 + 2 * i).zip(octet(3 + 2 * i))).for_each(|(first, left)| tell(first, left));
                2 + 2 * count
            }
            _ => return codes,
        };
        if format & 0x80 != 0 {
            let supplements = usize::from(octet(end).unwrap_or(0));
            let each = (0..supplements).filter_map(|i| octet(end + 1 + 3 * i).zip(be16(table, end + 2 + 3 * i)));
            codes.extend(each.filter_map(|(code, sid)| Some((code, self.string(u16::try_from(sid).ok()?)?))));
        }
        codes
    }
}

/// Section 13: the SID or character id of each glyph but the first, which is `.notdef`.
fn charset(table: &[u8], glyphs: u16) -> Vec<u16> {
    let glyphs = usize::from(glyphs);
    let word = |at: usize| be16(table, at).and_then(|n| u16::try_from(n).ok());
    let mut charset = vec![0];
    match table.first() {
        Some(0) => charset.extend((0..glyphs.saturating_sub(1)).map_while(|i| word(1 + 2 * i))),
        Some(format @ (1 | 2)) => {
            let (mut at, size) = (1, if *format == 1 { 3 } else { 4 });
            while let (true, Some(first)) = (charset.len() < glyphs, word(at)) {
                let left = if size == 3 { table.get(at + 2).map(|b| u16::from(*b)) } else { word(at + 2) };
                let Some(left) = left else { break };
                charset.extend((first..=u16::MAX).take(usize::from(left) + 1));
                at += size;
            }
            charset.truncate(glyphs);
        }
        _ => {}
    }
    charset
}

/// What a Top DICT says (section 9).
#[derive(Default)]
struct Top {
    charset: usize,
    encoding: usize,
    char_strings: Option<usize>,
    is_keyed_by_id: bool,
}

impl Top {
    fn read(dict: &[u8]) -> Top {
        let mut top = Top::default();
        let mut last = None;
        let mut rest = dict;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            let size = match first {
                // Operators.
                0..=21 => {
                    let mut operator = u16::from(*first);
                    if *first == 12 {
                        operator = 0x0C00 | u16::from(rest.first().copied().unwrap_or(0));
                        rest = rest.get(1..).unwrap_or_default();
                    }
                    top.take(operator, last);
                    last = None;
                    continue;
                }
                28 => 2,
                29 => 4,
                30 => {
                    // A real number: none of the offsets is one.
                    let end = rest.iter().position(|b| b & 0x0F == 0x0F || b >> 4 == 0x0F).map_or(rest.len(), |i| i + 1);
                    rest = rest.get(end..).unwrap_or_default();
                    continue;
                }
                247..=254 => 1,
                _ => 0,
            };
            let Some((operand, behind)) = rest.split_at_checked(size) else { break };
            rest = behind;
            last = number(*first, operand);
        }
        top
    }

    fn take(&mut self, operator: u16, operand: Option<usize>) {
        match operator {
            CHARSET => self.charset = operand.unwrap_or(0),
            ENCODING => self.encoding = operand.unwrap_or(0),
            CHAR_STRINGS => self.char_strings = operand,
            ROS => self.is_keyed_by_id = true,
            _ => {}
        }
    }
}

/// An operand that is no negative integer (table 3).
fn number(first: u8, rest: &[u8]) -> Option<usize> {
    let value = match (first, rest) {
        (28, [a, b]) => i32::from(i16::from_be_bytes([*a, *b])),
        (29, [a, b, c, d]) => i32::from_be_bytes([*a, *b, *c, *d]),
        (32..=246, []) => i32::from(first) - 139,
        (247..=250, [b]) => (i32::from(first) - 247) * 256 + i32::from(*b) + 108,
        _ => return None,
    };
    usize::try_from(value).ok()
}

/// An INDEX (section 5): objects of different lengths, one behind the other.
struct Index<'f> {
    font: &'f [u8],
    count: u16,
    /// Octets of an offset.
    size: usize,
    offsets: usize,
    /// Behind the last object.
    end: usize,
}

impl<'f> Index<'f> {
    fn read(font: &'f [u8], at: usize) -> Option<Index<'f>> {
        let count = u16::try_from(be16(font, at)?).ok()?;
        if count == 0 {
            return Some(Index { font, count, size: 1, offsets: at, end: at.checked_add(2)? });
        }
        let size = usize::from(*font.get(at.checked_add(2)?)?);
        let mut index = Index { font, count, size, offsets: at.checked_add(3)?, end: 0 };
        index.end = index.start(count).filter(|_| (1..=4).contains(&size))?;
        Some(index)
    }

    /// Where in the font the object begins.
    fn start(&self, object: u16) -> Option<usize> {
        let at = self.offsets.checked_add(usize::from(object) * self.size)?;
        let offset = self.font.get(at..at.checked_add(self.size)?)?.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
        // Offsets count from the octet in front of the objects.
        let base = self.offsets + (usize::from(self.count) + 1) * self.size;
        base.checked_add(offset.checked_sub(1)?)
    }

    fn get(&self, object: u16) -> Option<&'f [u8]> {
        if object >= self.count {
            return None;
        }
        self.font.get(self.start(object)?..self.start(object + 1)?)
    }
}
