use super::*;
use crate::{
    detect::{
        RuleSet,
        class::{Class, class},
    },
    extract::{Extraction, Places, Source, Text},
    fault::Faults,
};
use std::sync::LazyLock;

/// One rule that finds every type.
static ALL: LazyLock<RuleSet> = LazyLock::new(|| {
    let types = Kind::ids().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let rule = format!("[rule]\nname = \"all\"\ntitle = \"Alles\"\nfinds = [{types}]\n[context]\nnear = [\"clientnr\"]\n");
    let faults = Faults::default();
    let rules = RuleSet::compile(&[("rules/all.toml".to_owned(), rule)].into(), &faults);
    assert_eq!(faults.take().len(), 0);
    rules
});

/// What is found in a body, at medium or better: type, and the stretch by its code points.
fn found(body: &str) -> Vec<(&'static str, String)> {
    let text = Text { part: "text".to_owned(), source: Source::Body, text: body.to_owned(), places: Places::Lines, spans: Vec::new() };
    let findings = ALL.find(&Extraction { texts: vec![text], ..Extraction::default() }).findings;
    let sure = findings.iter().filter(|f| f.confidence >= Medium);
    sure.map(|f| (f.kind, body.chars().skip(f.start.unwrap()).take(f.end.unwrap() - f.start.unwrap()).collect())).collect()
}

#[track_caller]
fn finds(body: &str, id: &str, stretch: &str) {
    let found = found(body);
    assert!(found.iter().any(|(kind, text)| *kind == id && text == stretch), "{body:?}: {found:?}");
}

/// The ids of the codes in a text, and the stretches they stand on.
fn codes(text: &str) -> Vec<(&'static str, &str)> {
    let bytes = text.as_bytes();
    let all = (0..ROWS.len()).fold(Kinds::default(), |kinds, n| kinds.with(Kind(n as u8)));
    let (mut codes, mut at) = (Codes::of(all), 0);
    while at < bytes.len() {
        let kind = class(bytes[at]);
        let end = bytes[at..].iter().position(|b| class(*b) != kind).map_or(bytes.len(), |n| at + n);
        if kind != Class::Other {
            codes.token(bytes, at, end);
        }
        at = end;
    }
    strongest(&mut codes.candidates, &[]);
    codes.candidates.iter().map(|c| (c.kind.id(), &text[c.start..c.end])).collect()
}

fn is(id: &str, text: &str) -> bool {
    codes(text).contains(&(Kind::of(id).unwrap().id(), text))
}

/// Numbers from the documentation of python-stdnum 2.2 and the issuers', valid and not.
const PUBLISHED: [(&str, &[&str], &[&str]); 21] = [
    ("rsin", &["111222333", "1112.22.333"], &["111222334", "000000000"]),
    ("onderwijsnummer", &["101222331"], &["100252333", "111222333"]),
    ("nl_vat", &["NL123456789B13", "NL 123456789 B13", "nl123456789b13"], &["NL123456789B12"]),
    ("nl_vat_bsn", &["NL4495445B01", "NL004495445B01", "NL0044.95.445.B01"], &["NL004495446B01", "NL004495445B00"]),
    ("bank_account_old", &["41 71 64 300", "0417164300", "123456789", "4321"], &["123456788", "12345678"]),
    (
        "credit_card",
        &["4111111111111111", "5555-5555-5555-4444", "3782 822463 10005", "6011111111111117", "3530111333300000", "30569309025904"],
        &["4111111111111112", "1234567812345670", "411111111111"],
    ),
    ("kvk", &["12345678", "1234.5678", "123456789012"], &["1234567"]),
    (
        "licence_plate",
        &["0-LVD-92", "68-VGJ-0", "S-999-FS", "XX-99-99", "GB-123-X", "12-BDF-3"],
        &["0-LAD-92", "0LVD92", "68-vgj-0", "12-34-56"],
    ),
    ("postcode_address", &["8575 PJ", "1234AB"], &["0123 AB", "1940 SS", "8575 pj", "8575  PJ"]),
    ("phone_mobile", &["06 84 78 05 48", "06-12345678", "0031 694226963"], &["0201234567", "06123456789"]),
    ("be_rrn", &["85.07.30-033 28", "17 07 30 033 84", "85.07.30-033.28"], &["12347896", "85073003327"]),
    ("de_idnr", &["36 574 261 809"], &["36574261890", "36554266806"]),
    ("fr_nir", &["2 95 10 99 126 111 93", "295109912611193"], &["295109912611199"]),
    ("es_nif", &["54362315K", "54362315-K", "X-2482300W", "x2482300w"], &["54362315Z", "X-2482300A"]),
    ("pl_pesel", &["44051401359"], &["44051401358", "02381307589"]),
    ("se_pn", &["880320-0016", "8803200016", "19880320-0016"], &["880320-0018", "881320-0016"]),
    ("it_cf", &["RCCMNL83S18D969H"], &["RCCMNL83S18D969", "RCCMNL83S18D969A", "RCCMNL83S68D969Z"]),
    ("dk_cpr", &["211062-5629", "2110625629"], &["511062-5629"]),
    ("fi_hetu", &["131052-308T", "131052A308T"], &["131052-308U", "310252-308Y", "131052+001A"]),
    ("pt_nif", &["501964843", "501 964 843"], &["501964842"]),
    ("uk_nino", &["AB 12 34 56 C", "AB123456C"], &["QQ123456C", "BG123456C", "AB123456E"]),
];

