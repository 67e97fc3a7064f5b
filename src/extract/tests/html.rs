//! HTML, text and folded text.

use super::{problems, read, texts};

/// What comes out as the page's own text.
fn check(html: &str, expected: &str) {
    let extraction = read("p.html", format!("<html>{html}"));
    let first = texts(&extraction).into_iter().next().map(|(_, t)| t).unwrap_or_default();
    assert_eq!(first, expected, "{html}");
}

#[test]
fn markup_joins_breaks_and_tabs_as_a_reader_sees_it() {
    check("123<b></b>4<!-- x -->56<wbr>7", "1234567");
    check("een<br>twee<p>drie</p>vier", "een\ntwee\ndrie\nvier");
    check("<table><tr><th>Naam</th><th>BSN</th></tr><tr><td><p>A</p></td><td><p>1</p></td></tr></table>", "Naam\tBSN\nA\t1");
    check("<table><tr><td></td><td>2</td></tr></table>", "\t2");
    check("a   b\n\tc", "a b c");
    check("&euro; 5&nbsp;&#54;&#x37;&amp;lt;&eacute &notit; &bogus;", "€ 5\u{A0}67&lt;é ¬it; &bogus;");
    check("<script>if (a<b) x()</script>na<style>p{}</style>", "na");
    check("<pre>a\n  b</pre>", "a\n  b");
}

#[test]
fn nothing_unclosed_swallows_the_rest() {
    check("3 < 4 en 5", "3 < 4 en 5");
    check("<a title=\"open>111222333", "111222333");
    check("<script>x 111222333", "x 111222333");
    check("<!-- open 111222333", "<!-- open 111222333");
    check("a <b", "a <b");
    check("a\0b", "a b");
    check(&format!("<i title=\"{}\">111222333", "x".repeat(70_000)), &format!("<i title=\"{}\">111222333", "x".repeat(70_000)));
}

/// All that came out of a page but for its name.
fn all(html: &str) -> String {
    let extraction = read("p.html", format!("<html>{html}"));
    extraction.texts.iter().skip(1).map(|text| format!("{}\n", text.text)).collect()
}

