//! What every answer promises: headers, links, sessions, forms, scanners, and HTML that is shown.

use super::*;

/// Every address, with what it takes to be shown it.
fn addresses(token: &Token, numbers: &Token, read: &str) -> Vec<String> {
    let mut all =
        vec!["/".to_owned(), "/check".to_owned(), "/health".to_owned(), "/static/zegel.css".to_owned(), "/static/zegel.js".to_owned()];
    all.push(format!("/m/{}", token.in_link().expose()));
    all.push(format!("/n/{}", numbers.in_link().expose()));
    all.push(format!("/s/{}", numbers.in_link().expose()));
    all.extend(
        ["", "/text", "/picture/1", "/file/0", "/file/1", "/view/1", "/view/0", "/view/9", "/all", "/reply", "/sent/x/0"]
            .map(|p| format!("{read}{p}")),
    );
    all.extend(["/sms/twilio", "/sms/messagebird/0123456789abcdef0123456789abcdef?status=delivered", "/sms/x"].map(str::to_owned));
    all.extend(["/m/x", "/n/x", "/s/x", "/r/x", "/x", "/static/x", "/static/..%2f", "/?lang=en", "//", "/health/x"].map(str::to_owned));
    all.push(format!("/m/{}", Token::random().in_link().expose()));
    all.push(format!("/r/{}", Id::random()));
    all.push(format!("{read}/sent/{}/0", Id::random()));
    all
}

/// A world with a message that is open in a browser: the path of its page.
async fn open_world() -> (World, Browser, Token, Token, String) {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, Some("<p>x</p>")).await;
    let (numbers, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    let read = page.url.strip_prefix(&world.url("")).unwrap().to_owned();
    (world, browser, token, numbers, read)
}

