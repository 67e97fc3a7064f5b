//! Whatever a domain publishes, and whatever an attacker makes of it: the mail goes directly or is sealed, never in clear, never lost.

use super::{
    names::Wrong,
    partner::{BAKKER, JANSEN, MX, Partner, Safety, sealed_for, send},
};
use crate::{
    faults::{Fails, Trap, Whose},
    sink::Act,
    world::{ANNA, BURGER, COLLEGA},
};
use hickory_resolver::proto::rr::RecordType;
use std::sync::atomic::Ordering;
use zegel::{
    address::Domain,
    gateway::{Reach, Trusted},
    smtp::dane::Association,
};

const ENFORCE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nversion: STSv1\nmode: enforce\nmx: *.zorg.example\nmax_age: 600\n";
const TESTING: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nversion: STSv1\nmode: testing\nmx: *.zorg.example\nmax_age: 600\n";
const OTHER_MX: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nversion: STSv1\nmode: enforce\nmx: mx.elders.example\nmax_age: 600\n";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Directly,
    ToThePortal,
}
use Goes::{Directly, ToThePortal};

/// Sends one mail to the partner.
async fn check(case: &str, partner: &Partner, expected: Goes) {
    let world = partner.world().await;
    let (reply, sent) = send(&world, &[JANSEN]).await;
    assert_eq!(reply.code(), 250, "{case}: {reply}");
    let directly = partner.taken(case);
    let sealed = sealed_for(&world, JANSEN, usize::from(expected == ToThePortal)).await;
    assert_eq!((directly, sealed), if expected == Directly { (1, 0) } else { (0, 1) }, "{case}");
    if expected == Directly {
        let octets = partner.sink.mails()[0].octets();
        assert!(octets.starts_with(b"Received: ") && octets.ends_with(sent.as_bytes()), "{case}: not byte for byte");
    }
    world.running.stop().await;
}

async fn partner(safety: Safety) -> Partner {
    Partner::new(safety, MX, NOT_FOUND).await
}

