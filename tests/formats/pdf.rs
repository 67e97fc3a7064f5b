//! PDF, made by lopdf's writer.

use lopdf::{Dictionary, Document, Object, Stream, dictionary};

/// A PDF of one page per content, with a Helvetica `/F1` and whatever `extend` adds to the resources, the catalog or the objects.
pub fn pdf_with(contents: &[&[u8]], extend: impl FnOnce(&mut Document, &mut Dictionary)) -> Vec<u8> {
    let mut document = Document::with_version("1.7");
    let font = document
        .add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding" });
    let mut resources = dictionary! { "Font" => dictionary! { "F1" => font } };
    let pages = document.new_object_id();
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    extend(&mut document, &mut resources);
    let resources = document.add_object(resources);
    let kids: Vec<Object> = contents
        .iter()
        .map(|content| {
            let mut stream = Stream::new(dictionary! {}, content.to_vec());
            stream.compress().unwrap();
            let content = document.add_object(stream);
            let page = dictionary! { "Type" => "Page", "Parent" => pages, "Contents" => content, "MediaBox" => vec![0.into(), 0.into(), 600.into(), 800.into()] };
            Object::Reference(document.add_object(page))
        })
        .collect();
    let count = kids.len() as i64;
    document.objects.insert(pages, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count, "Resources" => resources }.into());
    let mut octets = Vec::new();
    document.save_to(&mut octets).unwrap();
    octets
}

pub fn pdf(contents: &[&str]) -> Vec<u8> {
    let contents: Vec<&[u8]> = contents.iter().map(|c| c.as_bytes()).collect();
    pdf_with(&contents, |_, _| {})
}
