use super::*;

/// Whether a report with these headers is taken; `at` is in seconds since 1970.
fn check(signature: &Signature, headers: &[(&str, String)], url: &str, body: &[u8], at: i64) -> bool {
    let header = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    let from = "192.0.2.1".parse().unwrap();
    let report = Reported { by_get: body.is_empty(), url, header: &header, body, from, reference: None };
    signature.fits(&report, &Secret::new("12345".to_owned()), Time::from_millis(at * 1000))
}

#[test]
fn twilio_signs_as_its_documentation_shows() {
    // The example of Twilio's documentation, as its libraries test it.
    let body = b"CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212";
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let signature = Signature::Twilio { header: "X-Twilio-Signature".to_owned() };
    let of = |value: &str| [("x-twilio-signature", value.to_owned())];
    assert!(check(&signature, &of("0/KCTR6DLpKmkAf8muzZqo1nDgQ="), url, body, 0));
    assert!(!check(&signature, &of("0/KCTR6DLpKmkAf8muzZqo1nDgQ="), url, &body[1..], 0));
    assert!(!check(&signature, &of("0/KCTR6DLpKmkAf8muzZqo1nDgQ="), "https://mycompany.com/myapp.php", body, 0));
    assert!(!check(&signature, &of(""), url, body, 0) && !check(&signature, &[], url, body, 0));
}

fn hmac_sha256(octets: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"12345"), octets).as_ref().to_vec()
}

#[test]
fn an_hmac_is_over_what_the_file_says_and_not_old() {
    let over = vec![Over::Timestamp, Over::Url, Over::BodyDigest];
    let bird = Signature::Hmac { header: "S".to_owned(), over, timestamp: Some("T".to_owned()), hex: false };
    let signed = [b"1000\nhttps://x/sms/bird\n".as_slice(), &digest([b"{}".as_slice()])].concat();
    let headers = [("s", STANDARD.encode(hmac_sha256(&signed))), ("t", "1000".to_owned())];
    assert!(check(&bird, &headers, "https://x/sms/bird", b"{}", 1100));
    assert!(!check(&bird, &headers, "https://x/sms/bird", b"{ }", 1100) && !check(&bird, &headers, "https://y/sms/bird", b"{}", 1100));
    assert!(!check(&bird, &headers, "https://x/sms/bird", b"{}", 1301) && !check(&bird, &headers, "https://x/sms/bird", b"{}", 699));
    assert!(!check(&bird, &headers[..1], "https://x/sms/bird", b"{}", 1100));
    let plain = Signature::Hmac { header: "S".to_owned(), over: vec![Over::Body], timestamp: None, hex: true };
    assert!(check(&plain, &[("s", hex(&hmac_sha256(b"{}")))], "https://x", b"{}", 0));
}

fn token(head: &str, claims: &str) -> [(&'static str, String); 1] {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    [("j", format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(signed.as_bytes()))))]
}

#[test]
fn a_token_is_about_this_request_and_this_moment() {
    let jwt = Signature::Jwt { header: "J".to_owned(), issuer: Some("MessageBird".to_owned()) };
    let (url, head) = ("https://x/sms/messagebird/1?status=delivered", "{\"alg\":\"HS256\"}");
    let claims = |changed: &str, to: &str| {
        let hashes =
            format!("\"url_hash\":\"{}\",\"payload_hash\":\"{}\"", hex(&digest([url.as_bytes()])), hex(&digest([b"x".as_slice()])));
        format!("{{\"iss\":\"MessageBird\",\"nbf\":1000,\"exp\":1060,{hashes}}}").replace(changed, to)
    };
    let check = |head: &str, claims: &str, at| check(&jwt, &token(head, claims), url, b"x", at);
    assert!(check(head, &claims("", ""), 1010));
    assert!(!check(head, &claims("", ""), 1061) && !check(head, &claims("", ""), 900));
    assert!(!check("{\"alg\":\"none\"}", &claims("", ""), 1010) && !check("{\"alg\":\"HS512\"}", &claims("", ""), 1010));
    assert!(!check(head, &claims("MessageBird", "Somebody"), 1010));
    assert!(!check(head, &claims("url_hash", "u"), 1010) && !check(head, &claims("payload_hash", "p"), 1010));
    assert!(!check(head, &claims("\"exp\":1060,", ""), 1010));
}

#[test]
fn a_password_a_key_and_an_address_are_compared_whole() {
    let basic =
        |value: &str| check(&Signature::Basic, &[("authorization", format!("Basic {}", STANDARD.encode(value)))], "https://x", b"x", 0);
    assert!(basic("zegel:12345") && !basic("zegel:1234") && !basic("12345"));
    let key = Signature::Key { parameter: "key".to_owned() };
    assert!(check(&key, &[], "https://x/sms/cm?a=b&key=12345", b"x", 0));
    assert!(!check(&key, &[], "https://x/sms/cm?key=1234", b"x", 0) && !check(&key, &[], "https://x/sms/cm", b"key=12345", 0));
    assert!(check(&Signature::Addresses(vec!["192.0.2.1".parse().unwrap()]), &[], "https://x", b"x", 0));
    assert!(!check(&Signature::Addresses(vec!["192.0.2.2".parse().unwrap()]), &[], "https://x", b"x", 0));
}
