//! Somebody who doubts a mail types its code into a page that he found by himself.

use crate::world::{ANNA, BURGER, World, mail};
use reqwest::StatusCode;
use std::time::Duration;
use zegel::record::KeyRange;

/// What the page answers to a code, asked from an address.
async fn ask(world: &World, typed: &str, from: &str) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/check", world.portal)).form(&[("reference", typed)]).header("x-forwarded-for", from);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The code in a mail.
fn reference(text: &str) -> String {
    text.split("Kenmerk: ").nth(1).unwrap().chars().take(9).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_ours_is_known_by_its_code_as_long_as_its_message_is_there() {
    let world = World::new().await;
    world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await;
    let text = world.mails_for(BURGER, 1).await[0].text();
    let code = reference(&text);
    let host = world.portal.split_once("://").unwrap().1;
    assert!(text.contains(&format!("{host}/check")) && text.matches("http").count() == 1, "it is named, and no second link: {text}");

    for typed in [code.clone(), code.to_lowercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " – "))] {
        let (status, page) = ask(&world, &typed, "192.0.2.1").await;
        assert_eq!(status, StatusCode::OK);
        let known = format!("Het kenmerk {code} is van Gemeente Voorbeeld. De e-mail met dit kenmerk is gestuurd op ");
        assert!(page.contains(&known) && page.contains(host), "{page}");
        // Organisation and day, and nothing about people or content.
        assert!(!page.contains(BURGER) && !page.contains(ANNA) && !page.contains("Besluit") && !page.contains("/m/"), "{page}");
    }
    let other: String = code.chars().rev().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    let other = format!("{}-{}", &other[..4], &other[5..]);
    let (status, page) = ask(&world, &other, "192.0.2.1").await;
    assert!(status == StatusCode::OK && page.contains(&format!("Het kenmerk {other} kennen we niet.")), "{page}");
    for faulty in ["", "x", "ABCD-234", "ABCD-23456", "ABCD-2340", "<b>x</b>", "%/_-****", &"A".repeat(5000)] {
        let (status, page) = ask(&world, faulty, "192.0.2.2").await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains("Dit is geen kenmerk.") && !page.contains("<b>x"), "{page}");
    }

    world.clock.advance(Duration::from_secs(32 * 24 * 3600));
    world.running.parts.sweep.round().await.unwrap();
    let (_, page) = ask(&world, &code, "192.0.2.3").await;
    assert!(page.contains("kennen we niet"), "{page}");
    assert!(world.running.parts.opened.store.list(&KeyRange::under("reference"), 9).await.unwrap().is_empty(), "it goes with its message");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_is_stopped_and_nobody_else() {
    let world = World::new().await;
    let mut told = Vec::new();
    for guess in 0..30 {
        // Whatever address of his own IPv6 network.
        told.push(ask(&world, "ABCD-2345", &format!("2001:db8:1:2::{guess:x}")).await.0);
    }
    assert_eq!(told.iter().filter(|status| **status == StatusCode::OK).count(), 10, "{told:?}");
    assert!(told[10..].iter().all(|status| *status == StatusCode::TOO_MANY_REQUESTS), "{told:?}");
    assert_eq!(ask(&world, "ABCD-2345", "2001:db8:1:3::1").await.0, StatusCode::OK);
    // He who guesses can still open the message that he was sent.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let home = client.post(format!("{}/m/x", world.portal)).form(&[("do", "open")]).header("x-forwarded-for", "2001:db8:1:2::1");
    assert_eq!(home.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}
