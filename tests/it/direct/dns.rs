//! What DNS answers, and how sure it is.

use super::names::{Names, Wrong};
use hickory_resolver::proto::rr::RecordType;
use std::time::Duration;
use zegel::{
    dns::{Answer, Dns, Mx, Options},
    smtp::dane::Association,
};

fn dns(names: &Names) -> Dns {
    let time = Duration::from_secs(3);
    Dns::new(&Options { resolver: Some(names.address), trust_anchors: Some(names.trust_anchor()), time }).unwrap()
}

fn mx<T>(answer: Answer<T>, show: impl Fn(&T) -> String) -> String {
    match answer {
        Answer::Found(found) => {
            format!("{:?} {}: {}", found.proof, found.name, found.records.iter().map(show).collect::<Vec<_>>().join(","))
        }
        Answer::None(proof) => format!("none {proof:?}"),
        Answer::Bogus => "bogus".to_owned(),
        Answer::Failed => "failed".to_owned(),
    }
}

async fn check(dns: &Dns, domain: &str, expected: &str) {
    assert_eq!(mx(dns.mx(domain).await, |mx: &Mx| mx.host.clone()), expected, "{domain}");
}

#[tokio::test]
async fn an_answer_is_as_sure_as_its_signatures() {
    let names = Names::start().await;
    names.mx("signed.example", 10, "mx.signed.example").mx("open.example", 10, "mx.open.example").unsigned("open.example");
    names.mx("null.example", 0, "");
    names.a("empty.example", [127, 0, 0, 1]).a("deep.below.example", [127, 0, 0, 1]).unsigned("bare.example");
    names.alias("alias.example", "signed.example").alias("loose.example", "open.example").alias("round.example", "round.example");
    for (domain, wrong) in [
        ("forged.example", Wrong::Signature),
        ("stripped.example", Wrong::Unsigned),
        ("denied.example", Wrong::Denied),
        ("stranger.example", Wrong::DeniedByStranger),
        ("broken.example", Wrong::Servfail),
        ("silent.example", Wrong::Silent),
    ] {
        names.mx(domain, 10, "mx.signed.example").wrong(domain, RecordType::MX, wrong);
    }
    let dns = dns(&names);
    check(&dns, "signed.example", "Secure signed.example: mx.signed.example").await;
    check(&dns, "open.example", "Insecure open.example: mx.open.example").await;
    check(&dns, "null.example", "Secure null.example: ").await;
    check(&dns, "empty.example", "none Secure").await;
    check(&dns, "below.example", "none Secure").await;
    check(&dns, "nowhere.example", "none Secure").await;
    check(&dns, "bare.example", "none Insecure").await;
    check(&dns, "nowhere.bare.example", "none Insecure").await;
    check(&dns, "alias.example", "Secure signed.example: mx.signed.example").await;
    check(&dns, "loose.example", "Insecure open.example: mx.open.example").await;
    check(&dns, "round.example", "failed").await;
    check(&dns, "forged.example", "bogus").await;
    check(&dns, "stripped.example", "bogus").await;
    check(&dns, "denied.example", "bogus").await;
    check(&dns, "stranger.example", "failed").await;
    check(&dns, "broken.example", "failed").await;
    check(&dns, "silent.example", "failed").await;
    check(&dns, "geen domein", "failed").await;
}

#[tokio::test]
async fn records_come_as_they_were_written() {
    let names = Names::start().await;
    let association = Association { usage: 3, selector: 1, matching: 1, data: vec![7; 32] };
    names.txt("zorg.example", &["v=NTA7516-1;startdate=2026-", "01"]).a("mx.zorg.example", [127, 0, 0, 9]);
    names.tlsa("mx.zorg.example", 25, &association);
    let dns = dns(&names);
    assert_eq!(mx(dns.txt("zorg.example").await, String::clone), "Secure zorg.example: v=NTA7516-1;startdate=2026-01");
    assert_eq!(mx(dns.addresses("mx.zorg.example").await, ToString::to_string), "Secure mx.zorg.example: 127.0.0.9");
    let shown = mx(dns.tlsa("mx.zorg.example", 25).await, |t| format!("{} {} {} {}", t.usage, t.selector, t.matching, t.data.len()));
    assert_eq!(shown, "Secure _25._tcp.mx.zorg.example: 3 1 1 32");
    assert_eq!(mx(dns.tlsa("mx.zorg.example", 26).await, |_| String::new()), "none Secure");
    let asked = names.asked().len();
    let _ = dns.txt("zorg.example").await;
    assert_eq!(names.asked().len(), asked, "an answer is kept for its time");
}
