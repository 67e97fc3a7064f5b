//! The mail's own HTML, made harmless: no scripts, no loads from elsewhere, nothing but what a letter needs.

use ammonia::{Builder, UrlRelative, UrlRelativeEvaluate};
use html5ever::{
    Attribute, ParseOpts, QualName, local_name, ns, parse_fragment,
    tendril::{StrTendril, TendrilSink as _},
    tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::{Rc, Weak},
};

/// Longer HTML is shown as text.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// Deeper HTML is shown as text: parsing takes time with the square of the depth (40 000 levels: 15 s).
const MAX_DEPTH: usize = 256;
/// HTML of more elements is shown as text.
const MAX_ELEMENTS: usize = 100_000;
/// Elements that stand where they may not (in a table, between its rows) are moved, each at the cost of a look at all its siblings. So many looks
/// take a tenth of a second.
const MAX_MOVING: usize = 10_000_000;
/// How much is parsed between two looks at the depth.
const STEP_BYTES: usize = 1024;

/// HTML that can't be shown safely in reasonable time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooComplex;

/// `html` without anything that acts. `picture` gives the address of the part with a Content-ID, `None` when there is no such picture; every
/// address it gives must begin with `base`.
///
/// # Errors
/// [`TooComplex`] before anything costly is done: [`text_of`] shows it then.
pub fn sanitise(html: &str, base: &str, picture: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Result<String, TooComplex> {
    check(html)?;
    let mut builder = Builder::default();
    builder
        .add_tags(["font", "big"])
        .add_generic_attributes(["style", "dir", "align", "valign", "width", "height", "bgcolor"])
        .add_tag_attributes("font", ["color", "face", "size"])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing"])
        .add_tag_attributes("td", ["nowrap"])
        .add_tag_attributes("ol", ["type"])
        .filter_style_properties(STYLES.iter().copied().collect())
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Custom(Box::new(Below(base.to_owned()))))
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .attribute_filter(move |element, attribute, value| filter(element, attribute, value, &picture).map(Cow::Owned));
    Ok(builder.clean(html).to_string())
}

/// Lets addresses below this one through; they are ours.
struct Below(String);

impl UrlRelativeEvaluate<'_> for Below {
    fn evaluate<'u>(&self, url: &'u str) -> Option<Cow<'u, str>> {
        url.starts_with(&self.0).then_some(Cow::Borrowed(url))
    }
}

/// What an attribute becomes; `None` leaves it out.
fn filter(element: &str, attribute: &str, value: &str, picture: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let scheme = |wanted: &[&str]| {
        let value = value.trim_start().to_ascii_lowercase();
        wanted.iter().any(|s| value.starts_with(s))
    };
    match (element, attribute) {
        ("img", "src") if scheme(&["data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp"]) => Some(value.to_owned()),
        ("img", "src") if scheme(&["cid:"]) => picture(value.trim_start().get(4..)?),
        ("a", "href") if scheme(&["http:", "https:", "mailto:", "tel:"]) => Some(value.to_owned()),
        (_, "src" | "href" | "cite" | "background") => None,
        (_, "style") => Some(style(value)),
        _ => Some(value.to_owned()),
    }
}

/// A style without declarations that could load something or hide what they say.
fn style(value: &str) -> String {
    let harmless = |declaration: &&str| {
        let declaration = declaration.to_ascii_lowercase();
        let holds = |bad: &&str| declaration.contains(bad);
        // What opens a quote and doesn't close it would take the next declarations for its text, or not: parsers differ.
        let is_whole = |quote: char| declaration.matches(quote).count().is_multiple_of(2);
        !["url(", "image-set", "\\", "expression", "@", "/*", "<"].iter().any(holds) && is_whole('\'') && is_whole('"')
    };
    value.split(';').filter(harmless).collect::<Vec<_>>().join(";")
}

/// What a letter may look like. Nothing that positions: text over our own words would speak in our name.
const STYLES: [&str; 49] = [
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "direction",
    "display",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
];

