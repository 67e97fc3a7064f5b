use super::*;

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
    for text in [
        "wachtwoord: vergeten",
        "wachtwoord: ${X_1}",
        "wachtwoord is vergeten!",
        "wachtwoord: ",
        "wachtwoord",
        "wachtwoord: 12345678",
        "wachtwoord is",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}

use crate::detect::class::{Class, class};
