//! What a recipient does to read, and a sender to give numbers, by forms alone.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_reads_at_level_one_by_forms_alone() {
    let world = World::new().await;
    let html = "<h1>Besluit</h1><p onclick=\"x()\">Het besluit is <b>positief</b>.<img src=\"cid:logo@x\"><img src=\"https://x.example/p.gif\"></p>";
    let [token, _] = world.message(Level::One, Some(html)).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows(SENDER) && page.shows("b•••@elders.example") && !page.shows(RECIPIENT) && !page.shows("positief"));
    let page = browser.press(&page, "Stuur mijn wachtwoord", &[]).await;
    assert!(page.shows("Voer wachtwoord in") && page.shows("Klik hier om een nieuwe te ontvangen"));
    let wrong = browser.press(&page, "Doorgaan", &[("answer", "aaaa bbbb cccc")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.shows("Dit wachtwoord klopt niet. U kunt het nog 4 keer proberen.") && wrong.shows("<title>Fout: "));
    let password = world.password(&token).await.to_uppercase();
    let page = browser.press(&wrong, "Doorgaan", &[("answer", &format!(" {} {} ", &password[..6], &password[6..]))]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.url.contains("/r/") && !page.url.contains(token.in_link().expose()));
    assert!(
        page.shows("Uw &lt;b&gt;aanvraag&lt;/b&gt;")
            && page.shows("Anna de Vries")
            && page.shows("zojuist")
            && page.shows("overzicht één.xlsx")
    );

    let frame = browser.get(&format!("{}/text", page.url)).await;
    assert!(frame.shows("<b>positief</b>") && !frame.shows("onclick") && !frame.shows("x.example"));
    let policy = frame.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox allow-popups") && policy.contains("default-src 'none'") && !policy.contains("allow-scripts"));
    let picture = browser.get(&format!("{}/picture/1", page.url)).await;
    assert_eq!((picture.octets.as_slice(), &picture.headers["content-type"]), (PNG, &"image/png".parse().unwrap()));
    assert_eq!(browser.get(&format!("{}/picture/2", page.url)).await.status, StatusCode::NOT_FOUND);

    let file = browser.press(&page, "overzicht één.xlsx", &[]).await;
    assert!(file.octets == workbook(), "byte for byte");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"overzicht een.xlsx\"; filename*=UTF-8''overzicht%20%C3%A9%C3%A9n.xlsx"
    );
    assert_eq!(file.headers["content-length"], "2345678");
    for fact in [Fact::WrongTry, Fact::Unlocked, Fact::Read, Fact::Downloaded] {
        assert_eq!(world.count(fact).await, 1, "{fact:?}");
    }

    let left = browser.press(&page, "Sluiten", &[]).await;
    assert!(left.shows("Bericht gesloten"));
    assert_eq!(browser.get(&page.url).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_reads_at_level_two_by_sms() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert!(page.shows("+31 6 ••••• 954") && !page.shows("12345954"));
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(page.shows("Voer SMS-code in") && page.shows("inputmode=\"numeric\"") && page.shows("autocomplete=\"one-time-code\""));
    let code = world.code();
    let read = browser.press(&page, "Doorgaan", &[("answer", &format!("{} {}", &code[..3], &code[3..]))]).await;
    assert!(read.shows("Het besluit is positief."), "{}", read.text());
    assert_eq!((world.count(Fact::CodeSent).await, world.count(Fact::Unlocked).await), (1, 1));
    assert_eq!(world.grant(&token).await.read, Some(world.clock.now()));
    // The code is used up, for every browser.
    let again = browser.press(&page, "Doorgaan", &[("answer", &code)]).await;
    assert!(again.shows("al gebruikt") && again.status == StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_gives_the_numbers_and_the_message_goes_out_at_once() {
    let world = World::new().await;
    let waiting = [(RECIPIENT, Level::Two, None), (OTHER, Level::Two, None), ("derde@elders.example", Level::Two, Some("+31687654321"))];
    let (token, id) = world.held(&waiting).await;
    let (browser, link) = (Browser::new(), world.url(&format!("/n/{}", token.in_link().expose())));
    let page = browser.get(&link).await;
    assert!(
        page.shows(RECIPIENT) && page.shows(OTHER) && !page.shows("derde@") && page.shows("nog één ontvanger") && !page.shows("aanvraag")
    );
    let page = browser.press(&page, "Opslaan en verzenden", &[("number-0", "06 12345954"), ("number-1", "020 624 1111\"<")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("geen bestaand telefoonnummer") || page.shows("geen sms"), "{}", page.text());
    assert!(page.shows("value=\"06 12345954\"") && page.shows("value=\"020 624 1111&quot;&lt;\"") && page.shows("aria-invalid=\"true\""));
    let empty = browser.press(&page, "Opslaan en verzenden", &[("number-1", " ")]).await;
    assert!(empty.shows("Vul een mobiel nummer in.") && world.letters().await.is_empty());

    // Two clicks at once: one release.
    let fill = || browser.press(&page, "Opslaan en verzenden", &[("number-0", "06 12345954"), ("number-1", "+32 470 12 34 56")]);
    let (one, two) = tokio::join!(fill(), fill());
    assert!(one.shows("Je bericht is verzonden") && two.shows("Je bericht is verzonden"), "{}", two.text());
    let letters = world.letters().await;
    assert_eq!(letters.len(), 3);
    let mut told = Vec::new();
    for letter in &letters {
        let Letter::Notification { token, recipient, subject, envelope_from, level, .. } = letter else { panic!("notifications only") };
        assert!(subject.is_none() && *envelope_from == Address::parse(SENDER).ok() && *level == Level::Two);
        told.push(recipient.to_string());
        let page = browser.get(&world.link(token)).await;
        assert!(page.shows("Stuur mijn SMS-code"));
    }
    told.sort();
    assert_eq!(told, [RECIPIENT, OTHER, "derde@elders.example"]);
    let key = Key::message(id);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    assert_eq!(message.state, State::Sent);
    assert!(world.store.list(&KeyRange::waiting_of(id), 10).await.unwrap().is_empty());
    // The given numbers are remembered, for the address in any spelling.
    let key = Key::phone(&world.keyring.master().address_hash(&Address::parse("Buur@Elders.example").unwrap()));
    let known: KnownPhone = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let phone = world.keyring.master().open_field("phone", &key, &known.phone).unwrap();
    assert_eq!(phone.expose(), "+32470123456");
    assert_eq!((world.count(Fact::PhoneSet).await, world.count(Fact::Released).await), (2, 1));
}
