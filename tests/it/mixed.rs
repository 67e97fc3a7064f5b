//! One mail for a colleague, who gets it as it is, and for somebody outside, for whom it is sealed, while the next hop fails at each step of the
//! second envelope: nobody is lost, nobody is notified twice, nothing leaks (smtp.md, section 5).

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
