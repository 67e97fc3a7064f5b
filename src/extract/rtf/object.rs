//! Files inside RTF, as OLE 1 packs them (MS-OLEDS, 2.2).

/// A file within `\objdata`: its name, and its octets. What has no header of OLE 1 is given as it is.
pub(super) fn unpacked(octets: Vec<u8>) -> (String, Vec<u8>) {
    match embedded(&octets) {
        Some(found) => found,
        None => ("object".to_owned(), octets),
    }
}

/// EmbeddedObject (MS-OLEDS, 2.2.5): version, format, three names with their lengths, and the data with its length.
fn embedded(octets: &[u8]) -> Option<(String, Vec<u8>)> {
    /// FormatID of an embedded object; 1 is a linked one, which holds no file.
    const EMBEDDED: u32 = 2;
    let mut rest = octets.get(4..)?;
    if number(&mut rest)? != EMBEDDED {
        return None;
    }
    let class = name(&mut rest)?;
    name(&mut rest)?;
    name(&mut rest)?;
    let length = number(&mut rest)? as usize;
    // A cut object is worth reading as far as it goes.
    let data = &rest[..length.min(rest.len())];
    if class == "Package"
        && let Some(found) = package(data)
    {
        return Some(found);
    }
    Some((if class.is_empty() { "object".to_owned() } else { class }, data.to_vec()))
}

/// What Windows' packager writes: label, path, another path, and the file.
fn package(data: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut rest = data.get(2..)?;
    let label = zero_ended(&mut rest)?;
    zero_ended(&mut rest)?;
    rest = rest.get(4..)?;
    name(&mut rest)?;
    let length = number(&mut rest)? as usize;
    Some((label, rest[..length.min(rest.len())].to_vec()))
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_le_bytes(*number))
}

/// LengthPrefixedAnsiString (MS-OLEDS, 2.1.4).
fn name(rest: &mut &[u8]) -> Option<String> {
    let length = number(rest)? as usize;
    let octets = rest.get(..length)?;
    *rest = &rest[length..];
    let octets = octets.strip_suffix(b"\0").unwrap_or(octets);
    Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned())
}

fn zero_ended(rest: &mut &[u8]) -> Option<String> {
    let end = memchr::memchr(0, rest)?;
    let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&rest[..end]).0.into_owned();
    *rest = &rest[end + 1..];
    Some(text)
}
