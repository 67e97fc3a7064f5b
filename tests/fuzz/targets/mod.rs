//! One function per parser of octets from outside: it takes any octets, and panics when a promise about them does not hold.
//!
//! Two crates name this folder: `fuzz/`, whose libFuzzer looks for octets that break a promise, and zegel's own tests, which replay those of
//! `tests/fuzz/corpus/` on the stable compiler. A promise that was broken once is kept by adding its octets there.

mod codec;
mod command;
mod containers;
mod detect;
mod documents;
mod frame;
mod html;
mod mail;
mod page;
mod proxy;
mod published;
mod reply;
mod rules;
mod seal;
mod session;
mod words;

pub use codec::codec;
pub use command::command;
pub use containers::{ar, cpio, locals, metafile, rar, streams};
pub use detect::detect;
pub use documents::{archive_of_any_kind, ber, docx, font, image, legacy, odf, office_xml, pdf, pptx, rtf, tnef, xlsb, xlsx, zip};
pub use frame::frame;
pub use html::html;
pub use mail::mail;
pub use page::page;
pub use proxy::proxy;
pub use published::published;
pub use reply::reply;
pub use rules::rules;
pub use seal::seal;
pub use session::session;
pub use words::words;

/// A target: its name, which is that of its folder in the corpus, and what it does with octets.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 35] = [
    ("codec", codec),
    ("command", command),
    ("reply", reply),
    ("session", session),
    ("proxy", proxy),
    ("published", published),
    ("mail", mail),
    ("html", html),
    ("page", page),
    ("pdf", pdf),
    ("font", font),
    ("docx", docx),
    ("xlsx", xlsx),
    ("pptx", pptx),
    ("xlsb", xlsb),
    ("odf", odf),
    ("office_xml", office_xml),
    ("zip", zip),
    ("frame", frame),
    ("rtf", rtf),
    ("tnef", tnef),
    ("ber", ber),
    ("archive", archive_of_any_kind),
    ("locals", locals),
    ("ar", ar),
    ("cpio", cpio),
    ("rar", rar),
    ("legacy", legacy),
    ("streams", streams),
    ("image", image),
    ("metafile", metafile),
    ("detect", detect),
    ("rules", rules),
    ("seal", seal),
    ("words", words),
];

/// `octets` in pieces of 1 to 8, each as long as its first octet says: a change of one octet moves the cuts near it only.
fn pieces(octets: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut pieces) = (octets, Vec::new());
    while let Some(first) = rest.first() {
        let (piece, behind) = rest.split_at(rest.len().min(1 + usize::from(first % 8)));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
