//! A sender's page: what has become of his message, and what he does about it.

use super::*;
use zegel::record::Receipt;

const DAY: Duration = Duration::from_secs(24 * 3600);

impl World {
    /// The link that every mail to a message's sender bears.
    fn status(&self, message: Id) -> String {
        self.url(&format!("/s/{}", self.keyring.master().status_token(message).in_link().expose()))
    }

    async fn record_of(&self, message: Id) -> SealedMessage {
        let key = Key::message(message);
        self.store.get(&key).await.unwrap().unwrap().read(&key).unwrap()
    }

    /// What the outbox writes down when the next hop took a notification.
    async fn notified(&self, message: Id, token: &Token) {
        let mut batch = Batch::new();
        let receipt = Receipt { v: FORMAT, notified: Some(self.clock.now()), ..Receipt::default() };
        batch.put(Key::of_message(message, lookup_id(token)), &receipt, Expect::Anything);
        self.store.commit(batch).await.unwrap();
    }
}

/// What stands behind a heading of the page, until the next.
fn section(page: &Answer, address: &str) -> String {
    let text = page.text();
    text.split("<h3>").find(|s| s.starts_with(address)).unwrap_or_else(|| panic!("no {address}: {text}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_for_each_recipient_and_file_what_has_happened_and_nothing_of_what_it_says() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let message = world.grant(&token).await.message;
    let (sender, link) = (Browser::new(), world.status(message));
    let page = sender.get(&link).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("Nog niemand heeft het bericht gelezen.") && section(&page, RECIPIENT).contains("nog niet verstuurd"));
    world.notified(message, &token).await;
    world.clock.advance(Duration::from_secs(600));
    let read = unlock(&world, &Browser::new(), &token).await;
    assert_eq!(read.status, StatusCode::OK);

    // Another browser, later.
    world.clock.advance(Duration::from_secs(600));
    let reader = Browser::new();
    let opened = unlock(&world, &reader, &token).await;
    for _ in 0..2 {
        reader.press(&opened, "overzicht één.xlsx", &[]).await;
        world.clock.advance(Duration::from_secs(600));
    }
    let page = sender.get(&link).await;
    assert!(page.shows("Eén van de 2 ontvangers heeft het bericht gelezen."), "{}", page.text());
    let (his, others) = (section(&page, RECIPIENT), section(&page, OTHER));
    assert!(!his.contains("nog niet verstuurd") && his.contains("Bestand 1") && !his.contains("Bestand 2"), "{his}");
    assert!(others.contains("nog niet verstuurd") && !others.contains("Bestand"), "{others}");
    assert!(his.contains("09:36 uur") && his.contains("09:46 uur") && !his.contains("09:56 uur"), "each when it was first so: {his}");

    assert!(reader.press(&opened, "Alles downloaden", &[]).await.octets.starts_with(b"PK"));
    let his = section(&sender.get(&link).await, RECIPIENT);
    assert!(his.contains("Bestand 1") && his.contains("Bestand 3"), "{his}");
    for secret in ["overzicht", "aanvraag", "besluit", "12345954"] {
        assert!(!page.text().to_lowercase().contains(secret), "{secret} is content");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_nobodys_leads_nowhere_and_all_such_links_look_alike() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let message = world.grant(&token).await.message;
    let genuine = world.status(message);
    let mut octets = *world.keyring.master().status_token(message).expose();
    octets[31] ^= 1;
    let forged = Token::of(octets).in_link().expose().clone();
    let other_master = zegel::seal::Master::random(1).status_token(message).in_link().expose().clone();
    let nobody = world.keyring.master().status_token(Id::random()).in_link().expose().clone();
    let mut pages = Vec::new();
    for wrong in [forged, other_master, nobody, token.in_link().expose().clone(), "kort".to_owned()] {
        let page = Browser::new().get(&world.url(&format!("/s/{wrong}"))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        pages.push(page.text());
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    // Nor does it lead to the message itself.
    let secret = genuine.rsplit('/').next().unwrap();
    for path in ["m", "n"] {
        assert_eq!(Browser::new().get(&world.url(&format!("/{path}/{secret}"))).await.status, StatusCode::NOT_FOUND);
    }
    // Of a message whose sender may not be told there is no page.
    let key = Key::message(message);
    let mut batch = Batch::new();
    batch.put(key, &SealedMessage { sender: None, ..world.record_of(message).await }, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    assert_eq!(Browser::new().get(&genuine).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_message_is_read_by_nobody_and_once_released_by_everybody_again() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let message = world.grant(&token).await.message;
    let (sender, reader, link) = (Browser::new(), Browser::new(), world.status(message));
    let opened = unlock(&world, &reader, &token).await;
    let page = sender.get(&link).await;
    let blocked = sender.press(&page, "Bericht blokkeren", &[]).await;
    assert!(blocked.shows("Niemand kan het nu lezen") && blocked.shows("Eén van de 2 ontvangers"), "{}", blocked.text());
    // A second press of the same button, from a page that was left open, changes nothing.
    let before = world.everything().await;
    assert_eq!(sender.press_only(&page, "Bericht blokkeren", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(world.everything().await == before);

    for path in ["", "/file/0", "/all", "/view/1"] {
        assert_eq!(reader.get(&format!("{}{path}", opened.url)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let calm = Browser::new().get(&world.link(&token)).await;
    assert!(calm.status == StatusCode::NOT_FOUND && calm.shows("geblokkeerd of ingetrokken") && calm.shows(SENDER), "{}", calm.text());
    let pressed = [("do".to_owned(), "open".to_owned()), ("answer".to_owned(), "x".to_owned())];
    assert!(reader.ask(Method::POST, &world.link(&token), Some(&pressed), &[]).await.shows("geblokkeerd of ingetrokken"));

    let released = sender.press(&blocked, "Bericht weer vrijgeven", &[]).await;
    assert!(released.shows("Je bericht is verzonden."), "{}", released.text());
    assert!(reader.get(&opened.url).await.shows("Het besluit is positief."), "the same browser goes on");
    world.clock.advance(Duration::from_secs(60));
    assert!(unlock(&world, &Browser::new(), &token).await.shows("Het besluit is positief."));
    assert_eq!((world.count(Fact::Blocked).await, world.count(Fact::Unblocked).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_message_is_gone_for_good_and_the_page_says_what_had_been_read() {
    let world = World::new().await;
    let [token, other] = world.message(Level::Two, None).await;
    let message = world.grant(&token).await.message;
    let (sender, reader, link) = (Browser::new(), Browser::new(), world.status(message));
    let page = reader.get(&world.link(&token)).await;
    let page = reader.press(&page, "Stuur mijn SMS-code", &[]).await;
    let opened = reader.press(&page, "Doorgaan", &[("answer", &world.code())]).await;
    reader.press(&opened, "overzicht één.xlsx", &[]).await;
    let waiting = Browser::new().get(&world.link(&other)).await;
    Browser::new().press(&waiting, "Stuur mijn SMS-code", &[]).await;

    let page = sender.get(&link).await;
    assert!(page.shows("Wie het gelezen heeft, kan het bewaard hebben."));
    let unsure = sender.press(&page, "Bericht intrekken en wissen", &[("sure", "")]).await;
    assert!(unsure.status == StatusCode::UNPROCESSABLE_ENTITY && unsure.shows("Zet eerst een vinkje") && unsure.shows("<title>Fout: "));
    assert_eq!(world.record_of(message).await.state, State::Sent);
    let gone = sender.press(&page, "Bericht intrekken en wissen", &[]).await;
    assert!(gone.shows("niemand kan het meer lezen") && gone.shows("Eén van de 2 ontvangers"), "{}", gone.text());
    assert!(section(&gone, RECIPIENT).contains("Bestand 1") && !gone.shows("<form"), "{}", gone.text());

    assert_eq!(reader.get(&opened.url).await.status, StatusCode::NOT_FOUND);
    assert!(Browser::new().get(&world.link(&token)).await.shows("geblokkeerd of ingetrokken"));
    let record = world.record_of(message).await;
    assert!(
        record.state == State::Recalled
            && record.blobs.is_empty()
            && world.blobs.list(Time::from_millis(i64::MAX)).await.unwrap().is_empty()
    );
    for token in [&token, &other] {
        let grant = world.grant(token).await;
        assert!(grant.wrap.0.is_empty() && grant.phone.is_none() && world.challenge(token).await.is_none());
    }
    let before = world.everything().await;
    assert_eq!(sender.press_only(&page, "Bericht intrekken en wissen", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(sender.press_only(&page, "Bericht blokkeren", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(world.everything().await == before && world.count(Fact::Recalled).await == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_can_be_cancelled_and_then_no_number_sends_it() {
    let world = World::new().await;
    let (token, id) = world.held(&[(RECIPIENT, Level::Two, None), (OTHER, Level::One, None)]).await;
    let numbers = world.url(&format!("/n/{}", token.in_link().expose()));
    let sender = Browser::new();
    let asked = sender.get(&numbers).await;
    // By the link with which he was asked, and by the one in other mails.
    let page = sender.get(&world.url(&format!("/s/{}", token.in_link().expose()))).await;
    assert!(page.shows("wacht op een mobiel nummer") && page.shows(&format!("/n/{}", token.in_link().expose())) && page.shows(OTHER));
    let page = sender.get(&world.status(id)).await;
    let cancelled = sender.press(&page, "Niet verzenden en wissen", &[]).await;
    assert!(cancelled.shows("voordat het verzonden was"), "{}", cancelled.text());
    assert_eq!(world.store.list(&KeyRange::waiting_of(id), 9).await.unwrap().len(), 0);
    assert!(world.blobs.list(Time::from_millis(i64::MAX)).await.unwrap().is_empty());
    let late = sender.press(&asked, "Opslaan en verzenden", &[("number-0", "0612345678")]).await;
    assert!(late.shows("voordat het verzonden was") && world.letters().await.is_empty(), "{}", late.text());
    assert_eq!(world.count(Fact::Released).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_kept_longer_or_shorter_and_the_same_links_open_it() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let message = world.grant(&token).await.message;
    let (sender, link) = (Browser::new(), world.status(message));
    let page = sender.get(&link).await;
    let today = world.clock.now().day();
    for wrong in ["", "morgen", "2020-01-01", &today.plus_days(366).to_string(), &"9".repeat(200)] {
        let answer = sender.press(&page, "Dag opslaan", &[("day", wrong)]).await;
        assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.shows("geen dag die je kunt kiezen"), "{wrong}");
    }
    let later = today.plus_days(365);
    let moved = sender.press(&page, "Dag opslaan", &[("day", &later.to_string())]).await;
    assert!(moved.shows(&format!("value=\"{later}\"")), "{}", moved.text());
    let record = world.record_of(message).await;
    assert!(record.expires == later && record.moved);
    world.clock.advance(DAY * 300);
    assert!(unlock(&world, &Browser::new(), &token).await.shows("Het besluit is positief."));

    let today = world.clock.now().day();
    let page = sender.get(&link).await;
    sender.press(&page, "Dag opslaan", &[("day", &today.to_string())]).await;
    world.clock.advance(Duration::from_secs(60));
    assert!(unlock(&world, &Browser::new(), &token).await.shows("Het besluit is positief."), "its last day is a whole one");
    world.clock.advance(DAY);
    assert!(Browser::new().get(&world.link(&token)).await.shows("Deze link werkt niet"));
    let page = sender.get(&link).await;
    assert!(page.shows("verlopen") && !page.shows("<form"), "{}", page.text());
    assert_eq!(world.count(Fact::DayMoved).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_is_changed_and_the_code_on_its_way_to_the_old_one_opens_nothing() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let message = world.grant(&token).await.message;
    let (sender, link) = (Browser::new(), world.status(message));
    let stranger = Browser::new();
    let page = stranger.get(&world.link(&token)).await;
    let enter = stranger.press(&page, "Stuur mijn SMS-code", &[]).await;
    let code = world.code();

    let page = sender.get(&link).await;
    assert!(page.shows("+31 6 ••••• 954") && !page.shows("12345954"));
    for (typed, said) in [("020 1234567", "komt geen sms aan"), ("", "Vul een mobiel nummer in"), ("+1 212 736 5000", "Naar dit land")] {
        let wrong = sender.press(&page, &format!("Mobiel nummer van {RECIPIENT}"), &[("number", typed)]).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.shows(said), "{}", wrong.text());
    }
    let changed = sender.press(&page, &format!("Mobiel nummer van {RECIPIENT}"), &[("number", "06-12345678")]).await;
    assert!(section(&changed, RECIPIENT).contains("+31 6 ••••• 678") && section(&changed, OTHER).contains("954"), "{}", changed.text());
    let late = stranger.press(&enter, "Doorgaan", &[("answer", &code)]).await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && !late.shows("besluit"));

    world.clock.advance(Duration::from_secs(60));
    let page = stranger.get(&world.link(&token)).await;
    assert!(page.shows("+31 6 ••••• 678"));
    let page = stranger.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(stranger.press(&page, "Doorgaan", &[("answer", &world.code())]).await.shows("Het besluit is positief."));
    // The organisation remembers it.
    let address = Address::parse(RECIPIENT).unwrap();
    assert!(world.store.get(&Key::phone(&world.keyring.master().address_hash(&address))).await.unwrap().is_some());
    assert_eq!(world.count(Fact::NumberChanged).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_from_another_site_changes_nothing() {
    let world = World::new().await;
    let [token, other] = world.message(Level::Two, None).await;
    let (message, theirs) = (world.grant(&token).await.message, world.message(Level::Two, None).await);
    let sender = Browser::new();
    let (link, page) = (world.status(message), sender.get(&world.status(message)).await);
    let (_, good) = page.form("Bericht blokkeren");
    let (_, of_another) = sender.get(&world.status(world.grant(&theirs[0]).await.message)).await.form("Bericht blokkeren");
    let before = world.everything().await;
    for (form, headers) in [
        (&good[1..], [("sec-fetch-site", "same-origin")]),
        (&of_another[..], [("sec-fetch-site", "same-origin")]),
        (&good[..], [("sec-fetch-site", "cross-site")]),
        (&good[..], [("origin", "https://evil.example")]),
    ] {
        assert_eq!(sender.ask(Method::POST, &link, Some(form), &headers).await.status, StatusCode::FORBIDDEN);
    }
    // The grant of another message, a grant that is none, and a thing to do that is none.
    let form = |what: &str, grant: &str| {
        let number = ("number".to_owned(), "0612345678".to_owned());
        [good[0].clone(), ("do".to_owned(), what.to_owned()), ("grant".to_owned(), grant.to_owned()), number]
    };
    for (what, grant) in
        [("number", lookup_id(&theirs[0]).to_string()), ("number", "x".to_owned()), ("read", lookup_id(&other).to_string())]
    {
        assert_eq!(sender.ask(Method::POST, &link, Some(&form(what, &grant)), &[]).await.status, StatusCode::BAD_REQUEST, "{what} {grant}");
    }
    assert!(world.everything().await == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_presses_at_once_recall_once_and_of_two_wishes_one_comes_after_the_other() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let message = world.grant(&token).await.message;
    let page = Arc::new(Browser::new().get(&world.status(message)).await);
    let mut presses = tokio::task::JoinSet::new();
    for n in 0..16 {
        let page = page.clone();
        let button = ["Bericht intrekken en wissen", "Bericht blokkeren"][n % 2];
        presses.spawn(async move { Browser::new().press_only(&page, button, &[]).await.status });
    }
    for status in presses.join_all().await {
        assert!(matches!(status, StatusCode::SEE_OTHER | StatusCode::SERVICE_UNAVAILABLE), "{status}");
    }
    assert_eq!((world.count(Fact::Recalled).await, world.record_of(message).await.state), (1, State::Recalled));
    assert!(world.count(Fact::Blocked).await <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_says_that_the_number_is_not_his_and_his_sender_mends_it_without_sending_again() {
    let world = World::new().await;
    let [token, other] = world.message(Level::Two, None).await;
    let reader = Browser::new();
    let page = reader.get(&world.link(&token)).await;
    // Who presses every button and ticks no box tells nobody.
    let unsure = reader.press(&page, "Laat het de afzender weten", &[("sure", "")]).await;
    assert!(unsure.status == StatusCode::UNPROCESSABLE_ENTITY && world.letters().await.is_empty());
    for _ in 0..3 {
        let told = reader.press(&page, "Laat het de afzender weten", &[]).await;
        assert!(told.shows("aan de afzender gevraagd om het nummer te wijzigen") && told.shows("Stuur mijn SMS-code"), "{}", told.text());
    }
    let letters = world.letters().await;
    let [Letter::WrongNumber { sender, recipient, phone, grant, .. }] = &letters[..] else { panic!("one letter") };
    assert_eq!((sender.as_str(), recipient.as_str(), phone.as_str()), (SENDER, RECIPIENT, "+31 6 ••••• 954"));
    assert_eq!((*grant, world.count(Fact::NumberDoubted).await), (lookup_id(&token), 1));
    assert!(Browser::new().get(&world.link(&other)).await.shows("Dit is niet mijn nummer"), "the other recipient's is not doubted");

    let sender = Browser::new();
    let status = sender.get(&world.status(world.grant(&token).await.message)).await;
    assert!(status.shows(&format!("id=\"number-{grant}\"")), "the mail leads to this place");
    sender.press(&status, &format!("Mobiel nummer van {RECIPIENT}"), &[("number", "06-12345678")]).await;
    let page = reader.get(&world.link(&token)).await;
    assert!(page.shows("+31 6 ••••• 678") && page.shows("Dit is niet mijn nummer"), "that is news again");
    let page = reader.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(reader.press(&page, "Doorgaan", &[("answer", &world.code())]).await.shows("Het besluit is positief."));
}
