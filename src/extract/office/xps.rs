//! Printed pages of Windows: XPS and OpenXPS (ECMA-388). Text stands in them as runs of glyphs, each with its place on the page.

use super::{
    Health, Places, Source,
    package::{Package, on_one_line},
    xml::{self, Node},
};
use crate::extract::{
    ProblemKind,
    reading::{Here, Reading},
};
use quick_xml::events::BytesStart;

/// Reads the pages in the order of their numbers, which is that of every program that writes them.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>) {
    let mut pages: Vec<String> =
        package.unread().map(|(name, _)| name).filter(|name| name.ends_with(".fpage")).map(str::to_owned).collect();
    let folder = |name: &str| name.rsplit_once('/').map_or(0, |(folder, _)| folder.len());
    pages.sort_by(|a, b| (a[..folder(a)].len(), &a[..folder(a)], a.len(), a).cmp(&(b[..folder(b)].len(), &b[..folder(b)], b.len(), b)));
    let (mut text, mut links, mut starts) = (String::new(), String::new(), Vec::new());
    for (number, name) in pages.iter().enumerate() {
        let Some(octets) = package.take(reading, here, name) else { continue };
        starts.push(text.len());
        let mut page = Page::default();
        if xml::walk(&xml::text(&octets), |node| page.node(node)) == Health::Damaged {
            reading.damaged(here, "xml");
        }
        if page.is_unmapped {
            reading.problem(&here.part, Some(format!("page {}", number + 1)), ProblemKind::Unsupported, "unmapped-glyphs");
        }
        text.push_str(&page.text);
        text.push('\n');
        links.push_str(&page.links);
    }
    reading.text(&here.part, Source::Attachment, text, Places::Pages(starts));
    reading.text(&here.part, Source::Attachment, links, Places::Named("links".to_owned()));
}

#[derive(Default)]
struct Page {
    text: String,
    /// Where links lead, and what is told to those who can't see.
    links: String,
    last: Option<Run>,
    is_unmapped: bool,
}

/// Where a run stands, in units of the page.
struct Run {
    start: f64,
    end: f64,
    line: f64,
    /// The size of its letters.
    em: f64,
}

impl Page {
    fn node(&mut self, node: Node<'_>) {
        let Node::Open(name, element) = node else { return };
        for told in ["FixedPage.NavigateUri", "AutomationProperties.Name", "AutomationProperties.HelpText"] {
            if let Some(value) = xml::attribute(element, told) {
                self.links.push_str(&on_one_line(value));
                self.links.push('\n');
            }
        }
        if name == "Glyphs" {
            self.glyphs(element);
        }
    }

    fn glyphs(&mut self, element: &BytesStart<'_>) {
        let value = |name| xml::attribute(element, name).unwrap_or_default();
        let text = value("UnicodeString");
        // What begins with a brace is escaped by a pair of them (12.1.3).
        let text = on_one_line(text.strip_prefix("{}").map(|rest| rest.to_owned().into()).unwrap_or(text));
        let indices = value("Indices");
        if text.is_empty() {
            self.is_unmapped |= !indices.is_empty();
            return;
        }
        let run = Run::of(element, &text, &indices);
        self.text.push_str(self.last.as_ref().map_or("", |last| run.behind(last)));
        self.text.push_str(&text);
        self.last = Some(run);
    }
}

impl Run {
    fn of(element: &BytesStart<'_>, text: &str, indices: &str) -> Run {
        let number = |name| xml::attribute(element, name).and_then(|v| v.trim().parse::<f64>().ok()).unwrap_or_default();
        let em = number("FontRenderingEmSize").abs();
        // A transformation of its own (7.4.1): scale and place count, letters that lean don't.
        let matrix = xml::attribute(element, "RenderTransform").unwrap_or_default();
        let matrix: Vec<f64> = matrix.split([',', ' ']).filter_map(|v| v.parse().ok()).collect();
        let [a, _, _, d, e, f] = matrix[..] else {
            let start = number("OriginX");
            return Run { start, end: start + em * width(text, indices), line: number("OriginY"), em };
        };
        let start = a * number("OriginX") + e;
        Run { start, end: start + a * em * width(text, indices), line: d * number("OriginY") + f, em: em * a.abs() }
    }

    /// What stands between the run before and this one.
    fn behind(&self, last: &Run) -> &'static str {
        let gap = self.start - last.end;
        let em = self.em.max(last.em);
        match () {
            () if (self.line - last.line).abs() > em / 2.0 || gap < -2.0 * em => "\n",
            () if gap > 2.0 * em => "\t",
            () if gap > 0.2 * em => " ",
            () => "",
        }
    }
}

/// How wide a run is, in its em: by the advances that it gives, in hundredths (12.1.3), and else as letters are on the whole.
fn width(text: &str, indices: &str) -> f64 {
    const USUAL: f64 = 0.52;
    let mut advances = indices.split(';').map(|glyph| glyph.split(',').nth(1).and_then(|advance| advance.trim().parse::<f64>().ok()));
    text.chars().map(|_| advances.next().flatten().map_or(USUAL, |hundredths| hundredths / 100.0)).sum()
}