#[test]
fn what_stands_in_a_style_and_is_no_style_sheet_is_read() {
    let sheet = "<!-- /* Kop 7 */ @page Section1 {size:595.3pt; margin:70.85pt} p.a > b:hover, td[width='9']\n{ mso-font-signature:-536870145 1107305727 }
        @media only screen and (min-width: 480px) { *.b{*zoom:1; color:#112233} 50% { top: 1px } } @font-face { src:url(data:font/woff;base64,a{}) } -->";
    assert_eq!(all(&format!("x<style>{sheet}</style>y")), "xy\nKop 7\n\ndata:\na\n");
    for words in [
        "BSN 111222333",
        "p{} Jan Jansen, 111222333",
        "p{}</stile></head><body><p>Zijn BSN is 111<b>222</b>333</p><style>q{}",
        "p{ Zijn BSN is 111222333 }",
        "p{ color:red; Zijn BSN: 111222333; top:0 }",
        "Het gaat om Jan Jansen. Zijn BSN is 111222333 { }",
        "@import 'a'; @ 111222333",
        "/* 111222333",
        "/* 111222333 */",
        "p::after{ content: 'BSN 111222333' }",
        "} 111222333",
        "p{} @media x <p>111222333</p>",
    ] {
        assert!(all(&format!("x<style>{words}</style>y")).contains("111222333"), "{words}: {}", all(&format!("x<style>{words}</style>y")));
    }
    // Nobody sees it, and it hides nothing.
    let extraction = read("p.html", "<html>111<style>nee, geen stijl</style>222333".to_owned());
    assert!(texts(&extraction).iter().any(|(_, text)| text == "111222333"), "{extraction:?}");
    // What ends in a style is none of the page's ends.
    check("<style>a <!-- b <i </style>een<!-- c -->twee<i>drie</i>", "a <!-- b <i eentweedrie");
}

#[test]
fn what_scripts_and_odd_markup_say_is_read() {
    for html in [
        "<script>var rijen = [['Jansen', '111222333']]</script>",
        "<script type='application/json'>{\"bsn\": 111222333}</script>",
        "<![CDATA[111222333]]>",
        "<!ELEMENT 111222333>",
        "<?php 111222333 ?>",
        "<p class=x 111222333 y>",
        "nummer</b 111222333</p>",
        "<b nr.111222333 x>",
        "<p class=x Zijn nummer is dit, 111222333</p>",
        "<p style=\"x>BSN 111222333 <b class=\"y\">",
        "<img alt=\"BSN 111222333>",
    ] {
        assert!(all(html).contains("111222333"), "{html}: {}", all(html));
    }
    assert_eq!(all("<!doctype html><?xml version='1'?><![if !mso]>a<![endif]><input checked disabled>"), "a\n");
}

#[test]
fn hidden_text_is_read_and_the_visible_besides() {
    let both = |html: &str| {
        let extraction = read("p.html", format!("<html>{html}"));
        texts(&extraction).into_iter().map(|(_, t)| t).take(2).collect::<Vec<_>>()
    };
    let expected = ["111999222333", "111222333"];
    assert_eq!(both("111<span hidden>999</span>222333"), expected);
    assert_eq!(both("111<span style='display : none !important'>999</span>222333"), expected);
    assert_eq!(both("111<span style=font-size:0px>999</span>222333"), expected);
    assert_eq!(both("<style>.x, p .y { visibility:hidden }</style>111<b class='z y'>9<i>9</i>9</b>222333"), expected);
    assert_eq!(both("111<font color=#FFF>999</font>222333"), expected);
    assert_eq!(both("111<!--[if mso]>999<![endif]-->222333"), expected);
    assert_eq!(both("111<span style='font-size:10px'>999</span>222333"), ["111999222333"]);
}

#[test]
fn attributes_comments_and_embedded_data_are_read() {
    let extraction = read(
        "p.html",
        "<html>x<img alt='BSN 111222333'><a href='mailto:a@b.example'>y</a><!-- noot 42 --><a href='data:text/plain;base64,Z2VoZWlt'>z</a>",
    );
    let all: String = extraction.texts.iter().map(|t| format!("{}\n", t.text)).collect();
    for part in ["BSN 111222333", "mailto:a@b.example", "noot 42", "geheim"] {
        assert!(all.contains(part), "{part} in {all}");
    }
}

#[test]
fn charsets_are_told_or_guessed() {
    let first = |octets: &[u8]| texts(&read("p.txt", octets.to_vec())).into_iter().next().unwrap().1;
    assert_eq!(first("één".as_bytes()), "één");
    assert_eq!(first(b"\xFF\xFEB\0S\0N\0"), "BSN");
    assert_eq!(first(b"B\0S\0N\0 \x001\0"), "BSN 1");
    assert_eq!(first(b"caf\xE9 cr\xE8me en nog meer woorden"), "café crème en nog meer woorden");
}

#[test]
fn control_characters_forge_no_break() {
    let extraction = read("p.txt", "a\u{1F}b\r\nc\rd".as_bytes().to_vec());
    assert_eq!(texts(&extraction)[0].1, "a b\nc\nd");
}

#[test]
fn calendars_and_cards_are_unfolded() {
    let ics = "BEGIN:VCALENDAR\r\nDESCRIPTION:BSN 1112\r\n 22333\\, zie\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:Z2Vo\r\n ZWlt\r\nEND:VCALENDAR\r\n";
    let extraction = read("x.ics", ics);
    assert!(super::holds(&extraction, "BSN 111222333, zie"));
    assert!(super::holds(&extraction, "geheim"));
    let vcf = "BEGIN:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:caf=C3=A9 111=\r\n222333\r\nEND:VCARD\r\n";
    assert!(super::holds(&read("x.vcf", vcf), "café 111222333"));
}

#[test]
fn uuencoded_files_are_members() {
    let extraction = read("brief.txt", "Zie:\nbegin 644 geheim.txt\n&9V5H96EM\n`\nend\n");
    assert!(super::holds(&extraction, "geheim"), "{extraction:?}");
    assert!(extraction.texts.iter().any(|t| t.part.ends_with("> \"geheim.txt\"")));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn deep_markup_costs_no_more_than_its_length() {
    let deep = format!("<html>{}BSN 111222333{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
    assert!(super::holds(&read("p.html", deep), "BSN 111222333"));
    for piece in ["<style>", "<!--", "<a \"", "<script>", "<![CDATA[", "&#", "<td>", "<STYLE", "<style>a<", "<style>\"", "<style>/*"] {
        read("p.html", format!("<html>{}", piece.repeat(100_000)));
    }
    for piece in ["<style>", "<!--", "url(", "\"", "'\\'", "/*", "@ ", "{", "a{;", "<", "é"] {
        read("p.html", format!("<html><style>{}</style>", piece.repeat(100_000)));
    }
}
