//! The structure tree's texts: what stands for content that can't be read as it is drawn, and what describes it (ISO 32000-1, 14.7 and 14.9).

use super::parts::{self, dictionary};
use lopdf::{Dictionary, Document, Object, ObjectId};
use std::collections::HashMap;

/// Texts of structure elements.
#[derive(Default)]
pub(super) struct Structure {
    /// Texts that stand for a marked-content sequence, by its page and number.
    marked: HashMap<(ObjectId, i64), String>,
    /// All texts, with their page where they tell it.
    texts: Vec<(Option<ObjectId>, String)>,
}

impl Structure {
    /// Reads the elements, wherever they hang: what no tree refers to travels too.
    pub(super) fn read(document: &Document) -> Structure {
        let mut structure = Structure::default();
        for object in document.objects.values() {
            if let Some(element) = dictionary(object).filter(|d| d.has(b"S") && (d.has(b"ActualText") || d.has(b"Alt") || d.has(b"E"))) {
                structure.element(document, element);
            }
        }
        structure
    }

    fn element(&mut self, document: &Document, element: &Dictionary) {
        let page = element.get(b"Pg").and_then(Object::as_reference).ok();
        let text = |name: &[u8]| element.get_deref(name, document).ok().and_then(parts::string);
        let actual = text(b"ActualText");
        for text in [actual.clone(), text(b"Alt"), text(b"E")].into_iter().flatten() {
            self.texts.push((page, text));
        }
        let Some(actual) = actual else { return };
        let kids = match element.get_deref(b"K", document) {
            Ok(Object::Array(kids)) => kids.iter().collect(),
            Ok(one) => vec![one],
            Err(_) => Vec::new(),
        };
        // The text stands for all of them: for the first, and the others are left out.
        let mut actual = Some(actual);
        for kid in kids {
            let mark = match document.dereference(kid).map_or(kid, |(_, kid)| kid) {
                Object::Integer(number) => page.map(|page| (page, *number)),
                Object::Dictionary(kid) => {
                    let own = kid.get(b"Pg").and_then(Object::as_reference).ok().or(page);
                    own.zip(kid.get_deref(b"MCID", document).and_then(Object::as_i64).ok())
                }
                _ => None,
            };
            if let Some(mark) = mark {
                self.marked.entry(mark).or_insert_with(|| actual.take().unwrap_or_default());
            }
        }
    }

    /// What stands for a marked-content sequence of a page.
    pub(super) fn text(&self, page: ObjectId, number: i64) -> Option<&str> {
        self.marked.get(&(page, number)).map(String::as_str)
    }

    /// All texts, one a line, by page; and those that don't say on which page they are.
    pub(super) fn lines(&self, document: &Document, pages: usize) -> (String, Vec<usize>, String) {
        let (mut told, mut starts, mut apart) = (String::new(), Vec::new(), String::new());
        if self.texts.is_empty() {
            return (told, starts, apart);
        }
        let numbers: HashMap<ObjectId, usize> = document.page_iter().take(pages).zip(0..).collect();
        let mut by_page: Vec<(usize, &str)> = Vec::new();
        for (page, text) in &self.texts {
            match page.and_then(|page| numbers.get(&page)) {
                Some(number) => by_page.push((*number, text)),
                None => parts::line(&mut apart, Some(text.clone())),
            }
        }
        by_page.sort_by_key(|(page, _)| *page);
        for (page, text) in by_page {
            starts.resize(starts.len().max(page + 1), told.len());
            parts::line(&mut told, Some(text.to_owned()));
        }
        (told, starts, apart)
    }
}