#[tokio::test(flavor = "multi_thread")]
async fn dane_decides_where_it_is_published() {
    let one = partner(Safety::Tls).await;
    one.dane();
    check("the record names the key", &one, Directly).await;

    let any_name = Partner::new(Safety::Tls, "elsewhere.example", NOT_FOUND).await;
    any_name.dane();
    check("DANE-EE asks for no name", &any_name, Directly).await;

    for safety in [Safety::Broken, Safety::Stripped] {
        let unsafe_ = partner(safety).await;
        unsafe_.dane();
        check(&format!("{safety:?}"), &unsafe_, ToThePortal).await;
    }
    let wrong = Association { usage: 3, selector: 1, matching: 1, data: vec![7; 32] };
    for (case, association) in [
        ("another key", wrong.clone()),
        ("a PKIX usage", Association { usage: 1, ..one.association() }),
        ("a digest that is too short", Association { data: vec![7; 20], ..wrong }),
    ] {
        // A trusted certificate, a policy and a place on the list rescue nothing.
        let mut other = Partner::new(Safety::Tls, MX, ENFORCE).await;
        other.names.mx("zorg.example", 10, MX).tlsa(MX, other.sink.address().port(), &association);
        other.names.txt("_mta-sts.zorg.example", &["v=STSv1; id=1;"]);
        other.trusted = listed(MX);
        check(case, &other, ToThePortal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dns_leaves_in_doubt_goes_to_the_portal() {
    let tlsa = |partner: &Partner| format!("_{}._tcp.{MX}", partner.sink.address().port());
    for wrong in [Wrong::Signature, Wrong::Unsigned, Wrong::Denied, Wrong::DeniedByStranger, Wrong::Servfail, Wrong::Silent] {
        for (kind, owner) in [(RecordType::MX, Some("zorg.example")), (RecordType::A, Some(MX)), (RecordType::TLSA, None)] {
            let mut partner = Partner::new(Safety::Tls, MX, ENFORCE).await;
            partner.dane().txt("_mta-sts.zorg.example", &["v=STSv1; id=1;"]).unsigned("elders.example");
            partner.trusted = listed(MX);
            let owner = owner.map_or_else(|| tlsa(&partner), str::to_owned);
            partner.names.wrong(&owner, kind, wrong);
            check(&format!("{wrong:?} {kind}"), &partner, ToThePortal).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_without_a_mail_server_goes_to_the_portal() {
    let nowhere = partner(Safety::Tls).await;
    check("no such domain", &nowhere, ToThePortal).await;
    let null = partner(Safety::Tls).await;
    null.names.mx("zorg.example", 0, "");
    check("the domain takes no mail", &null, ToThePortal).await;
    let homeless = partner(Safety::Tls).await;
    homeless.names.mx("zorg.example", 10, "nowhere.zorg.example");
    check("its server has no address", &homeless, ToThePortal).await;
    let nothing = partner(Safety::Tls).await;
    nothing.names.mx("zorg.example", 10, MX);
    check("it publishes nothing", &nothing, ToThePortal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_points_inside_is_never_spoken_to() {
    let mut dane = partner(Safety::Tls).await;
    dane.dane();
    let mut enforced = announcing(Safety::Tls, MX, ENFORCE).await;
    for (case, partner) in [("dane", &mut dane), ("mta-sts", &mut enforced)] {
        partner.reach = Reach::Public;
        check(case, partner, ToThePortal).await;
        assert_eq!(partner.sink.connections(), 0, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_host_that_points_inside_is_never_spoken_to() {
    for (reach, asked) in [(Reach::Public, 0), (Reach::Anywhere, 1)] {
        let mut partner = announcing(Safety::Tls, MX, TESTING).await;
        // The mail server is public, as far as DNS says; a policy of this mode has nobody connect to it.
        partner.names.a(MX, [11, 0, 0, 1]);
        partner.reach = reach;
        check("a policy host inside", &partner, ToThePortal).await;
        assert_eq!(partner.policy_asked.load(Ordering::SeqCst), asked, "{reach:?}");
    }
}

fn listed(mx: &str) -> Vec<Trusted> {
    vec![Trusted { domain: Domain::parse("zorg.example").unwrap(), mx: vec![Domain::parse(mx).unwrap()] }]
}

/// A partner in an unsigned zone, who announces a policy.
async fn announcing(safety: Safety, name: &str, policy: &'static str) -> Partner {
    let partner = Partner::new(safety, name, policy).await;
    partner.names.unsigned("zorg.example").mx("zorg.example", 10, MX).txt("_mta-sts.zorg.example", &["v=STSv1; ", "id=1;"]);
    partner
}

#[tokio::test(flavor = "multi_thread")]
async fn mta_sts_decides_where_it_is_enforced() {
    check("enforce", &announcing(Safety::Tls, MX, ENFORCE).await, Directly).await;
    for safety in [Safety::Broken, Safety::Stripped] {
        check(&format!("{safety:?}"), &announcing(safety, MX, ENFORCE).await, ToThePortal).await;
    }
    check("a certificate for another name", &announcing(Safety::Tls, "mx.elders.example", ENFORCE).await, ToThePortal).await;
    for (case, policy) in [("another mail server", OTHER_MX), ("a redirect", REDIRECT), ("no policy there", NOT_FOUND)] {
        let mut partner = announcing(Safety::Tls, MX, policy).await;
        partner.trusted = listed(MX);
        check(case, &partner, ToThePortal).await;
    }
    check("testing", &announcing(Safety::Tls, MX, TESTING).await, ToThePortal).await;
    let twice = announcing(Safety::Tls, MX, ENFORCE).await;
    twice.names.txt("_mta-sts.zorg.example", &["v=STSv1; id=2;"]);
    check("two records", &twice, ToThePortal).await;
    let silent = announcing(Safety::Tls, MX, ENFORCE).await;
    silent.names.wrong("_mta-sts.zorg.example", RecordType::TXT, Wrong::Silent);
    check("silence", &silent, ToThePortal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_outlives_its_announcement_and_not_its_age() {
    let partner = announcing(Safety::Tls, MX, ENFORCE).await;
    partner.names.fleeting();
    let world = partner.world().await;
    send(&world, &[JANSEN]).await;
    partner.names.wrong("_mta-sts.zorg.example", RecordType::TXT, Wrong::Servfail);
    send(&world, &[JANSEN]).await;
    assert_eq!(partner.taken("kept"), 2);
    world.clock.advance(std::time::Duration::from_secs(601));
    send(&world, &[JANSEN]).await;
    assert_eq!(partner.taken("expired"), 2);
    assert_eq!(sealed_for(&world, JANSEN, 1).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_certificate_counts_for_listed_mail_servers_only() {
    let unsigned = async |safety, name, list: &str| {
        let mut partner = Partner::new(safety, name, NOT_FOUND).await;
        partner.names.unsigned("zorg.example").mx("zorg.example", 10, MX);
        partner.trusted = listed(list);
        partner
    };
    check("listed", &unsigned(Safety::Tls, MX, MX).await, Directly).await;
    check("another mail server is listed", &unsigned(Safety::Tls, MX, "mx2.zorg.example").await, ToThePortal).await;
    check("a certificate for another name", &unsigned(Safety::Tls, "mx2.zorg.example", MX).await, ToThePortal).await;
    check("stripped", &unsigned(Safety::Stripped, MX, MX).await, ToThePortal).await;
    let mut stranger = unsigned(Safety::Tls, MX, MX).await;
    stranger.authority = partner(Safety::Tls).await.authority;
    check("an authority that nobody trusts", &stranger, ToThePortal).await;
    let mut testing = announcing(Safety::Tls, MX, TESTING).await;
    testing.trusted = listed(MX);
    check("listed, with a policy that is only tested", &testing, Directly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_of_nta_7516_names_his_hosts() {
    const RECORD: &str = "v=NTA7516-1;startdate=2020-01;enddate=2099-12;provider=x;ntamx=10 mx.zorg.example";
    let with = async |text: &str, on| {
        let mut partner = partner(Safety::Tls).await;
        partner.names.mx("zorg.example", 10, "nowhere.zorg.example").txt("zorg.example", &["v=spf1 -all"]).txt("zorg.example", &[text]);
        partner.names.tlsa(MX, partner.sink.address().port(), &partner.association());
        partner.nta7516 = on;
        partner
    };
    check("valid", &with(RECORD, true).await, Directly).await;
    check("not asked for", &with(RECORD, false).await, ToThePortal).await;
    check("over", &with(&RECORD.replace("2099", "2021"), true).await, ToThePortal).await;
    let unverified = with(RECORD, true).await;
    unverified.names.wrong("zorg.example", RecordType::TXT, Wrong::Unsigned);
    check("forged", &unverified, ToThePortal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_gets_it_in_his_own_way_and_once() {
    let partner = partner(Safety::Tls).await;
    partner.dane();
    partner.sink.fails("RCPT TO:<c.bakker", Act::Reply("550 5.1.1 unknown here".to_owned()));
    let world = partner.world().await;
    let to = [COLLEGA, BURGER, JANSEN, BAKKER];
    let (reply, sent) = send(&world, &to).await;
    assert_eq!(reply.code(), 250, "{reply}");
    // The client never heard it.
    assert_eq!(world.send(ANNA, &to, sent.as_bytes()).await.code(), 250);
    assert_eq!(partner.taken("mixed"), 1);
    assert_eq!(partner.sink.mails()[0].to, [JANSEN]);
    assert_eq!(sealed_for(&world, BURGER, 1).await, 1);
    assert_eq!(sealed_for(&world, BAKKER, 1).await, 1);
    assert_eq!(sealed_for(&world, JANSEN, 0).await, 0);
    let inside = world.delivered_to(COLLEGA);
    assert_eq!(inside.len(), 1);
    assert!(inside[0].octets.ends_with(sent.as_bytes()) && inside[0].to.len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_partner_fails_the_portal_takes_over_and_nobody_is_notified_twice() {
    for (at, act, may_have_it) in [
        ("CONNECT", Act::Reply("554 5.3.2 go away".to_owned()), 0),
        ("MAIL", Act::Reply("451 4.7.1 greylisted".to_owned()), 0),
        ("RCPT", Act::Drop, 0),
        ("DATA", Act::Reply("554 5.5.1 no".to_owned()), 0),
        ("BODY", Act::Drop, 0),
        ("DOT", Act::Reply("550 5.7.1 spam".to_owned()), 0),
        ("DOT", Act::Reply("451 4.3.0 later".to_owned()), 0),
        ("DOT", Act::Drop, 1),
    ] {
        let case = format!("{at} {act:?}");
        let partner = partner(Safety::Tls).await;
        partner.dane();
        partner.sink.fails(at, act);
        let world = partner.world().await;
        let (reply, sent) = send(&world, &[COLLEGA, BURGER, JANSEN]).await;
        assert_eq!(reply.code(), 250, "{case}: {reply}");
        partner.sink.heals();
        assert_eq!(world.send(ANNA, &[COLLEGA, BURGER, JANSEN], sent.as_bytes()).await.code(), 250, "{case}");
        assert_eq!(partner.taken(&case), may_have_it, "{case}");
        assert_eq!(sealed_for(&world, JANSEN, 1).await, 1, "{case}");
        assert_eq!(sealed_for(&world, BURGER, 1).await, 1, "{case}");
        assert_eq!(world.delivered_to(COLLEGA).len(), 1, "{case}");
        world.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_next_hop_comes_before_anything_goes_directly() {
    let partner = partner(Safety::Tls).await;
    partner.dane();
    let world = partner.world().await;
    let hop = crate::sink::Sink::start().await;
    hop.fails("DATA", Act::Reply("554 5.7.1 no".to_owned()));
    let routes = zegel::smtp::client::NextHop::plain("127.0.0.1", hop.address().port());
    let mut config = zegel::config::Config::load(&world.folder.path().join("zegel.toml")).unwrap_or_else(|f| panic!("{f:#?}"));
    config.smtp.next_hops = vec![routes];
    world.running.reload(config);
    let (reply, _) = send(&world, &[COLLEGA, BURGER, JANSEN]).await;
    assert_eq!(reply.code(), 554);
    assert_eq!(partner.taken("refused"), 0);
    assert_eq!(hop.mails(), []);
}

/// One mail while call number `at` of the store fails; whether there was such a call.
async fn with_a_failing_store(to: &[&str], taken: bool, how: Fails, at: usize) -> bool {
    let partner = partner(Safety::Tls).await;
    partner.dane();
    if !taken {
        partner.sink.fails("DOT", Act::Reply("451 4.3.0 later".to_owned()));
    }
    let trap = Trap::new(Whose::Gateways, at, how);
    let world = partner.world_over(|opened| trap.set(opened)).await;
    trap.arm();
    let (reply, sent) = send(&world, to).await;
    let sprung = trap.sprung();
    trap.disarm();
    let case = format!("{to:?} taken={taken} {how:?} {at}: {reply}");
    assert!(reply.is_positive() || reply.code() == 451, "{case}");
    if !reply.is_positive() {
        assert_eq!(world.send(ANNA, to, sent.as_bytes()).await.code(), 250, "{case}");
    }
    assert_eq!(world.send(ANNA, to, sent.as_bytes()).await.code(), 250, "{case}: a repeat");
    let once = if taken { (1, 0) } else { (0, 1) };
    let (directly, sealed) = (partner.taken(&case), sealed_for(&world, JANSEN, once.1).await);
    // A crash between the partner's 250 and what remembers it may bring it again.
    assert!((directly, sealed) == once || (taken && directly == 2 && sealed == 0), "{case}: {directly} {sealed}");
    let inside = world.delivered_to(COLLEGA);
    assert!(inside.iter().all(|m| m.octets.ends_with(sent.as_bytes())), "{case}");
    if how == Fails::Panics {
        assert_eq!(inside.is_empty(), !to.contains(&COLLEGA), "{case}");
    } else {
        assert_eq!(inside.len(), usize::from(to.contains(&COLLEGA)), "{case}: those to whom it is relayed have it once");
    }
    let notified = usize::from(to.contains(&BURGER));
    assert_eq!(sealed_for(&world, BURGER, notified).await, notified, "{case}");
    world.running.stop().await;
    sprung
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_lost_whichever_call_of_the_store_fails() {
    for (to, taken, how) in [
        (&[COLLEGA, BURGER, JANSEN][..], true, Fails::Before),
        (&[COLLEGA, BURGER, JANSEN], false, Fails::After),
        (&[COLLEGA, JANSEN], false, Fails::Before),
        (&[COLLEGA, JANSEN], false, Fails::After),
        (&[JANSEN], false, Fails::Panics),
    ] {
        let mut at = 0;
        while with_a_failing_store(to, taken, how, at).await {
            at += 1;
        }
    }
}