#[test]
fn published_numbers_pass_and_their_neighbours_do_not() {
    for (id, valid, invalid) in PUBLISHED {
        for text in valid.iter().filter(|text| **text != "NL4495445B01") {
            assert!(is(id, text), "{id} {text}: {:?}", codes(text));
        }
        for text in invalid {
            assert!(!is(id, text), "{id} {text}");
        }
    }
}

#[test]
fn every_row_is_reached_by_its_own_name() {
    for id in Kind::ids() {
        assert_eq!(Kind::of(id).map(Kind::id), Some(id));
    }
    let named = [
        (Kind::PLATE, "licence_plate"),
        (Kind::POSTCODE, "postcode_address"),
        (Kind::DOB, "dob"),
        (Kind::PERSON, "person_label"),
        (Kind::PHONE, "phone_mobile"),
        (Kind::EMAIL, "email"),
        (Kind::SECRET, "secret"),
        (Kind::PASSWORD, "password"),
    ];
    for (kind, id) in named {
        assert_eq!(kind.id(), id);
    }
    assert_eq!(usize::from(Kind::PASSWORD.0), ROWS.len());
}

#[test]
fn one_stretch_is_one_thing() {
    assert_eq!(codes("4111 1111 1111 1111"), [("credit_card", "4111 1111 1111 1111")]);
    assert_eq!(codes("NL123456789B13"), [("nl_vat", "NL123456789B13")]);
    assert!(codes("4111 1111 1111 1111 12/28").contains(&("credit_card", "4111 1111 1111 1111")));
    // Nothing is part of a longer number.
    for text in ["41111111111111110", "4111111111111111-22", "AB123456CD", "44051401359-x", "440514013590123456789"] {
        assert!(!codes(text).iter().any(|(id, _)| ["credit_card", "uk_nino", "pl_pesel"].contains(id)), "{text}");
    }
    // A telephone number is none of the numbers of eleven digits.
    assert!(!codes("+31 20 1234567").iter().any(|(id, _)| ["be_rrn", "de_idnr", "pl_pesel", "big"].contains(id)));
}

