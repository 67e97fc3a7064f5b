//! One tag, with its attributes.

/// The longest tag that is taken for one: what goes on longer was never closed, and is text.
pub(super) const LONGEST: usize = 64 * 1024;

/// A start or end tag.
#[derive(Debug, Default)]
pub(super) struct Tag {
    /// Lowercase.
    pub(super) name: String,
    pub(super) is_end: bool,
    /// `<br/>`
    pub(super) is_closed: bool,
    /// Names lowercase, values as written (entities and all).
    pub(super) attributes: Vec<(String, String)>,
    /// What stands in it was not told apart, or reads like words of a text: a `>` in front of them was lost.
    pub(super) holds_words: bool,
    /// Attributes without a value.
    bare: usize,
}

/// Attributes without a value that a tag has at most: `<input type=checkbox checked disabled required>`.
const BARE_MOST: usize = 3;

/// How a tag ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Properly,
    /// It was looked through to the limit in vain.
    AtFirstSign,
}

impl Tag {
    /// Reads the tag at the start of `rest`, and how long it is; `None` if there is none.
    ///
    /// A quote that is never closed would hide all that follows: then the tag ends at its first `>`, which stands at `first_end`, and its
    /// attributes are not told apart.
    pub(super) fn read(rest: &str, first_end: usize) -> Option<(Tag, usize, Closed)> {
        let mut tag = Tag::without_attributes(rest, first_end)?.0;
        let from = 1 + usize::from(tag.is_end) + tag.name.len();
        if let Some(end) = tag.read_attributes(rest, from) {
            return Some((tag, end, Closed::Properly));
        }
        tag.attributes.clear();
        tag.holds_words = true;
        Some((tag, first_end + 1, Closed::AtFirstSign))
    }

    /// As [`Tag::read`], in constant time but for its name.
    pub(super) fn without_attributes(rest: &str, first_end: usize) -> Option<(Tag, usize)> {
        let bytes = rest.as_bytes();
        let is_end = bytes.get(1) == Some(&b'/');
        let start = if is_end { 2 } else { 1 };
        if first_end > LONGEST || !bytes.get(start).is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        let is_over = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'<');
        let length = bytes[start..=first_end].iter().position(is_over)?;
        let name = rest[start..start + length].to_ascii_lowercase();
        Some((Tag { name, is_end, ..Tag::default() }, first_end + 1))
    }

    /// Reads attributes up to the `>`; returns where the tag ends.
    fn read_attributes(&mut self, rest: &str, from: usize) -> Option<usize> {
        let bytes = &rest.as_bytes()[..rest.len().min(LONGEST)];
        let mut at = from;
        loop {
            at += bytes[at..].iter().position(|b| !b.is_ascii_whitespace())?;
            match bytes[at] {
                b'>' => return Some(at + 1),
                b'/' => {
                    self.is_closed = bytes.get(at + 1) == Some(&b'>');
                    at += 1;
                }
                // The next tag begins: this one was never closed.
                b'<' => return Some(at),
                _ => at = self.read_attribute(rest, bytes, at)?,
            }
        }
    }

    fn read_attribute(&mut self, rest: &str, bytes: &[u8], at: usize) -> Option<usize> {
        let name_end = at + 1 + bytes[at + 1..].iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/' | b'<'))?;
        let name = rest.get(at..name_end)?.to_ascii_lowercase();
        let equals = name_end + bytes[name_end..].iter().position(|b| !b.is_ascii_whitespace())?;
        if bytes[equals] != b'=' {
            self.bare += 1;
            self.holds_words |= self.is_end || self.bare > BARE_MOST || is_no_name(&name);
            self.attributes.push((name, String::new()));
            return Some(name_end);
        }
        let start = equals + 1 + bytes[equals + 1..].iter().position(|b| !b.is_ascii_whitespace())?;
        let (value, end) = match bytes[start] {
            quote @ (b'"' | b'\'') => {
                let length = memchr::memchr(quote, &bytes[start + 1..])?;
                (start + 1..start + 1 + length, start + 2 + length)
            }
            _ => {
                let length = bytes[start..].iter().position(|b| b.is_ascii_whitespace() || *b == b'>')?;
                (start..start + length, start + length)
            }
        };
        self.holds_words |= self.is_end || is_no_name(&name);
        self.attributes.push((name, rest.get(value)?.to_owned()));
        Some(end)
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Whether no program would write such an attribute; templates and frameworks have signs in front and brackets around theirs.
fn is_no_name(name: &str) -> bool {
    /// Digits in a name: a number that matters has more.
    const DIGITS_MOST: usize = 4;
    let is_odd = |c: char| !c.is_ascii_alphanumeric() && !"-_:.@#*$()[]".contains(c);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    digits > DIGITS_MOST || name.starts_with(|c: char| c.is_ascii_digit()) || name.ends_with(['.', ':']) || name.contains(is_odd)
}

/// Elements that stand on lines of their own (HTML, 15.3.3) and those that break one.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hgroup"
            | "hr"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "optgroup"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "tbody"
            | "textarea"
            | "tfoot"
            | "thead"
            | "title"
            | "ul"
    )
}

/// Elements without an end tag (HTML, 13.1.2).
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "script"
            | "style"
    )
}
