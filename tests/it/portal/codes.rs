//! Codes, passwords, wrong tries and locks.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_guesses_at_once_are_five_compared() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = Arc::new(browser.press(&page, "Stuur mijn SMS-code", &[]).await);
    let code = world.code();
    world.meeting.call(32);
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..32 {
        let (page, browser) = (page.clone(), Browser::new());
        let guess = format!("{:06}", (code.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        guesses.spawn(async move { browser.press_only(&page, "Doorgaan", &[("answer", &guess)]).await.status });
    }
    while let Some(status) = guesses.join_next().await {
        assert!(matches!(status.unwrap().as_u16(), 422 | 503));
    }
    assert_eq!(world.count(Fact::WrongTry).await, 5);
    let (grant, challenge) = (world.grant(&token).await, world.challenge(&token).await.unwrap());
    assert_eq!((grant.wrong_tries, challenge.tries_left), (5, 0));
    let late = browser.press(&page, "Doorgaan", &[("answer", &code)]).await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && late.shows("werkt niet meer") && late.shows("Stuur mijn SMS-code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_answer_from_many_at_once_opens_once() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = Arc::new(browser.press(&page, "Stuur mijn SMS-code", &[]).await);
    let code = world.code();
    world.meeting.call(16);
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (page, code, browser) = (page.clone(), code.clone(), Browser::new());
        answers.spawn(async move { browser.press_only(&page, "Doorgaan", &[("answer", &code)]).await.status });
    }
    let statuses = answers.join_all().await;
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::SEE_OTHER).count(), 1, "{statuses:?}");
    assert_eq!(world.store.list(&KeyRange::under("session"), 100).await.unwrap().len(), 1);
}

/// Asks for a code and answers wrongly until it is dead.
async fn waste_a_code(world: &World, token: &Token) -> Answer {
    let browser = Browser::new();
    world.clock.advance(Duration::from_secs(31));
    let page = browser.get(&world.link(token)).await;
    let mut page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    let wrong = if world.code() == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        page = browser.press(&page, "Doorgaan", &[("answer", wrong)]).await;
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_wrong_tries_lock_the_message_and_tell_its_sender_once() {
    let world = World::new().await;
    let [token, other] = world.message(Level::Two, None).await;
    for _ in 0..2 {
        assert!(waste_a_code(&world, &token).await.shows("werkt niet meer"));
    }
    let locked = waste_a_code(&world, &token).await;
    assert!(locked.shows("op slot") && locked.status == StatusCode::TOO_MANY_REQUESTS && !locked.shows("<form"));
    let letters = world.letters().await;
    let [Letter::Locked { sender, recipient, until, .. }] = &letters[..] else { panic!("one letter") };
    assert_eq!((sender.as_str(), recipient.as_str()), (SENDER, RECIPIENT));
    assert_eq!(until.since(world.clock.now()), Duration::from_secs(3600));
    assert_eq!(world.count(Fact::Locked).await, 1);
    // The other recipient is not locked out, and after an hour this one is no longer.
    assert!(Browser::new().get(&world.link(&other)).await.shows("Stuur mijn SMS-code"));
    world.clock.advance(Duration::from_secs(3600));
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(browser.press(&page, "Doorgaan", &[("answer", &world.code())]).await.shows("Het besluit is positief."));
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_bounded_per_recipient_and_a_second_click_sends_none() {
    let world = World::new().await;
    let [first, _] = world.message(Level::Two, None).await;
    let [second, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&first)).await;
    for _ in 0..3 {
        browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    }
    assert_eq!(world.sms().len(), 1, "within 30 s the pending code stays");
    let old = world.code();
    for n in 0..4 {
        world.clock.advance(Duration::from_secs(31));
        let token = if n % 2 == 0 { &second } else { &first };
        let page = browser.get(&world.link(token)).await;
        let button = if page.shows("Stuur mijn SMS-code") { "Stuur mijn SMS-code" } else { "Klik hier om een nieuwe te ontvangen" };
        assert_eq!(browser.press(&page, button, &[]).await.status, StatusCode::OK);
    }
    assert_eq!(world.sms().len(), 5);
    world.clock.advance(Duration::from_secs(31));
    let page = browser.get(&world.link(&first)).await;
    let page = browser.press(&page, "Klik hier om een nieuwe te ontvangen", &[]).await;
    assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.shows("te vaak een code aangevraagd"));
    assert_eq!(world.sms().len(), 5);
    // A new code replaced the old one.
    assert!(old == world.code() || browser.press(&page, "Doorgaan", &[("answer", &old)]).await.shows("klopt niet"));
    // The counters have rows that let them expire: one each.
    let expiring = world.store.list(&KeyRange::under("expiry"), 100).await.unwrap();
    assert_eq!(expiring.iter().filter(|(_, r)| r.value.contains("rate/code/")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_could_not_be_sent_is_taken_back() {
    let sms = sms::Sender::file("/no/such/folder/sms.jsonl".into());
    let world = World::with(Limits::default(), Some(sms)).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(page.status == StatusCode::SERVICE_UNAVAILABLE && page.shows("kon niet verstuurd worden") && page.shows("Stuur mijn SMS-code"));
    assert!(world.challenge(&token).await.is_none() && world.count(Fact::CodeFailed).await == 1);
}