#[test]
fn addresses_of_mail_are_found_whole() {
    let found = |text: &str| text.find('@').and_then(|at| email(text.as_bytes(), at)).map(|(from, to)| text[from..to].to_owned());
    assert_eq!(found("Mail <jan.de-vries@zorg.example>.").as_deref(), Some("jan.de-vries@zorg.example"));
    assert_eq!(found("naar a@b.example.").as_deref(), Some("a@b.example"));
    for text in ["@naam", "a@b", "a@b..example", "tot @ 5.00", "a@1.2", ".@x.example"] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn passwords_are_words_that_nobody_says() {
    let found = |text: &str| {
        let label = text.find("wachtwoord").unwrap() + "wachtwoord".len();
        password(text.as_bytes(), label).map(|(from, to)| text[from..to].to_owned())
    };
    assert_eq!(found("wachtwoord: Zomer2026!").as_deref(), Some("Zomer2026!"));
    assert_eq!(found("wachtwoord is Zomer2026!.").as_deref(), Some("Zomer2026!"));
    assert_eq!(found("wachtwoord = \"geheim 1\"").as_deref(), None);
    assert_eq!(found("wachtwoord:\nx8#kfLq2").as_deref(), Some("x8#kfLq2"));
    assert_eq!(found("wachtwoord: hyVGSEvgXjYe!").as_deref(), Some("hyVGSEvgXjYe!"));
    assert_eq!(found("wachtwoord: *#MbYRhlh7").as_deref(), Some("*#MbYRhlh7"));
    assert_eq!(found("wachtwoord: %o7e2y9eys%").as_deref(), Some("%o7e2y9eys%"));
    assert_eq!(found("wachtwoord: ghdfgybgw#").as_deref(), Some("ghdfgybgw#"));
    for text in [
        "wachtwoord: vergeten",
        "wachtwoord: ${X_1}",
        "wachtwoord is vergeten!",
        "wachtwoord: Vergeten!",
        "wachtwoord: LibreOffice",
        "wachtwoord: *******x7",
        "wachtwoord: %DB_PASSWORD%",
        "wachtwoord: vergeten?)",
        "wachtwoord: ",
        "wachtwoord",
        "wachtwoord: 12345678",
        "wachtwoord is",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}

/// One of each type beside its label.
const LABELLED: [(&str, &str, &str); 33] = [
    ("rsin", "RSIN", "111222333"),
    ("onderwijsnummer", "onderwijsnummer", "101222331"),
    ("nl_vat", "btw-id", "NL123456789B13"),
    ("nl_vat_bsn", "btw-id", "NL004495445B01"),
    ("credit_card", "creditcard", "4111 1111 1111 1111"),
    ("nl_passport", "paspoort", "NWH5BCT25"),
    ("kvk", "KvK", "12345678"),
    ("nl_driving_licence", "rijbewijs", "3327819903"),
    ("agb", "AGB-code", "01704854"),
    ("big", "BIG-nummer", "29382856888"),
    ("uzovi", "UZOVI", "3311"),
    ("v_number", "V-nummer", "1815090963"),
    ("a_number", "A-nummer", "5671643561"),
    ("licence_plate", "kenteken", "0-LVD-92"),
    ("postcode_address", "adres Molenweg 7,", "8575 PJ"),
    ("dob", "geb.", "02-03-1961"),
    ("person_label", "aan", "patiënt"),
    ("phone_mobile", "gsm", "06 84 78 05 48"),
    ("phone_mobile", "mobiel", "31 (0)6 12345678"),
    ("email", "mail", "jan.de-vries@zorg.example"),
    ("be_rrn", "rijksregister nr", "85.07.30-033.28"),
    ("de_idnr", "IdNr", "36 574 261 809"),
    ("fr_nir", "NIR", "2 95 10 99 126 111 93"),
    ("es_nif", "dni", "54362315K"),
    ("pl_pesel", "PESEL", "44051401359"),
    ("se_pn", "personnummer", "880320-0016"),
    ("it_cf", "codice fiscale", "RCCMNL83S18D969H"),
    ("dk_cpr", "CPR-nr", "211062-5629"),
    ("fi_hetu", "hetu", "131052-308T"),
    ("pt_nif", "contribuinte", "501 964 843"),
    ("uk_nino", "National Insurance", "AB 12 34 56 C"),
    ("secret", "token", "AKIAIOSFODNN7EXAMPLE"),
    ("password", "wachtwoord", "9m9xpJcB%j"),
];

#[test]
fn every_type_is_found_beside_its_label() {
    for (id, label, written) in LABELLED {
        let plus = if written.starts_with("31") { "+" } else { "" };
        for sign in [": ", " = "].into_iter().chain((id != "password").then_some(" ")) {
            finds(&format!("Beste collega,\n{label}{sign}{plus}{written}\n\nGroet"), id, written);
        }
    }
}

#[test]
fn a_column_and_a_key_label_their_values() {
    for (id, label, written) in LABELLED.into_iter().filter(|(id, ..)| !["password", "person_label", "postcode_address"].contains(id)) {
        if written.starts_with("31") {
            continue;
        }
        finds(&format!("Naam;{label};Plaats\nVoorbeeld;{written};Ede\nAnder;;Ede\nDerde;{written};Ede"), id, written);
        finds(&format!("{{\"naam\": \"x\", \"{label}\": \"{written}\"}}"), id, written);
    }
    // Of two columns only the own one counts.
    let table = "AGB\tKlantnummer\n01704854\t12345678\n01832745\t87654321";
    assert_eq!(found(table), [("agb", "01704854".to_owned()), ("agb", "01832745".to_owned())]);
}

#[test]
fn a_key_is_read_however_its_words_are_joined() {
    for key in [
        "nationalInsuranceNumber",
        "national_insurance_number",
        "nationalinsurancenumber",
        "Nat-Insurance-NINO",
        "ninoCode",
        "partnerNino",
        "NationalInsuranceNo",
    ] {
        finds(&format!("{{\"naam\": \"x\", \"{key}\": \"AB123456C\"}}"), "uk_nino", "AB123456C");
        finds(&format!("<naam>x</naam><{key}>AB123456C</{key}>"), "uk_nino", "AB123456C");
    }
    finds("{\"geborenop\": \"19 februari 1971\"}", "dob", "19 februari 1971");
    finds("Aanvraag Cas Voorbeeld 111222333 17 oktober 1953", "dob", "17 oktober 1953");
    finds("17-03-1977; 111222333", "dob", "17-03-1977");
    assert_eq!(found("111222334 17-03-1977. Op 18-03-1977 kwam 111222333 binnen."), []);
    finds("{\"partnergeboortedatum\": \"1971-02-19\"}", "dob", "1971-02-19");
    finds("<bigregistratienummer>78671342824</bigregistratienummer>", "big", "78671342824");
    // The end of a word that is no label of a type says nothing.
    assert_eq!(found("{\"opvolgnummer\": \"29382856888\", \"hoofdbig\": \"x\"}"), []);
}

#[test]
fn the_letters_of_a_code_are_no_header() {
    finds("Naam;paspoort nr.;Plaats\nVoorbeeld;NIE2LF3Z7;Ede\nAnder;NRN1Z4182;Ede", "nl_passport", "NIE2LF3Z7");
    finds("Naam;paspoort nr.;Plaats\nVoorbeeld;NIE2LF3Z7;Ede\nAnder;NRN1Z4182;Ede", "nl_passport", "NRN1Z4182");
}

#[test]
fn a_title_takes_no_postcode() {
    finds("Dorpsstraat 1\n2696 MW Assen", "postcode_address", "2696 MW");
}

#[test]
fn the_word_of_another_type_speaks_against_it() {
    for body in [
        "order 12345678",
        "dossiernummer 1815090963 (A-nummer onbekend)",
        "KvK 12345678 voor 87654321 euro",
        "3327819903",
        "klant 54362315K",
    ] {
        let found = found(body);
        assert!(found.iter().all(|(id, text)| *id == "kvk" && text == "12345678"), "{body}: {found:?}");
    }
    assert_eq!(found("AGB 01704854, KvK 12345678"), [("agb", "01704854".to_owned()), ("kvk", "12345678".to_owned())]);
    // A rule's own words add to those of the type.
    finds("clientnr 44051401359", "pl_pesel", "44051401359");
}

#[test]
fn what_is_by_chance_two_numbers_is_what_its_label_says() {
    // Passes the check of Belgium's number as well.
    finds("IdNr: 73452796109", "de_idnr", "73452796109");
    finds("pnr 230424-2809", "se_pn", "230424-2809");
    finds("Het PESEL van Daan Smit is 42050937776.", "pl_pesel", "42050937776");
}

/// The first number that passes, of those that begin with `body` and go on with `checks` digits.
fn completed(id: &str, body: &str, checks: usize) -> Option<String> {
    (0..10usize.pow(checks as u32)).map(|check| format!("{body}{check:0checks$}")).find(|number| is(id, number))
}

/// The number with separators at random places; never two.
fn spelled(number: &str, cuts: u32, separator: &str) -> String {
    let mut out = String::new();
    for (at, c) in number.chars().enumerate() {
        // Four digits or more stand together: a code cut smaller is no code.
        if at > 0 && at % 4 == 0 && cuts >> at & 1 == 1 {
            out.push_str(separator);
        }
        out.push(c);
    }
    out
}

proptest::proptest! {
    #[test]
    fn every_spelling_of_a_valid_number_is_found_whole(seed in 0u64..10_000_000_000_000, cuts: u32, sign in 0usize..6, which in 0usize..5) {
        let body = format!("{seed:013}");
        let (id, label, number) = match which {
            0 => ("credit_card", "kaart", completed("credit_card", &format!("45{body}"), 1)),
            1 => ("fr_nir", "NIR", completed("fr_nir", &format!("18004{}", &body[..8]), 2)),
            2 => ("be_rrn", "rijksregister", completed("be_rrn", &format!("800412{}", &body[..3]), 2)),
            3 => ("pl_pesel", "pesel", completed("pl_pesel", &format!("800412{}", &body[..4]), 1)),
            _ => ("pt_nif", "contribuinte", completed("pt_nif", &format!("2{}", &body[..7]), 1)),
        };
        let Some(number) = number else { return Ok(()) };
        let written = spelled(&number, cuts, [" ", "-", ".", "\u{a0}", "\u{2011}", "\u{ad}"][sign]);
        let found = found(&format!("Gegevens. {label}: {written}\nGroet"));
        proptest::prop_assert!(found.contains(&(id, written.clone())), "{} {} {:?}", id, written, found);
    }

    #[test]
    fn one_changed_digit_is_never_found(seed in 0u64..10_000_000_000_000, at in 0usize..16, by in 1u8..10, which in 0usize..3) {
        let body = format!("{seed:013}");
        let (id, number) = match which {
            0 => ("credit_card", completed("credit_card", &format!("45{body}"), 1)),
            1 => ("fr_nir", completed("fr_nir", &format!("18004{}", &body[..8]), 2)),
            _ => ("pl_pesel", completed("pl_pesel", &format!("800412{}", &body[..4]), 1)),
        };
        let Some(mut number) = number.map(String::into_bytes) else { return Ok(()) };
        let at = at % number.len();
        number[at] = b'0' + (number[at] - b'0' + by) % 10;
        let number = String::from_utf8(number).unwrap();
        proptest::prop_assert!(!is(id, &number), "{}", number);
    }

    /// Unrelated text around it removes no finding.
    #[test]
    fn added_text_removes_no_finding(which in 0usize..33, before in "[a-zA-Z0-9 .,;:\t\n\u{ad}é–\"<>=-]{0,60}", after in "\\PC{0,40}") {
        let (id, label, written) = LABELLED[which];
        proptest::prop_assume!(!written.starts_with("31"));
        let body = format!("{before}\n\n. {label}: {written} .\n\n{after}");
        let found = found(&body);
        proptest::prop_assert!(found.contains(&(id, written.to_owned())), "{} {:?} {:?}", id, body, found);
    }

    #[test]
    fn no_text_is_too_strange(text in "[A-Z0-9a-f@.+ /:(){}$-]{0,200}|\\PC{0,200}") {
        found(&text);
    }
}
