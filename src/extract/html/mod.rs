//! HTML to text, by an own tokenizer: linear, without recursion, and with what is hidden told apart.
//!
//! Inline tags join (`123<b></b>456` is one number), blocks break the line, cells give a tab. Nothing that is unclosed or misspelt
//! swallows what follows it.

mod entities;
mod sheet;
mod style;
mod tags;

use super::{
    Places, ProblemKind, Source,
    charset::{self, Decoded},
    data,
    flow::{Flow, letters_joined},
    plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use memchr::{memchr, memmem};
use std::{borrow::Cow, collections::HashMap};
use style::Hiding;
use tags::{Closed, Tag};

/// Attributes whose values people see, follow or fill in.
const TOLD: [&str; 20] = [
    "alt",
    "title",
    "href",
    "src",
    "value",
    "placeholder",
    "content",
    "label",
    "summary",
    "aria-label",
    "action",
    "cite",
    "background",
    "data",
    "datetime",
    "srcset",
    "abbr",
    "srcdoc",
    "poster",
    "start",
];

/// Tags with an unclosed quote in one page: each costs a look at 64 KiB, so after these attributes are no longer read.
const UNCLOSED_MOST: usize = 100;

/// Elements open at once that are remembered: more than any page, and few enough to search.
const OPEN_MOST: usize = 512;

/// Reads HTML. `part` is where it is told to be.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, part: &str, source: Source, octets: &[u8], label: Option<&str>) {
    let declared = label.map(Cow::Borrowed).or_else(|| meta_charset(octets).map(Cow::Owned));
    let Decoded { text, other, is_unreadable } = charset::decode(octets, declared.as_deref());
    if is_unreadable {
        reading.problem(part, None, ProblemKind::Unsupported, "charset");
    }
    let page = Page::read(&text);
    if defines_entities(&text) {
        // A browser puts them together to words that stand nowhere.
        reading.problem(part, None, ProblemKind::Damaged, "xml");
    }
    let letters = letters_joined(&page.flow.text);
    reading.flow(part, source, page.flow, Places::None);
    reading.text(part, source, letters.unwrap_or_default(), Places::Named("letters joined".into()));
    reading.text(part, source, page.aside, Places::Named("attributes and comments".into()));
    reading.text(part, source, page.scripts, Places::Named("scripts".into()));
    if let Some(other) = other {
        reading.text(part, source, Page::read(&other.text()).flow.text, Places::Named("in another charset".into()));
    }
    for link in page.embedded {
        reading.member(here, "data:", &link.media_type, &Bytes::from(link.octets));
    }
}

/// Whether a page in XML brings entities of its own (XML 1.0, 4.2).
fn defines_entities(text: &str) -> bool {
    text.trim_start().starts_with("<?xml") && super::xml::defines_entities(text)
}

/// The charset that a `<meta>` or an XML declaration in the first 1024 octets names.
fn meta_charset(octets: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(1024)]).to_ascii_lowercase();
    let at = start.find("charset=").map(|i| i + 8).or_else(|| start.find("encoding=").map(|i| i + 9))?;
    let name: String =
        start[at..].trim_start_matches(['"', '\'', ' ']).chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    (!name.is_empty()).then_some(name)
}

/// A page as it is read.
#[derive(Default)]
struct Page {
    flow: Flow,
    /// Attribute values and comments, one a line.
    aside: String,
    /// What scripts say, data for them too.
    scripts: String,
    /// The content of `data:` links.
    embedded: Vec<data::Link>,
    hiding: Hiding,
    open: Vec<Open>,
    /// How many of them bear a name.
    open_names: HashMap<String, usize>,
    /// How many of `open` are hidden.
    hidden: usize,
    /// Within `<!--[if mso]>`: shown by one program only.
    conditional: bool,
    /// Within a `<style>` that is no style sheet.
    within_style: bool,
    /// Depth of `<pre>` and `<textarea>`, where white space counts.
    preformatted: usize,
    /// Whether the current row has a cell already.
    row_has_cell: bool,
    /// Nothing ahead ends a comment, or the raw text of the named element: not searched for again, or this would not be linear.
    without_end: Vec<String>,
    /// Where the next `>` stands, if that is not behind us.
    next_end: Option<usize>,
    /// Tags that were looked through in vain.
    unclosed_tags: usize,
}

/// An open element.
struct Open {
    name: String,
    is_hidden: bool,
    background: Option<String>,
}

impl Page {
    fn read(html: &str) -> Page {
        let mut page = Page { hiding: Hiding::of_page(html), ..Page::default() };
        page.walk(html, 0);
        page
    }

    /// Reads what stands from `at` on.
    fn walk(&mut self, html: &str, mut at: usize) {
        let bytes = html.as_bytes();
        while at < bytes.len() {
            let next = memchr(b'<', &bytes[at..]).map_or(bytes.len(), |i| at + i);
            self.text(&html[at..next]);
            if next == bytes.len() {
                break;
            }
            at = self.markup(html, next);
        }
    }

