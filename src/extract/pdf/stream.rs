//! Stream data, decoded within the limits, and what lopdf leaves of it undone.

use super::super::reading::Reading;
use lopdf::{Dictionary, Document, Object, Stream};
use std::io::Read;

/// Decoded data.
pub(super) struct Decoded {
    pub(super) data: Vec<u8>,
    /// Some of it could not be decoded.
    pub(super) is_damaged: bool,
}

/// Why there is none.
pub(super) enum Refused {
    Damaged,
    TooLarge,
}

/// Decodes a stream. Counts what comes out.
pub(super) fn decode(reading: &mut Reading<'_>, document: &Document, stream: &Stream) -> Result<Decoded, Refused> {
    let most = usize::try_from(reading.limits.member.min(reading.expanded_left())).unwrap_or(usize::MAX);
    let filters = filters(document, &stream.dict);
    let parameters = parameters(document, &stream.dict, filters.len());
    let decoded = by_filters(&stream.content, &filters, &parameters, most);
    if let Ok(decoded) = &decoded {
        reading.expanded(decoded.data.len());
    }
    decoded
}

/// The data of an image, as far as it can be decoded here: what is packed as a picture is left so, with the filter's name and its parameters.
pub(super) struct Image {
    pub(super) data: Vec<u8>,
    pub(super) packed: Option<(Vec<u8>, Dictionary)>,
}

/// Decodes an image's stream, all of it; `None` when that fails, or its last filter is none of `known`. Nothing is counted: the caller keeps none of it,
/// and knows how often it asks.
pub(super) fn image(reading: &Reading<'_>, document: &Document, stream: &Stream, known: &[&[u8]]) -> Option<Image> {
    let mut filters = filters(document, &stream.dict);
    let mut parameters = parameters(document, &stream.dict, filters.len());
    let is_picture = |filter: &Vec<u8>| !ORDINARY.contains(&filter.as_slice());
    let packed = filters.pop_if(|last| is_picture(last)).map(|last| (last, parameters.pop().unwrap_or_default()));
    if packed.as_ref().is_some_and(|(filter, _)| !known.contains(&filter.as_slice())) || filters.iter().any(is_picture) {
        return None;
    }
    let most = usize::try_from(reading.limits.member).unwrap_or(usize::MAX);
    let decoded = by_filters(&stream.content, &filters, &parameters, most).ok().filter(|decoded| !decoded.is_damaged)?;
    Some(Image { data: decoded.data, packed })
}

/// The filters that pack anything (ISO 32000-1, table 6); the others are for images.
const ORDINARY: [&[u8]; 5] = [b"FlateDecode", b"LZWDecode", b"ASCII85Decode", b"ASCIIHexDecode", b"RunLengthDecode"];

fn by_filters(content: &[u8], filters: &[Vec<u8>], parameters: &[Dictionary], most: usize) -> Result<Decoded, Refused> {
    match filters.split_first() {
        None => plain(content, most),
        // lopdf gives what it got out of a broken Flate stream and doesn't say so; so the first one, nearly always the only one, is our own.
        Some((first, rest)) if first == b"FlateDecode" && parameters.first().is_none_or(|p| p.get(b"Predictor").is_err()) => {
            let (inflated, is_damaged) = inflate(content, most)?;
            if rest.is_empty() {
                Ok(Decoded { data: inflated, is_damaged })
            } else {
                by_lopdf(rest, parameters.get(1..).unwrap_or_default(), inflated, most)
                    .map(|d| Decoded { is_damaged: d.is_damaged | is_damaged, ..d })
            }
        }
        Some(_) => by_lopdf(filters, parameters, content.to_vec(), most),
    }
}

fn plain(content: &[u8], most: usize) -> Result<Decoded, Refused> {
    if content.len() > most { Err(Refused::TooLarge) } else { Ok(Decoded { data: content.to_vec(), is_damaged: false }) }
}

fn inflate(content: &[u8], most: usize) -> Result<(Vec<u8>, bool), Refused> {
    let limit = (most as u64).saturating_add(1);
    let mut data = Vec::new();
    let mut is_damaged = flate2::read::ZlibDecoder::new(content).take(limit).read_to_end(&mut data).is_err();
    if is_damaged && data.is_empty() && content.len() > 2 {
        // A wrong header, the rest right.
        is_damaged = flate2::read::DeflateDecoder::new(&content[2..]).take(limit).read_to_end(&mut data).is_err();
    }
    if data.len() > most { Err(Refused::TooLarge) } else { Ok((data, is_damaged)) }
}

fn by_lopdf(filters: &[Vec<u8>], parameters: &[Dictionary], content: Vec<u8>, most: usize) -> Result<Decoded, Refused> {
    let mut dictionary = Dictionary::new();
    dictionary.set("Filter", filters.iter().map(|f| Object::Name(f.clone())).collect::<Vec<_>>());
    dictionary.set("DecodeParms", parameters.iter().map(|p| Object::Dictionary(p.clone())).collect::<Vec<_>>());
    let stream = Stream::new(dictionary, content);
    match stream.decompressed_content_with_limit(most) {
        Ok(data) => Ok(Decoded { data, is_damaged: false }),
        Err(lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. })) => Err(Refused::TooLarge),
        Err(_) => Err(Refused::Damaged),
    }
}

/// The filters by their full names, references resolved, those that change nothing left out.
fn filters(document: &Document, dictionary: &Dictionary) -> Vec<Vec<u8>> {
    let full = |name: &[u8]| -> Option<Vec<u8>> {
        let name: &[u8] = match name {
            b"Fl" => b"FlateDecode",
            b"LZW" => b"LZWDecode",
            b"A85" => b"ASCII85Decode",
            b"AHx" => b"ASCIIHexDecode",
            b"RL" => b"RunLengthDecode",
            b"DCT" => b"DCTDecode",
            b"CCF" => b"CCITTFaxDecode",
            b"Crypt" => return None,
            other => other,
        };
        Some(name.to_vec())
    };
    items(document, dictionary, b"Filter").filter_map(|o| o.as_name().ok().and_then(full)).collect()
}

fn parameters(document: &Document, dictionary: &Dictionary, count: usize) -> Vec<Dictionary> {
    let given = items(document, dictionary, b"DecodeParms").map(|o| o.as_dict().cloned().unwrap_or_default());
    let mut given: Vec<_> = given.collect();
    given.resize(count, Dictionary::new());
    given
}

/// An entry that is one object or an array of them.
fn items<'d>(document: &'d Document, dictionary: &'d Dictionary, name: &[u8]) -> impl Iterator<Item = &'d Object> {
    let resolve = |o: &'d Object| document.dereference(o).map_or(o, |(_, o)| o);
    let list: Vec<&Object> = match dictionary.get(name).ok().map(resolve) {
        Some(Object::Array(list)) => list.iter().map(resolve).collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    list.into_iter()
}
