//! Who holds a link and guesses, from many addresses, over nodes and a restart; and who tries to learn of links by what an answer is like.

use super::*;
use std::time::Instant;

/// Addresses that a reverse proxy tells.
const ADDRESSES: usize = 100;

/// Of these each guesses this often.
const ROUNDS: usize = 100;

/// What passes between two rounds: all of them fall within a day.
const PAUSE: Duration = Duration::from_secs(14 * 60);

/// Codes that one recipient gets within a day, and tries for each (product.md, Numbers).
const MOST_CODES: usize = 20;
const MOST_TRIES: usize = 5;

fn from(address: usize) -> String {
    format!("198.51.100.{address}")
}

/// One form, as a stranger behind a proxy sends it; what it comes to.
async fn post(client: &reqwest::Client, url: &str, fields: &[(String, String)], address: usize) -> StatusCode {
    let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", &from(address))];
    let browser = Browser { client: client.clone(), cookies: Arc::default() };
    browser.ask(Method::POST, url, Some(fields), &headers).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_guesses_stay_within_the_limits_over_nodes_and_a_restart() {
    let mut world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let text = world.folder.path().join("sms.jsonl");
    let (other, _) = world.node(Limits::default(), sms::Sender::file(text.clone())).await;
    let mut nodes = [world.address, other];
    let path = format!("/m/{}", token.in_link().expose());
    let (_, ask) = Browser::new().get(&world.link(&token)).await.form("Stuur mijn SMS-code");
    let client = Browser::new().client;
    let mut guess = ask.clone();
    for (name, value) in &mut guess {
        if name == "do" {
            "open".clone_into(value);
        }
    }
    guess.push(("answer".to_owned(), String::new()));
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            world.stop.send(true).unwrap();
            (&mut world.served).await.unwrap();
            world.stop = watch::channel(false).0;
            (world.address, world.served) = world.node(Limits::default(), sms::Sender::file(text.clone())).await;
            nodes = [world.address, world.node(Limits::default(), sms::Sender::file(text.clone())).await.0];
        }
        world.clock.advance(PAUSE);
        post(&client, &format!("http://{}{path}", nodes[round % 2]), &ask, round % ADDRESSES).await;
        // Never the right one: what is counted is how many are compared.
        let wrong = if world.sms().last().is_some_and(|text| text.starts_with("000000")) { "111111" } else { "000000" };
        guess.last_mut().unwrap().1 = wrong.to_owned();
        let mut guesses = tokio::task::JoinSet::new();
        for address in 0..ADDRESSES {
            let (url, guess) = (format!("http://{}{path}", nodes[address % 2]), guess.clone());
            let client = client.clone();
            guesses.spawn(async move { post(&client, &url, &guess, address).await });
        }
        for status in guesses.join_all().await {
            assert!(matches!(status.as_u16(), 422 | 429 | 503), "{status}");
        }
    }
    let (compared, codes) = (count(&world, Fact::WrongTry).await, world.sms().len());
    assert!(compared > 0 && compared <= MOST_CODES * MOST_TRIES && codes <= MOST_CODES, "{compared} compared, {codes} codes");
    // Nothing of the message is lost by it: two days later its recipient reads it.
    world.clock.advance(Duration::from_secs(2 * 24 * 3600));
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(browser.press(&page, "Doorgaan", &[("answer", &world.code())]).await.shows("Het besluit is positief."));
}

/// As [`World::count`], of however many events.
async fn count(world: &World, fact: Fact) -> usize {
    let rows = world.store.list(&KeyRange::under("event"), usize::MAX).await.unwrap();
    rows.iter().filter(|(key, record)| record.read::<Event>(key).unwrap().what == fact).count()
}

/// Requests of each of four kinds by each of two methods, in turn: 2000 in all.
const SAMPLES: usize = 250;

/// How much longer one kind may take than another, by their medians in one run: what a hash of a password costs more is thirty times.
const APART: f64 = 2.0;

#[tokio::test(flavor = "multi_thread")]
async fn links_that_open_nothing_take_as_long() {
    let world = World::new().await;
    let [expired, _] = world.message(Level::One, None).await;
    let (another, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    let [recalled, _] = world.message(Level::One, None).await;
    let key = Key::message(world.grant(&recalled).await.message);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let mut batch = Batch::new();
    batch.put(key, &SealedMessage { state: State::Gone, ..message }, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    let form = [("do".to_owned(), "open".to_owned()), ("answer".to_owned(), "k7mp3xqa9dtz".to_owned())];
    for form in [None, Some(&form[..])] {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let browser = Browser::new();
        let mut times: [Vec<Duration>; 4] = Default::default();
        for _ in 0..SAMPLES {
            let links = [world.link(&Token::random()), world.link(&expired), world.link(&recalled), world.link(&another)];
            for (link, times) in links.iter().zip(&mut times) {
                let begun = Instant::now();
                let status = browser.ask(method.clone(), link, form, &[]).await.status;
                times.push(begun.elapsed());
                assert_eq!(status, StatusCode::NOT_FOUND);
            }
        }
        let medians = times.map(|mut of| {
            of.sort();
            of[SAMPLES / 2].as_secs_f64()
        });
        let (least, most) = (medians.iter().copied().fold(f64::MAX, f64::min), medians.iter().copied().fold(0.0, f64::max));
        assert!(most / least < APART, "unknown, expired, recalled, another's: {medians:?}");
    }
}