    /// Reads the markup at `at`, which is a `<`; returns where it ends.
    fn markup(&mut self, html: &str, at: usize) -> usize {
        let rest = &html[at..];
        if rest.starts_with("<!--") {
            return at + self.comment(rest);
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return match memchr(b'>', &rest.as_bytes()[..rest.len().min(tags::LONGEST)]) {
                Some(end) => {
                    self.declaration(&rest[2..end]);
                    at + end + 1
                }
                // Without an end it is text.
                None => self.literal(at),
            };
        }
        let Some((tag, length)) = self.tag(html, at) else { return self.literal(at) };
        let end = at + length;
        if tag.holds_words {
            self.tell(rest[1..length].trim_end_matches('>'));
        }
        if tag.is_end {
            self.end(&tag.name);
            return end;
        }
        self.start(&tag);
        let is_raw = matches!(tag.name.as_str(), "script" | "style") && !self.within_style;
        if !is_raw || self.without_end.contains(&tag.name) {
            return end;
        }
        match raw_text_length(&html[end..], &tag.name) {
            Some(length) => {
                self.raw_text(&html[..end + length], end, &tag.name);
                end + length
            }
            None => {
                self.without_end.push(tag.name);
                end
            }
        }
    }

    /// Reads a `<script>` or `<style>` from `at` to the end of `html`.
    fn raw_text(&mut self, html: &str, at: usize, name: &str) {
        if name == "script" {
            self.scripts.push_str(&plain::clean(Cow::Borrowed(&html[at..])));
            self.scripts.push('\n');
            self.embedded.extend(data::links(&html[at..]));
            return;
        }
        self.embedded.extend(data::links(&html[at..]));
        let length = sheet::length(&html[at..], |told| self.tell(told));
        if at + length < html.len() {
            // What is searched for ends here, and is searched for anew behind this.
            let known = self.without_end.len();
            self.within_style = true;
            self.next_end = None;
            self.walk(html, at + length);
            self.within_style = false;
            self.next_end = None;
            self.without_end.truncate(known);
        }
    }

    /// `<!...>` and `<?...>` without their first two and their last character.
    fn declaration(&mut self, content: &str) {
        let start = content.get(..8).unwrap_or(content).to_ascii_lowercase();
        self.conditional &= !start.starts_with("[endif]");
        // What browsers take for a comment, but for what every page begins with.
        let has_own = start.starts_with("doctype") && content.contains('[');
        if has_own || !["doctype", "[if", "[endif]", "xml"].iter().any(|word| start.starts_with(word)) {
            self.tell(content);
        }
    }

    fn tag(&mut self, html: &str, at: usize) -> Option<(Tag, usize)> {
        let next_end = match self.next_end {
            Some(end) if end > at => end,
            _ => memchr(b'>', &html.as_bytes()[at..]).map_or(usize::MAX, |i| at + i),
        };
        self.next_end = Some(next_end);
        let (rest, first_end) = (&html[at..], next_end - at);
        if self.unclosed_tags >= UNCLOSED_MOST {
            let (mut tag, length) = Tag::without_attributes(rest, first_end)?;
            tag.holds_words = length > tag.name.len() + "</>".len();
            return Some((tag, length));
        }
        let (tag, length, closed) = Tag::read(rest, first_end)?;
        self.unclosed_tags += usize::from(closed == Closed::AtFirstSign);
        Some((tag, length))
    }

    /// A `<` that begins nothing.
    fn literal(&mut self, at: usize) -> usize {
        self.text("<");
        at + 1
    }

    /// Reads a comment at the start of `rest`; returns its length.
    fn comment(&mut self, rest: &str) -> usize {
        let head = rest.get(..16).unwrap_or(rest).to_ascii_lowercase();
        if head.starts_with("<!--[if")
            && let Some(end) = memmem::find(&rest.as_bytes()[..rest.len().min(256)], b"]>")
        {
            // What Outlook reads and others don't.
            self.conditional = true;
            return end + 2;
        }
        if rest.starts_with("<!-->") || rest.starts_with("<!--->") {
            return rest.find('>').map_or(rest.len(), |i| i + 1);
        }
        let is_endless = self.without_end.iter().any(|e| e == "!--");
        match memmem::find(if is_endless { b"" } else { &rest.as_bytes()[4..] }, b"-->") {
            Some(end) => {
                let text = &rest[4..4 + end];
                self.conditional &= !text.contains("[endif]");
                self.tell(text);
                end + 7
            }
            None => {
                // Never closed: a browser hides the rest, another program shows it.
                self.without_end.push("!--".into());
                self.text("<!--");
                4
            }
        }
    }

    fn is_hidden(&self) -> bool {
        self.hidden > 0 || self.conditional || self.within_style
    }

