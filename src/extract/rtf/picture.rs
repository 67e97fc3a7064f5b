//! Pictures within RTF (specification 1.9.1, "Pictures").

use crate::extract::image::{bitmap, metafile};

/// Twips from which a side of a picture counts as large: 500 pixels of a 96th of an inch.
const LARGE: i32 = 7500;

/// The picture that is being read.
#[derive(Default)]
pub(super) struct Picture {
    /// Its file name, for kinds that are files of their own.
    name: Option<&'static str>,
    width: i32,
    height: i32,
}

/// What a picture comes to.
pub(super) enum Content {
    /// A file: its name, and its octets.
    Member(&'static str, Vec<u8>),
    /// Nobody here reads it, and it may show a page of text.
    Large,
    Nothing,
}

impl Picture {
    /// Takes a word that tells about the picture; false if it doesn't.
    pub(super) fn word(&mut self, word: &[u8], number: Option<i32>) -> bool {
        match word {
            b"emfblip" => self.name = Some("picture.emf"),
            b"wmetafile" => self.name = Some("picture.wmf"),
            b"dibitmap" => self.name = Some("picture.bmp"),
            b"pngblip" => self.name = Some("picture.png"),
            b"jpegblip" => self.name = Some("picture.jpg"),
            b"picwgoal" => self.width = number.unwrap_or(0),
            b"pichgoal" => self.height = number.unwrap_or(0),
            _ => return false,
        }
        true
    }

    /// At its end.
    pub(super) fn content(&self, octets: Vec<u8>) -> Content {
        match self.name {
            Some("picture.bmp") if !octets.is_empty() => Content::Member("picture.bmp", bitmap(&octets)),
            // What says to be a metafile and is none can't be shown; by its size it is told.
            Some(name) if !octets.is_empty() && (!matches!(name, "picture.emf" | "picture.wmf") || metafile::is_one(&octets)) => {
                Content::Member(name, octets)
            }
            _ if self.width >= LARGE && self.height >= LARGE => Content::Large,
            _ => Content::Nothing,
        }
    }
}
