//! What control words of RTF (specification 1.9.1) mean for the text.

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Into the text at this place.
    Text(Aside),
    /// Nowhere, and neither does anything deeper.
    Skip,
    /// Nowhere, but groups in it may go somewhere.
    Frame,
    Fonts,
    /// A property of the document, under its name.
    Info(&'static str),
    /// The name of a property of the user's own, and its value.
    PropertyName,
    PropertyValue,
    /// The name of a shape's property, and its value.
    ShapeName,
    ShapeValue,
    Object,
    Picture,
    /// HTML that was packed in RTF (MS-OXRTFEX).
    HtmlTag,
}

/// Texts that do not run on in the body: a number there goes on behind a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    Body,
    Header,
    Note,
    Comment,
    Link,
    Box,
    Field,
    Variable,
    Author,
    Attribute,
    /// The copy for programs without Unicode (`\upr`).
    Plain,
    /// What a reader of the HTML in it doesn't show (`\htmlrtf`).
    Suppressed,
    /// Behind the last brace.
    Behind,
}

impl Aside {
    /// All of them, in the order in which they are told.
    pub(super) const ALL: [(Aside, &'static str); 13] = [
        (Aside::Body, "text"),
        (Aside::Header, "header"),
        (Aside::Note, "note"),
        (Aside::Comment, "comment"),
        (Aside::Link, "field"),
        (Aside::Box, "text box"),
        (Aside::Field, "form field"),
        (Aside::Variable, "variable"),
        (Aside::Author, "author"),
        (Aside::Attribute, "attributes"),
        (Aside::Plain, "without Unicode"),
        (Aside::Suppressed, "beside the HTML"),
        (Aside::Behind, "behind the end"),
    ];
}

/// Where the group goes whose first word this is; `None` for a word that opens no destination of its own.
///
/// Unknown destinations behind `\*` are to be skipped (RTF 1.9.1, "Control Word"), but for these: they hold what travels.
pub(super) fn destination(word: &[u8]) -> Option<To> {
    Some(match word {
        b"header" | b"headerl" | b"headerr" | b"headerf" | b"footer" | b"footerl" | b"footerr" | b"footerf" => To::Text(Aside::Header),
        b"footnote" | b"ftnsep" | b"ftnsepc" | b"ftncn" | b"aftnsep" | b"aftnsepc" | b"aftncn" => To::Text(Aside::Note),
        b"annotation" | b"atnauthor" | b"atnid" => To::Text(Aside::Comment),
        b"fldinst" => To::Text(Aside::Link),
        b"shptxt" | b"shprslt" | b"do" | b"dptxbxtext" => To::Text(Aside::Box),
        b"formfield" | b"ffname" | b"ffdeftext" | b"ffstattext" | b"ffhelptext" | b"ffl" => To::Text(Aside::Field),
        b"docvar" => To::Text(Aside::Variable),
        b"revtbl" => To::Text(Aside::Author),
        b"leveltext" | b"pntxta" | b"pntxtb" | b"tc" | b"tcn" | b"xe" | b"hl" | b"hlloc" | b"hlsrc" | b"hlfr" => To::Text(Aside::Attribute),
        b"listtable" | b"list" | b"listlevel" | b"info" | b"userprops" | b"shpinst" | b"sp" | b"picprop" | b"background" => To::Frame,
        b"title" => To::Info("title"),
        b"subject" => To::Info("subject"),
        b"author" => To::Info("author"),
        b"manager" => To::Info("manager"),
        b"company" => To::Info("company"),
        b"operator" => To::Info("operator"),
        b"category" => To::Info("category"),
        b"keywords" => To::Info("keywords"),
        b"comment" | b"doccomm" => To::Info("comment"),
        b"hlinkbase" => To::Info("link base"),
        b"template" => To::Info("template"),
        b"propname" => To::PropertyName,
        b"staticval" | b"linkval" => To::PropertyValue,
        b"sn" => To::ShapeName,
        b"sv" => To::ShapeValue,
        b"fonttbl" => To::Fonts,
        b"objdata" => To::Object,
        b"pict" => To::Picture,
        b"htmltag" => To::HtmlTag,
        // The same picture or table again for old programs; tables of styles, colours and lists; what only programs read.
        b"nonshppict" | b"nonesttables" | b"colortbl" | b"stylesheet" | b"filetbl" | b"mhtmltag" | b"objclass" | b"objname"
        | b"nextfile" | b"levelnumbers" | b"fontemb" | b"bkmkstart" | b"bkmkend" | b"datafield" => To::Skip,
        _ => return None,
    })
}

/// Groups behind `\*` that are text where they stand.
pub(super) fn is_transparent(word: &[u8]) -> bool {
    matches!(word, b"shppict" | b"moMath" | b"moMathPara" | b"pntext" | b"listtext" | b"result" | b"pn")
}

/// Properties of shapes that people see or follow (RTF 1.9.1, "Drawing Object Properties").
pub(super) fn is_told(shape_property: &str) -> bool {
    matches!(shape_property, "wzDescription" | "wzName" | "wzTooltip" | "gtextUNICODE" | "pihlShape" | "pib" | "pibName")
}

/// Words that stand for a character.
pub(super) fn character(word: &[u8]) -> Option<&'static str> {
    Some(match word {
        b"tab" => "\t",
        b"emdash" => "\u{2014}",
        b"endash" => "\u{2013}",
        b"lquote" => "\u{2018}",
        b"rquote" => "\u{2019}",
        b"ldblquote" => "\u{201C}",
        b"rdblquote" => "\u{201D}",
        b"bullet" => "\u{2022}",
        b"emspace" => "\u{2003}",
        b"enspace" => "\u{2002}",
        b"qmspace" => "\u{2005}",
        b"zwj" => "\u{200D}",
        b"zwnj" => "\u{200C}",
        b"zwbo" => "\u{200B}",
        b"zwnbo" => "\u{2060}",
        b"ltrmark" => "\u{200E}",
        b"rtlmark" => "\u{200F}",
        _ => return None,
    })
}