#[tokio::test(flavor = "multi_thread")]
async fn get_and_head_leave_the_store_as_it_is() {
    let (world, browser, token, numbers, read) = open_world().await;
    let before = world.everything().await;
    for browser in [&browser, &Browser::new()] {
        for address in addresses(&token, &numbers, &read) {
            for method in [Method::HEAD, Method::GET] {
                browser.ask(method, &world.url(&address), None, &[]).await;
            }
        }
    }
    assert!(before == world.everything().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_bears_the_headers() {
    let (world, browser, token, numbers, read) = open_world().await;
    let mut answers = Vec::new();
    for address in addresses(&token, &numbers, &read) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS] {
            answers.push((format!("{method} {address}"), browser.ask(method, &world.url(&address), None, &[]).await));
        }
    }
    let large = vec![("form".to_owned(), "x".repeat(200_000))];
    answers.push(("large".to_owned(), browser.ask(Method::POST, &world.link(&token), Some(&large), &[]).await));
    answers.push(("host".to_owned(), browser.ask(Method::GET, &world.link(&token), None, &[("host", "evil.example")]).await));
    let statuses: std::collections::BTreeSet<u16> = answers.iter().map(|(_, a)| a.status.as_u16()).collect();
    assert_eq!(statuses, [200, 303, 400, 403, 404, 405, 413, 421].into());
    for (what, answer) in &answers {
        let header = |name: &str| answer.headers.get(name).unwrap_or_else(|| panic!("{what}: no {name}")).to_str().unwrap();
        assert!(header("content-security-policy").contains("default-src 'none'"), "{what}");
        assert!(
            !header("content-security-policy").contains("unsafe-eval") && !header("content-security-policy").contains("script-src 'unsafe")
        );
        assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
        assert_eq!(header("x-robots-tag"), "noindex, nofollow", "{what}");
        assert!(header("permissions-policy").contains("camera=()"), "{what}");
        if !what.contains("/static/zegel.") {
            assert_eq!(header("cache-control"), "no-store", "{what}");
        }
        assert!(answer.headers.get("server").is_none());
    }
    let post_file = answers.iter().find(|(w, _)| w == &format!("PUT {read}/file/0")).unwrap();
    assert_eq!(post_file.1.headers["allow"], "GET, HEAD, POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_open_nothing_look_alike_and_say_what_to_do() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let [buried, _] = world.message(Level::One, None).await;
    let key = Key::message(world.grant(&buried).await.message);
    let gone: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let mut batch = Batch::new();
    batch.put(key, &SealedMessage { state: State::Gone, ..gone }, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    let (numbers, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    let browser = Browser::new();
    let foreign = world.link(&numbers);
    let links =
        [world.link(&Token::random()), world.link(&token), world.link(&buried), foreign, world.url("/m/kort"), world.url("/n/kort")];
    let mut pages = Vec::new();
    for link in &links {
        for form in [None, Some(vec![("do".to_owned(), "open".to_owned()), ("answer".to_owned(), "x".to_owned())])] {
            let method = if form.is_some() { Method::POST } else { Method::GET };
            let page = browser.ask(method, link, form.as_deref(), &[]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{link}");
            pages.push(page.text());
        }
    }
    assert!(pages.iter().all(|p| *p == pages[0]) && pages[0].contains("Vraag de afzender"));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_its_last_day_a_message_can_still_be_read() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    world.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(Browser::new().get(&world.link(&token)).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_from_another_site_does_nothing() {
    let (world, browser, token, numbers, read) = open_world().await;
    let before = world.everything().await;
    let other = world.message(Level::One, None).await;
    let after_message = world.everything().await;
    assert_ne!(before.len(), after_message.len());
    let fresh = world.link(&other[0]);
    let page = browser.get(&fresh).await;
    let (_, good) = page.form("Stuur mijn wachtwoord");
    let without: Vec<_> = good.iter().filter(|(n, _)| n != "form").cloned().collect();
    let of_another = browser.get(&world.link(&other[1])).await.form("Stuur mijn wachtwoord").1;
    for form in [&without, &of_another] {
        assert_eq!(browser.ask(Method::POST, &fresh, Some(form), &[("sec-fetch-site", "same-origin")]).await.status, StatusCode::FORBIDDEN);
    }
    for headers in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        assert_eq!(browser.ask(Method::POST, &fresh, Some(&good), &[headers]).await.status, StatusCode::FORBIDDEN);
    }
    for path in [
        read.clone(),
        format!("{read}/file/0"),
        format!("{read}/view/1"),
        format!("{read}/all"),
        format!("/n/{}", numbers.in_link().expose()),
        format!("/s/{}", numbers.in_link().expose()),
        format!("/m/{}", token.in_link().expose()),
    ] {
        let form =
            [("form".to_owned(), "x".to_owned()), ("do".to_owned(), "send".to_owned()), ("number-0".to_owned(), "0612345678".to_owned())];
        assert_eq!(browser.ask(Method::POST, &world.url(&path), Some(&form), &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(world.everything().await == after_message);
    // With neither header the token alone decides: old browsers.
    assert_eq!(browser.ask(Method::POST, &fresh, Some(&good), &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_its_own_message_only_and_ends() {
    let (world, browser, token, _, read) = open_world().await;
    let [mine, other] = world.message(Level::One, None).await;
    let theirs = format!("/r/{}", lookup_id(&other));
    assert_eq!(browser.get(&world.url(&theirs)).await.status, StatusCode::FORBIDDEN);
    // The same cookie under another message's name.
    let stolen = browser.cookies.lock().unwrap().values().next().unwrap().clone();
    let thief = Browser::new();
    thief.cookies.lock().unwrap().insert(format!("zegel-{}", lookup_id(&other)), stolen);
    assert_eq!(thief.get(&world.url(&theirs)).await.status, StatusCode::FORBIDDEN);
    // Two messages are open side by side.
    assert_eq!(unlock(&world, &browser, &mine).await.status, StatusCode::OK);
    assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::OK);
    // Looking at it keeps it open for an hour more, but not longer than eight.
    for _ in 0..9 {
        world.clock.advance(Duration::from_secs(50 * 60));
        assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::OK);
    }
    world.clock.advance(Duration::from_secs(61 * 60));
    assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::FORBIDDEN);
    assert!(browser.get(&world.link(&token)).await.shows("Stuur mijn wachtwoord"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recalled_closes_at_once() {
    let (world, browser, token, _, read) = open_world().await;
    let mut batch = Batch::new();
    batch.delete(Key::grant(lookup_id(&token)), Expect::Anything);
    world.store.commit(batch).await.unwrap();
    for path in ["", "/text", "/file/0", "/picture/1", "/view/1", "/all"] {
        assert_eq!(browser.get(&world.url(&format!("{read}{path}"))).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_gets_no_file() {
    let (world, browser, _, _, read) = open_world().await;
    for path in ["/file/0", "/picture/1", "/view/1", "/all"] {
        let answer = browser.ask(Method::GET, &world.url(&format!("{read}{path}")), None, &[("sec-fetch-site", "cross-site")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_a_page_that_says_so_never_wrong_content() {
    let (world, browser, token, _, read) = open_world().await;
    let key = Key::message(world.grant(&token).await.message);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let two = [message.blobs[1], message.blobs[2]];
    for blob in two {
        world.blobs.delete(blob).await.unwrap();
    }
    for path in ["", "/text", "/file/0", "/all"] {
        let page = browser.get(&world.url(&format!("{read}{path}"))).await;
        assert!(page.status == StatusCode::INTERNAL_SERVER_ERROR && page.shows("beschadigd"), "{path}");
    }
    assert_eq!(browser.get(&world.url(&format!("{read}/file/1"))).await.octets, PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn html_that_is_too_deep_is_shown_as_text() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, Some(&"<div>".repeat(100_000))).await;
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    assert!(page.shows("te ingewikkeld") && page.shows("Het besluit is positief.") && !page.shows("<iframe"));
    assert_eq!(browser.get(&format!("{}/text", page.url)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_presses_every_button_costs_one_mail_and_gains_nothing() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let scanner = Browser::new();
    for _ in 0..3 {
        let page = scanner.get(&world.link(&token)).await;
        let text = page.text();
        for form in text.split("<form").skip(1) {
            let button = if form.contains("Stuur mijn wachtwoord") {
                "Stuur mijn wachtwoord"
            } else if form.contains("Doorgaan") {
                "Doorgaan"
            } else {
                "Klik hier"
            };
            let answer = scanner.press(&page, button, &[]).await;
            assert!(!answer.shows("positief") && !answer.shows("aanvraag"));
        }
    }
    assert_eq!(world.letters().await.len(), 1);
    // The recipient opens it all the same.
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert!(browser.press(&page, "Doorgaan", &[("answer", &world.password(&token).await)]).await.shows("positief"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_language_that_was_chosen() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let browser = Browser::new();
    let link = world.link(&token);
    assert!(browser.get(&link).await.shows("Stuur mijn wachtwoord"));
    let english = browser.ask(Method::GET, &link, None, &[("accept-language", "it, en-GB;q=0.9, nl;q=0.1")]).await;
    assert!(english.shows("Send my password") && english.shows("<html lang=\"en\">") && english.shows("?lang=nl"));
    for (asked, button) in [("de-AT, nl;q=0.9", "Mein Passwort senden"), ("fr-BE, en", "Envoyer mon mot de passe")] {
        assert!(browser.ask(Method::GET, &link, None, &[("accept-language", asked)]).await.shows(button), "{asked}");
    }
    assert!(browser.get(&format!("{link}?lang=en")).await.shows("Send my password"));
    assert!(browser.get(&link).await.shows("Send my password"), "remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_half_connections_are_closed_and_stopping_waits_for_none() {
    let limits = Limits { head_time: Duration::from_millis(200), form_time: Duration::from_millis(200), ..Limits::default() };
    let world = World::with(limits, None).await;
    let [token, _] = world.message(Level::One, None).await;
    let path = format!("/m/{}", token.in_link().expose());
    let host = world.address;
    let form =
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nfo");
    for (sent, answered) in
        [("", false), ("GET / HT", false), ("PRI", false), ("GET / HTTP/1.1\r\nHost: x\r\nA", false), (form.as_str(), true)]
    {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the portal closes the connection.
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 400"), answered || answer.starts_with(b"HTTP/1.1 400"), "{sent:?}");
    }
    // A connection that is kept open does not hold up the end.
    let idle = TcpStream::connect(host).await.unwrap();
    world.stop.send(true).unwrap();
    world.served.await.unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_phone_number_never_reaches_a_page() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let number = PhoneNumber::from_stored("+31612345954").unwrap();
    let page = Browser::new().get(&world.link(&token)).await;
    assert!(page.shows(&number.masked()) && !page.shows("345954"));
}