    /// Adds character data: entities resolved, white space collapsed.
    fn text(&mut self, raw: &str) {
        let is_hidden = self.is_hidden();
        let mut rest = raw;
        while !rest.is_empty() {
            let plain_end = if self.preformatted > 0 { memchr(b'&', rest.as_bytes()) } else { next_special(rest.as_bytes()) };
            let plain_end = plain_end.unwrap_or(rest.len());
            if plain_end > 0 {
                self.flow.push(&plain::clean(Cow::Borrowed(&rest[..plain_end])), is_hidden);
                rest = &rest[plain_end..];
                continue;
            }
            match rest.as_bytes()[0] {
                b'&' => {
                    let (text, length) = entities::read(rest);
                    self.flow.push(&plain::clean(Cow::Borrowed(&text)), is_hidden);
                    rest = &rest[length..];
                }
                _ => {
                    let blanks = rest.bytes().take_while(|b| *b <= b' ').count();
                    // One blank is the usual case, and stays part of the text around it.
                    self.flow.space();
                    rest = &rest[blanks..];
                }
            }
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        match name {
            "tr" => {
                self.flow.row();
                self.row_has_cell = false;
            }
            "td" | "th" => {
                self.flow.cell(!self.row_has_cell);
                self.row_has_cell = true;
            }
            "table" => {
                self.flow.line();
                self.row_has_cell = false;
            }
            "pre" | "textarea" | "listing" => self.preformatted += 1,
            _ => {}
        }
        if tags::is_block(name) {
            self.flow.line();
        }
        self.attributes(tag);
        if !tags::is_void(name) && !tag.is_closed {
            self.open_element(tag);
        }
    }

    fn attributes(&mut self, tag: &Tag) {
        for (name, value) in &tag.attributes {
            // A value with a tag in it was perhaps never closed, and goes on to the next quote.
            let is_told =
                TOLD.contains(&name.as_str()) || name.starts_with("data-") || value.contains(['<', '>']) || self.hiding.is_shown(name);
            if name == "style" {
                let value = entities::resolve(value);
                self.embedded.extend(data::links(&value));
                sheet::inline(&value, |told| told_to(&mut self.aside, told));
            }
            if !is_told || value.is_empty() {
                continue;
            }
            match data::Link::of(&entities::resolve(value)) {
                Some(link) => self.embedded.push(link),
                // A page of its own within this one.
                None if name == "srcdoc" => {
                    let octets = entities::resolve(value).into_owned().into_bytes();
                    self.embedded.push(data::Link { media_type: "text/html".into(), octets });
                }
                None => self.tell(value),
            }
        }
    }

    /// Keeps a value that is not part of the text.
    fn tell(&mut self, value: &str) {
        told_to(&mut self.aside, &entities::resolve(value));
    }

    fn open_element(&mut self, tag: &Tag) {
        if self.open.len() >= OPEN_MOST {
            // Deeper than any page: no longer told apart, and so not hidden.
            return;
        }
        let inherited = self.open.last().and_then(|o| o.background.clone());
        let look = self.hiding.look(tag, inherited);
        self.hidden += usize::from(look.is_hidden);
        *self.open_names.entry(tag.name.clone()).or_insert(0) += 1;
        self.open.push(Open { name: tag.name.clone(), is_hidden: look.is_hidden, background: look.background });
    }

    fn end(&mut self, name: &str) {
        match name {
            "td" | "th" => self.flow.cell_end(),
            "tr" | "table" => self.flow.row(),
            "pre" | "textarea" | "listing" => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
        if tags::is_block(name) || name == "p" {
            self.flow.line();
        }
        // Each element ends once; an end of none is not searched for, or many of them would cost the depth of the page each.
        if self.open_names.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        if let Some(index) = self.open.iter().rposition(|o| o.name == name) {
            self.hidden -= self.open[index..].iter().filter(|o| o.is_hidden).count();
            for element in self.open.drain(index..) {
                if let Some(count) = self.open_names.get_mut(&element.name) {
                    *count -= 1;
                }
            }
        }
    }
}

/// Adds a line, unless it says nothing.
fn told_to(aside: &mut String, value: &str) {
    let value = plain::clean(Cow::Borrowed(value));
    if !value.trim().is_empty() {
        aside.push_str(value.trim());
        aside.push('\n');
    }
}

/// The next `&` or run of white space that must be looked at: a single blank between letters is text.
fn next_special(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|b| *b <= b' ' || *b == b'&')?;
        let is_lone_blank = bytes[at] == b' ' && at > 0 && bytes.get(at + 1).is_some_and(|b| *b > b' ');
        if !is_lone_blank {
            return Some(at);
        }
        from = at + 1;
    }
}

/// How long the text of a `<script>` or `<style>` is, its end tag excluded. Without one it has none: what follows is text.
fn raw_text_length(rest: &str, name: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    memmem::find_iter(bytes, b"</")
        .find(|at| bytes.get(at + 2..at + 2 + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes())))
}
