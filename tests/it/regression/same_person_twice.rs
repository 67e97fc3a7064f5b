//! A person who was named twice in the envelope, or in two spellings, had as many links as names, and the sender was asked for his number as often.
//! Found on the number page.

use crate::world::{ANNA, BURGER, BUUR, World, mail};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_twice_is_told_once() {
    let world = World::new().await;
    let spelt = BURGER.to_ascii_uppercase();
    let to = [BURGER, &spelt, BUUR, BURGER];
    assert_eq!(world.send(ANNA, &to, mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await.code(), 250);
    // The last one's notification leaves after all others.
    world.mails_for(BUUR, 1).await;
    world.send(ANNA, &[BUUR], mail("[beveiligd] Ander", "x").as_bytes()).await;
    world.mails_for(BUUR, 2).await;
    let told = world.outside.mails().iter().filter(|m| m.to.iter().any(|a| a.as_str().eq_ignore_ascii_case(BURGER))).count();
    assert_eq!(told, 1, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_twice_is_asked_for_once() {
    let world = World::new().await;
    let spelt = BURGER.to_ascii_uppercase();
    let secret = mail("Dossier", "Het BSN van mevrouw Bakker is 111222333.");
    assert_eq!(world.send(ANNA, &[BURGER, &spelt, BURGER], secret.as_bytes()).await.code(), 250);
    let asked = world.mails_for(ANNA, 1).await[0].text();
    assert_eq!(asked.to_ascii_lowercase().matches(BURGER).count(), 1, "{asked}");
    assert!(asked.contains("van één ontvanger"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_in_the_trigger_counts_for_him() {
    let world = World::new().await;
    let spelt = BURGER.to_ascii_uppercase();
    let secret = mail("#veilig 0612345678 Besluit", "Het besluit is positief.");
    assert_eq!(world.send(ANNA, &[BURGER, &spelt], secret.as_bytes()).await.code(), 250);
    let [told] = &world.mails_for(BURGER, 1).await[..] else { panic!("one") };
    assert!(told.text().contains("per sms") && world.delivered_to(ANNA).is_empty());
}
