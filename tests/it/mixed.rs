//! One mail for a colleague, who gets it as it is, and for somebody outside, for whom it is sealed, while the next hop fails at each step of the
//! second envelope: nobody is lost, nobody is notified twice, nothing leaks.

use crate::{
    sink::{Act, Sink},
    world::{ANNA, BURGER, BUUR, COLLEGA, World, contains, mail},
};
use zegel::record::KeyRange;

const BODY: &str = "Het besluit is positief, zegt de commissie.";

async fn round(at: &str, act: Act, skip: usize) {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    let case = format!("{at} {act:?}");
    // A connection that is lost is replaced once; twice is too often.
    let times = if matches!(act, Act::Drop) { 2 } else { 1 };
    hop.fails_times(at, act.clone(), skip, times);
    let sensitive = mail("[beveiligd] Besluit", BODY);
    let first = world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await;
    hop.heals();
    if !first.is_positive() {
        let left = world.opened.store.list(&KeyRange { from: String::new(), to: "~".to_owned() }, 100).await.unwrap();
        assert!(
            left.iter().all(|(key, _)| matches!(key.segments().next(), Some("canary" | "bucket" | "sweep"))),
            "{case}: refused and yet kept: {left:?}"
        );
        assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await.code(), 250, "{case}");
    }
    // A third time: the client never heard our 250.
    assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await.code(), 250, "{case}");
    world.send(ANNA, &[BUUR], mail("[beveiligd] Laatste", "x").as_bytes()).await;
    hop.wait_for_mail_to(BUUR).await;
    hop.wait_for_mail_to(BURGER).await;

    let mails = hop.mails();
    let to = |who: &str| mails.iter().filter(|m| m.to.iter().any(|t| t == who)).collect::<Vec<_>>();
    let (inside, outside) = (to(COLLEGA), to(BURGER));
    assert!(inside.iter().all(|m| m.to == [COLLEGA] && m.octets().ends_with(sensitive.as_bytes())), "{case}");
    let unknown = at == "DOT" && matches!(act, Act::Drop);
    assert!(inside.len() == 1 || unknown, "{case}: {} times to the colleague, first answer {first}", inside.len());
    assert_eq!(outside.len(), 1, "{case}");
    assert!(!contains(&outside[0].octets(), BODY.as_bytes()), "{case}: leaked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_lost_and_nothing_leaks_wherever_the_next_hop_fails() {
    let refusals =
        [Act::Reply("451 4.3.0 later".to_owned()), Act::Reply("550 5.7.1 no".to_owned()), Act::Last("421 4.3.2 bye".to_owned()), Act::Drop];
    // The first MAIL and RCPT are those passed on live; DATA comes once.
    for (at, skip) in [("RSET", 0), ("MAIL", 1), ("RCPT TO:<collega", 1), ("DATA", 0), ("BODY", 0), ("DOT", 0)] {
        for act in &refusals {
            round(at, act.clone(), skip).await;
        }
    }
}

/// The octets, sent to a colleague and to somebody outside, were taken once.
async fn taken(octets: &str) -> (Sink, World) {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], octets.as_bytes()).await.code(), 250);
    hop.wait_for_mail_to(BURGER).await;
    (hop, world)
}

/// How many mails came for `who`, once whatever was to leave has left.
async fn came(hop: &Sink, world: &World, who: &str) -> usize {
    while !world.opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    hop.mails().iter().filter(|m| m.to.iter().any(|to| to == who)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_with_other_clean_recipients_reaches_them_and_notifies_nobody_again() {
    let sensitive = mail("[beveiligd] Besluit", BODY);
    let (hop, world) = taken(&sensitive).await;
    // The sender's server has put the colleague's name right meanwhile.
    let other = "andere@gemeente.example";
    assert_eq!(world.send(ANNA, &[other, BURGER], sensitive.as_bytes()).await.code(), 250);
    let counts = [came(&hop, &world, COLLEGA).await, came(&hop, &world, other).await, came(&hop, &world, BURGER).await];
    assert_eq!(counts, [1, 1, 1]);
    // That 250 was lost too.
    for clean in [other, COLLEGA] {
        assert_eq!(world.send(ANNA, &[clean, BURGER], sensitive.as_bytes()).await.code(), 250);
        assert_eq!(came(&hop, &world, clean).await, 1, "{clean}");
    }
    let inside = hop.mails().into_iter().find(|m| m.to == [other]).unwrap();
    assert!(inside.octets().ends_with(sensitive.as_bytes()));
    // Refused there, the repeat is refused too.
    hop.fails_times("RCPT TO:<derde", Act::Reply("550 5.1.1 no".to_owned()), 1, 1);
    assert_eq!(world.send(ANNA, &["derde@gemeente.example", BURGER], sensitive.as_bytes()).await.code(), 451);
    // Nobody clean is left: it was all done.
    assert_eq!(world.send(ANNA, &[BURGER], sensitive.as_bytes()).await.code(), 250);
    assert_eq!(came(&hop, &world, BURGER).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_known_by_what_a_server_does_not_change() {
    let sensitive = mail("[beveiligd] Besluit", BODY);
    let (hop, world) = taken(&sensitive).await;
    let again = format!("Received: from a by b; Mon, 12 Oct 2026 09:40:00 +0200\r\n{sensitive}");
    assert_eq!(world.send(ANNA, &["Burger@POST.example", COLLEGA], again.as_bytes()).await.code(), 250);
    assert_eq!([came(&hop, &world, COLLEGA).await, came(&hop, &world, BURGER).await], [1, 1]);
    // Another text, another mail.
    assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], sensitive.replace("positief", "negatief").as_bytes()).await.code(), 250);
    assert_eq!([came(&hop, &world, COLLEGA).await, came(&hop, &world, BURGER).await], [2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_message_id_or_date_two_equal_mails_are_two_mails() {
    for field in ["Message-ID: ", "Date: "] {
        let whole = mail("[beveiligd] Besluit", BODY);
        let kept: Vec<_> = whole.split_inclusive("\r\n").filter(|line| !line.starts_with(field)).collect();
        let (hop, world) = taken(&kept.concat()).await;
        assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], kept.concat().as_bytes()).await.code(), 250, "{field}");
        assert_eq!([came(&hop, &world, COLLEGA).await, came(&hop, &world, BURGER).await], [2, 2], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_mail_at_the_same_time_waits_for_the_first() {
    let hop = Sink::start().await;
    let world = std::sync::Arc::new(World::next_to(hop.address()).await);
    let sensitive = mail("[beveiligd] Besluit", BODY);
    hop.fails_times("DOT", Act::Hang, 0, 1);
    let (first, octets) = (world.clone(), sensitive.clone());
    let first = tokio::spawn(async move { first.send(ANNA, &[COLLEGA, BURGER], octets.as_bytes()).await });
    hop.wait_for_mail_to(COLLEGA).await;
    let second = world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await;
    assert!(second.to_string().starts_with("451 4.3.0 The same message"), "{second}");
    assert!(world.opened.store.list(&KeyRange::under("grant"), 1).await.unwrap().is_empty(), "pending, nobody can open it");
    first.abort();
}