/// Parses `html` as the sanitiser will, step by step, and gives up when it becomes deep or large.
fn check(html: &str) -> Result<(), TooComplex> {
    if html.len() as u64 > MAX_BYTES {
        return Err(TooComplex);
    }
    let depth = Rc::new(Measure::default());
    let sink = Outline { measure: depth.clone(), document: Node::new(QualName::new(None, ns!(), local_name!(""))) };
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let mut parser = parse_fragment(sink, ParseOpts::default(), context, Vec::new(), false);
    let mut rest = html;
    while !rest.is_empty() {
        let (step, after) = rest.split_at(rest.floor_char_boundary(STEP_BYTES).max(rest.chars().next().map_or(0, char::len_utf8)));
        parser.process(StrTendril::from(step));
        depth.fine()?;
        rest = after;
    }
    parser.finish();
    depth.fine()
}

/// What was seen so far.
#[derive(Default)]
struct Measure {
    depth: Cell<usize>,
    elements: Cell<usize>,
    moving: Cell<usize>,
}

impl Measure {
    fn fine(&self) -> Result<(), TooComplex> {
        let fine = self.depth.get() <= MAX_DEPTH && self.elements.get() <= MAX_ELEMENTS && self.moving.get() <= MAX_MOVING;
        if fine { Ok(()) } else { Err(TooComplex) }
    }
}

/// The shape of a document, without its content.
struct Outline {
    measure: Rc<Measure>,
    document: Handle,
}

type Handle = Rc<Node>;

struct Node {
    name: QualName,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Handle>>,
    /// What a `<template>` holds.
    contents: RefCell<Option<Handle>>,
}

impl Node {
    fn new(name: QualName) -> Handle {
        Rc::new(Node { name, parent: RefCell::default(), children: RefCell::default(), contents: RefCell::default() })
    }

    fn parent(&self) -> Option<Handle> {
        self.parent.borrow().upgrade()
    }
}

impl Outline {
    fn adopt(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let NodeOrText::AppendNode(child) = child else { return };
        self.remove_from_parent(&child);
        *child.parent.borrow_mut() = Rc::downgrade(parent);
        parent.children.borrow_mut().push(child);
        // Counted anew each time: what is above may have been moved since.
        let depth = std::iter::successors(Some(parent.clone()), |n| n.parent()).take(2 * MAX_DEPTH).count();
        self.measure.depth.set(self.measure.depth.get().max(depth));
    }

    /// A child of `parent` is being moved to or from among its siblings.
    fn moving(&self, parent: &Node) {
        self.measure.moving.set(self.measure.moving.get() + parent.children.borrow().len());
    }
}

impl TreeSink for Outline {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = &'a QualName;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.document.clone()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, _: Vec<Attribute>, flags: ElementFlags) -> Handle {
        self.measure.elements.set(self.measure.elements.get() + 1);
        let node = Node::new(name);
        if flags.template {
            *node.contents.borrow_mut() = Some(Node::new(QualName::new(None, ns!(), local_name!(""))));
        }
        node
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        Node::new(QualName::new(None, ns!(), local_name!("")))
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Node::new(QualName::new(None, ns!(), local_name!("")))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.adopt(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, prev_element: &Handle, child: NodeOrText<Handle>) {
        let parent = element.parent().unwrap_or_else(|| prev_element.clone());
        self.moving(&parent);
        self.adopt(&parent, child);
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.contents.borrow().clone().unwrap_or_else(|| target.clone())
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        Rc::ptr_eq(x, y)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, new_node: NodeOrText<Handle>) {
        if let Some(parent) = sibling.parent() {
            self.moving(&parent);
            self.adopt(&parent, new_node);
        }
    }

    fn add_attrs_if_missing(&self, _: &Handle, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        if let Some(parent) = target.parent() {
            self.moving(&parent);
            parent.children.borrow_mut().retain(|c| !Rc::ptr_eq(c, target));
        }
        *target.parent.borrow_mut() = Weak::new();
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        for child in node.children.take() {
            *child.parent.borrow_mut() = Weak::new();
            self.adopt(new_parent, NodeOrText::AppendNode(child));
        }
    }
}

