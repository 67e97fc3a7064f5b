//! Compressed RTF, as Outlook keeps bodies (MS-OXRTFCP): an LZ77 with a dictionary of 4096 octets that isn't empty at the start.

/// The dictionary at the start (MS-OXRTFCP, 2.1.2.1): what an RTF begins with.
const PRELOADED: &[u8; 207] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbol\
ArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Octets of the dictionary, a ring.
const RING: usize = 4096;

/// Octets of the header: sizes, kind and checksum.
const HEADER: usize = 16;

/// Why an RTF did not decompress to its end; and what came out before.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) struct Broken {
    /// The RTF up to the fault: worth reading.
    pub(in crate::extract) rtf: Vec<u8>,
}

/// The RTF in `PidTagRtfCompressed` (MS-OXRTFCP, 3.1). At most nine times as long as `octets`, by the nature of the format.
///
/// # Errors
/// [`Broken`] when it is cut off, when its checksum is another, or when its header is none.
pub(in crate::extract) fn decompress(octets: &[u8]) -> Result<Vec<u8>, Broken> {
    let word = |at: usize| octets.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes);
    let (Some(packed), Some(whole), Some(kind), Some(checksum)) = (word(0), word(4), word(8), word(12)) else {
        return Err(Broken { rtf: Vec::new() });
    };
    let content = &octets[HEADER..];
    // COMPSIZE counts what stands behind itself: the rest of the header, and the content.
    let length = usize::try_from(packed).unwrap_or(usize::MAX).saturating_sub(HEADER - 4);
    let is_short = length > content.len();
    let content = &content[..length.min(content.len())];
    let (rtf, is_whole) = match &kind.to_le_bytes() {
        b"MELA" => (content.to_vec(), true),
        b"LZFu" => {
            let (rtf, has_end) = expand(content);
            (rtf, has_end && crc(content) == checksum)
        }
        _ => return Err(Broken { rtf: Vec::new() }),
    };
    // Outlook counts a closing NUL or not; less than what was promised is damage.
    let is_missing = rtf.len() + 1 < usize::try_from(whole).unwrap_or(usize::MAX);
    if is_short || !is_whole || is_missing { Err(Broken { rtf }) } else { Ok(rtf) }
}

/// The octets that `content` stands for, and whether its end mark was met.
fn expand(content: &[u8]) -> (Vec<u8>, bool) {
    let mut ring = [b' '; RING];
    ring[..PRELOADED.len()].copy_from_slice(PRELOADED);
    let mut write = PRELOADED.len();
    let mut out = Vec::with_capacity(content.len() * 3);
    let mut rest = content.iter().copied();
    while let Some(control) = rest.next() {
        for bit in 0..8 {
            if control >> bit & 1 == 0 {
                let Some(octet) = rest.next() else { return (out, false) };
                out.push(octet);
                ring[write] = octet;
                write = (write + 1) % RING;
                continue;
            }
            let (Some(high), Some(low)) = (rest.next(), rest.next()) else { return (out, false) };
            let reference = u16::from_be_bytes([high, low]);
            let read = usize::from(reference >> 4);
            if read == write {
                return (out, true);
            }
            for step in 0..usize::from(reference & 0xF) + 2 {
                let octet = ring[(read + step) % RING];
                out.push(octet);
                ring[write] = octet;
                write = (write + 1) % RING;
            }
        }
    }
    (out, false)
}

/// MS-OXRTFCP, 2.1.3.2: the polynomial of PKZIP, from zero and without a last inversion.
fn crc(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |crc, octet| {
        let mut rest = (crc ^ u32::from(*octet)) & 0xFF;
        for _ in 0..8 {
            rest = if rest & 1 == 1 { 0xEDB8_8320 ^ (rest >> 1) } else { rest >> 1 };
        }
        rest ^ (crc >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MS-OXRTFCP, 4.1.1.
    const HELLO: &[u8] = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
    /// MS-OXRTFCP, 4.1.2: it reads what it is writing.
    const CROSSING: &[u8] = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04 WXYZ\x0d\x6e}\x01\x0e\xb0";

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(decompress(HELLO).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(decompress(CROSSING).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(decompress(b"\x10\0\0\0\x04\0\0\0MELA\0\0\0\0{\\a}").unwrap(), b"{\\a}");
    }

    #[test]
    fn what_is_cut_off_or_changed_is_told_and_kept() {
        for length in 0..HELLO.len() {
            assert!(decompress(&HELLO[..length]).is_err(), "{length}");
        }
        let cut = decompress(&HELLO[..HELLO.len() - 4]).unwrap_err();
        assert!(cut.rtf.starts_with(b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world"), "{cut:?}");
        let mut changed = HELLO.to_vec();
        changed[30] ^= 1;
        assert!(decompress(&changed).is_err());
        assert!(decompress(&[&HELLO[..8], b"XXXX", &HELLO[12..]].concat()).is_err());
    }
}