/// The words of `html`, whatever its shape: a tokenizer alone is linear.
#[must_use]
pub fn text_of(html: &str) -> String {
    let sink = Words::default();
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let text = tokenizer.sink.text.take();
    let lines: Vec<_> = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    // At most one empty line in a row.
    let mut shown = String::new();
    for (at, line) in lines.iter().enumerate() {
        if !line.is_empty() || (at > 0 && !lines[at - 1].is_empty()) {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    shown.trim().to_owned()
}

#[derive(Default)]
struct Words {
    text: RefCell<String>,
    hidden: Cell<bool>,
}

impl TokenSink for Words {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(characters) if !self.hidden.get() => {
                // Line breaks of the source are spaces; those of the text come from tags.
                self.text.borrow_mut().push_str(&characters.replace(['\n', '\r'], " "));
            }
            Token::TagToken(tag) => {
                let raw = matches!(&*tag.name, "script" | "style" | "title" | "noscript");
                let start = tag.kind == html5ever::tokenizer::TagKind::StartTag;
                if raw {
                    self.hidden.set(start);
                    if start && matches!(&*tag.name, "script" | "style") {
                        return TokenSinkResult::RawData(RawKind::Rawtext);
                    }
                } else if !matches!(
                    &*tag.name,
                    "a" | "b" | "i" | "u" | "em" | "strong" | "span" | "font" | "small" | "big" | "sub" | "sup" | "img"
                ) {
                    self.text.borrow_mut().push(if matches!(&*tag.name, "td" | "th") { ' ' } else { '\n' });
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(html: &str) -> String {
        let picture = |id: &str| (id == "logo@x").then(|| "/r/0/picture/1".to_owned());
        sanitise(html, "/r/0/picture/", picture).unwrap()
    }

    #[test]
    fn a_letter_keeps_its_looks() {
        let html =
            "<h1 style=\"color: red; text-align: center\">Besluit</h1><table border=\"1\"><tbody><tr><td>1</td></tr></tbody></table>";
        assert_eq!(
            clean(html),
            "<h1 style=\"color:red;text-align:center\">Besluit</h1><table border=\"1\"><tbody><tr><td>1</td></tr></tbody></table>"
        );
        assert_eq!(clean("<p style=\"color:'red;text-align:center\">x</p>"), "<p style=\"text-align:center\">x</p>");
        assert_eq!(clean("<img src=\"cid:logo@x\" alt=\"logo\">"), "<img src=\"/r/0/picture/1\" alt=\"logo\">");
        assert_eq!(clean("<img src=\"CID:other\">"), "<img>");
        let link = clean("<a href=\"https://x.example/\" onclick=\"x()\">x</a>");
        assert!(
            link.contains("href=\"https://x.example/\"")
                && link.contains("rel=\"noopener noreferrer nofollow\"")
                && link.contains("target=\"_blank\"")
        );
        assert!(!link.contains("onclick"));
    }

    #[test]
    fn nothing_loads_and_nothing_runs() {
        for html in [
            "<img src=\"https://x.example/pixel.gif\">",
            "<img src=\"//x.example/pixel.gif\">",
            "<img src=\"/r/1/file/0\">",
            "<img srcset=\"https://x.example/pixel.gif 2x\">",
            "<img src=\"data:image/svg+xml,<svg onload=alert(1)>\">",
            "<p style=\"background-image: url(https://x.example/)\">x</p>",
            "<p style=\"background: u\\72l(https://x.example/)\">x</p>",
            "<p style=\"color: red; background-color: image-set('https://x.example/' 1x)\">x</p>",
            "<table background=\"https://x.example/\"><tr><td>x</td></tr></table>",
            "<script>fetch('https://x.example/')</script>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
            "<form action=\"https://x.example/\"><input name=x><button>x</button></form>",
            "<iframe src=\"https://x.example/\"></iframe><object data=\"https://x.example/\"></object><embed src=\"https://x.example/\">",
            "<link rel=stylesheet href=\"https://x.example/\"><style>@import 'https://x.example/'</style><base href=\"https://x.example/\">",
            "<meta http-equiv=refresh content=\"0;url=https://x.example/\">",
            "<svg><image href=\"https://x.example/\"/></svg><math><a xlink:href=\"https://x.example/\">x</a></math>",
            "<video poster=\"https://x.example/\"><source src=\"https://x.example/\"></video><audio src=\"https://x.example/\">",
            "<blockquote cite=\"https://x.example/\">x</blockquote>",
        ] {
            let cleaned = clean(html).to_ascii_lowercase();
            for bad in ["x.example", "script", "alert", "<form", "<input", "<style", "url(", "image-set", "/r/1"] {
                assert!(!cleaned.contains(bad), "{html} -> {cleaned}");
            }
        }
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_not_parsed_to_its_end() {
        let check = |html: String, expected: Result<(), TooComplex>| assert_eq!(super::check(&html), expected, "{:.60}", html);
        check("<div>".repeat(200) + "x", Ok(()));
        check("<div>".repeat(300), Err(TooComplex));
        check("<div>".repeat(400_000), Err(TooComplex));
        check("<p>x".repeat(50_000), Ok(()));
        check("<b></div><div></b>".repeat(50_000), Err(TooComplex));
        check("<div><table><td></div>".repeat(50_000), Err(TooComplex));
        check("<svg><style><div></style>".repeat(50_000), Err(TooComplex));
        check((0..1000).map(|n| format!("<p><b id={n}>x</p>")).collect(), Err(TooComplex));
        check("<table>".to_owned() + &"<i>x</i>".repeat(50_000), Err(TooComplex));
        check("<br>".repeat(150_000), Err(TooComplex));
        check("x".repeat(2 * 1024 * 1024 + 1), Err(TooComplex));
        check("é".repeat(1024 * 1024), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// The outline is at least as deep as what the sanitiser makes of the same source.
        #[test]
        fn the_measured_depth_is_the_real_one(tags in proptest::collection::vec(
            proptest::sample::select(vec![
                "<div>", "</div>", "<b>", "</b>", "<i id=1>", "</i>", "<p>", "</p>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<a>", "</a>",
                "<ul>", "<li>", "</ul>", "<font>", "</font>", "x", "<center>", "</center>", "<blockquote>", "</blockquote>", "<svg>", "</svg>",
                "<span>", "</span>", "<button>", "</button>", "<template>", "</template>", "<select>", "</select>", "<!--", "-->",
            ]), 0..120)) {
            let html = tags.concat();
            let measure = Rc::new(Measure::default());
            let sink = Outline { measure: measure.clone(), document: Node::new(QualName::new(None, ns!(), local_name!(""))) };
            let mut parser = parse_fragment(sink, ParseOpts::default(), QualName::new(None, ns!(html), local_name!("div")), Vec::new(), false);
            parser.process(StrTendril::from(html.as_str()));
            parser.finish();
            let cleaned = Builder::default().add_tags(["font"]).clean(&html).to_string();
            let (mut depth, mut deepest) = (0usize, 0usize);
            for (at, _) in cleaned.match_indices('<') {
                if cleaned[at..].starts_with("</") { depth -= 1 } else { depth += 1; deepest = deepest.max(depth) }
            }
            prop_assert!(deepest <= measure.depth.get(), "{deepest} > {}: {cleaned}", measure.depth.get());
        }

        #[test]
        fn nothing_makes_it_fail(html in "(<[a-z]{1,8}( [a-z]{1,6}=\"?[a-z:/#;()]{0,12}\"?)*>?|</[a-z]{1,8}>|[a-z é&;<>\"'=]{0,6}){0,60}") {
            let _ = sanitise(&html, "/r/0/picture/", |_| None);
            let _ = text_of(&html);
        }
    }

    #[test]
    fn the_words_of_any_html_can_be_shown() {
        let html = "<html><head><title>T</title><style>p{}</style></head><body><p>Geachte&nbsp;mevrouw,</p>\n<p>het <b>besluit</b><br>is klaar</p><script>x</script></body>";
        assert_eq!(text_of(html), "Geachte mevrouw,\n\nhet besluit\nis klaar");
        assert!(text_of(&("<div>".repeat(50_000) + "x")).ends_with('x'));
    }
}
