//! Codes by SMS over providers: how each is asked, what becomes of the recipient when it fails, what it may report, and what it may cost.

use super::*;
use crate::carrier::{ALL, Carrier, Fails, Forged};
use zegel::{
    metrics::Metrics,
    phone::Countries,
    record::{SmsFate, SpentSms},
    sms::{Sender, Times},
};

const BUTTON: &str = "Stuur mijn SMS-code";
const AGAIN: &str = "Klik hier om een nieuwe te ontvangen";

/// No test waits because a provider asks for it; `all` is how long an answer is waited for.
fn times(all: Duration) -> Times {
    Times { all, connect: all / 4, pause: Duration::ZERO, ..Times::default() }
}

fn sender(carriers: &[&Carrier], all: Duration) -> Sender {
    Sender::over(carriers.iter().map(|c| c.account()).collect(), times(all)).unwrap()
}

async fn world(carriers: &[&Carrier]) -> World {
    World::with(Limits::default(), Some(sender(carriers, Duration::from_secs(60)))).await
}

async fn press(world: &World, browser: &Browser, token: &Token) -> Answer {
    let page = browser.get(&world.link(token)).await;
    let button = if page.shows(BUTTON) { BUTTON } else { AGAIN };
    browser.press(&page, button, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_is_asked_as_it_says_and_its_code_opens_the_message() {
    for name in ALL {
        let carrier = Carrier::start(name, &[]).await;
        let world = world(&[&carrier]).await;
        let [token, _] = world.message(Level::Two, None).await;
        let browser = Browser::new();
        let page = press(&world, &browser, &token).await;
        assert!(page.shows("een sms gestuurd"), "{name}: {}", page.text());
        let taken = carrier.taken();
        assert_eq!((carrier.asked(), taken.len()), (1, 1), "{name}");
        assert!(taken[0].to.ends_with("31612345954"), "{name}: {}", taken[0].to);
        let (code, text) = (carrier.last_code(), &taken[0].text);
        assert!(text.starts_with(&code) && text.ends_with(&format!("\n@127.0.0.1 #{code}")) && text.chars().count() <= 160, "{text}");
        assert_eq!(world.challenge(&token).await.unwrap().sms.map(|id| id.to_string()), Some(taken[0].reference.clone()), "{name}");
        // A second click, and another one by a scanner, send nothing.
        press(&world, &Browser::new(), &token).await;
        assert_eq!(carrier.asked(), 1);
        assert!(browser.press(&page, "Doorgaan", &[("answer", &code)]).await.shows("Het besluit is positief."), "{name}");
    }
}

/// What the recipient and the providers see of one press.
struct Seen {
    /// What the page says.
    says: &'static str,
    /// How often each provider was asked.
    asked: [usize; 2],
    /// How often each took the SMS.
    taken: [usize; 2],
    /// Whether the code works afterwards.
    pending: bool,
    fact: Fact,
}

const SENT: &str = "een sms gestuurd";
const UNSURE: &str = "niet zeker of de sms";
const LATER: &str = "kunt u het opnieuw proberen";

fn gone(says: &'static str, asked: [usize; 2]) -> Seen {
    Seen { says, asked, taken: [0, 0], pending: false, fact: Fact::CodeFailed }
}

fn sent(says: &'static str, asked: [usize; 2], taken: [usize; 2]) -> Seen {
    let fact = if says == UNSURE { Fact::CodeUnsure } else { Fact::CodeSent };
    Seen { says, asked, taken, pending: true, fact }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_lost_or_sent_twice_whatever_a_provider_does() {
    use Fails::{Account, BadNumber, Busy, Down, Garbage, Hangs, OptedOut, Redirect, SlowBody, TooLarge};
    let table: Vec<(&[Fails], &[Fails], Seen)> = vec![
        (&[], &[], sent(SENT, [1, 0], [1, 0])),
        // Nothing was sent: once more, then the other one.
        (&[Busy(0)], &[], sent(SENT, [2, 0], [1, 0])),
        (&[Down(500)], &[], sent(SENT, [2, 0], [1, 0])),
        (&[Busy(0), Busy(0)], &[], sent(SENT, [2, 1], [0, 1])),
        (&[Down(503), Down(502)], &[], sent(SENT, [2, 1], [0, 1])),
        (&[Busy(60)], &[], sent(SENT, [1, 1], [0, 1])),
        (&[Account], &[], sent(SENT, [1, 1], [0, 1])),
        (&[Redirect], &[], sent(SENT, [1, 1], [0, 1])),
        (&[Busy(60)], &[Down(500), Down(500)], gone(LATER, [1, 2])),
        (&[Account], &[Account], gone(LATER, [1, 1])),
        // It is the number: another provider would not help.
        (&[BadNumber], &[], gone("kan geen sms gestuurd worden", [1, 0])),
        (&[OptedOut], &[], gone("van deze afzender gestopt", [1, 0])),
        (&[Busy(0), BadNumber], &[], gone("kan geen sms gestuurd worden", [2, 0])),
        // It has taken the SMS, whatever it says: never again.
        (&[Garbage], &[], sent(SENT, [1, 0], [1, 0])),
        (&[TooLarge], &[], sent(SENT, [1, 0], [1, 0])),
        (&[SlowBody], &[], sent(SENT, [1, 0], [1, 0])),
        // Nobody knows: the code stays good, and nothing is sent again.
        (&[Hangs], &[], sent(UNSURE, [1, 0], [1, 0])),
        (&[Down(504)], &[], sent(UNSURE, [1, 0], [0, 0])),
        (&[Busy(0), Hangs], &[], sent(UNSURE, [2, 0], [1, 0])),
        (&[Busy(60)], &[Hangs], sent(UNSURE, [1, 1], [0, 1])),
    ];
    for (first_fails, second_fails, seen) in table {
        let what = format!("{first_fails:?} {second_fails:?}");
        let (first, second) = (Carrier::start("twilio", first_fails).await, Carrier::start("cm", second_fails).await);
        let never = first_fails.iter().chain(second_fails).any(|f| matches!(f, Hangs | SlowBody));
        let all = Duration::from_secs(if never { 3 } else { 60 });
        let world = World::with(Limits::default(), Some(sender(&[&first, &second], all))).await;
        let [token, _] = world.message(Level::Two, None).await;
        let browser = Browser::new();
        let page = press(&world, &browser, &token).await;
        assert!(page.shows(seen.says), "{what}: {}", page.text());
        assert_eq!([first.asked(), second.asked()], seen.asked, "{what}");
        assert_eq!([first.taken().len(), second.taken().len()], seen.taken, "{what}");
        assert_eq!((world.challenge(&token).await.is_some(), world.facts().await), (seen.pending, vec![seen.fact]), "{what}");
        if let Some(carrier) = [&first, &second].into_iter().find(|c| !c.taken().is_empty()) {
            let page = browser.get(&world.link(&token)).await;
            let opened = browser.press(&page, "Doorgaan", &[("answer", &carrier.last_code())]).await;
            assert!(opened.shows("Het besluit is positief."), "{what}: the code that arrived opens the message");
        }
        let spent = usize::from(seen.pending);
        assert_eq!(usize::try_from(today(&world).await).unwrap(), spent, "{what}");
    }
}

async fn today(world: &World) -> u32 {
    let key = Key::spent_sms();
    world.store.get(&key).await.unwrap().map_or(0, |r| r.read::<SpentSms>(&key).unwrap().count)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_providers_fail_the_page_says_when_to_try_again_and_then_it_works() {
    // Nobody listens there.
    let mut nowhere = Carrier::start("twilio", &[]).await;
    nowhere.address = "127.0.0.1:1".parse().unwrap();
    let second = Carrier::start("spryng", &[Fails::Busy(90)]).await;
    let world = world(&[&nowhere, &second]).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    // It is 09:26:40 in Amsterdam. The second wants 90 s, the first may be asked again at once, so a minute it is.
    let page = press(&world, &browser, &token).await;
    assert!(page.status == StatusCode::SERVICE_UNAVAILABLE && page.shows("Na 09:28 uur kunt u het opnieuw proberen"), "{}", page.text());
    let visitor = Browser::new();
    let english = visitor.get(&format!("{}?lang=en", world.link(&token))).await;
    let english = visitor.press(&english, "Send my SMS code", &[]).await;
    assert!(english.shows("You can try again after 09:28"), "{}", english.text());
    // However often he presses: neither his turns nor the organisation's are used up.
    for _ in 0..8 {
        assert!(press(&world, &browser, &token).await.shows(LATER));
    }
    assert_eq!((second.asked(), today(&world).await), (1, 0), "who wants to be left alone is");
    assert!(world.store.list(&KeyRange::under("rate"), 10).await.unwrap().is_empty());
    world.clock.advance(Duration::from_secs(90));
    assert!(press(&world, &browser, &token).await.shows(SENT));
    assert_eq!(second.taken().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_silence_the_next_press_sends_a_new_code_and_a_report_ends_the_doubt() {
    let carrier = Carrier::start("twilio", &[Fails::Hangs]).await;
    let world = World::with(Limits::default(), Some(sender(&[&carrier], Duration::from_secs(2)))).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    assert!(press(&world, &browser, &token).await.shows(UNSURE));
    let first = carrier.last_code();
    carrier.report(&world.url(""), true, Forged::Not, world.clock.now()).await;
    assert!(browser.get(&world.link(&token)).await.shows(SENT));
    world.clock.advance(Duration::from_secs(31));
    assert!(press(&world, &browser, &token).await.shows(SENT));
    let page = browser.get(&world.link(&token)).await;
    assert!(first == carrier.last_code() || browser.press(&page, "Doorgaan", &[("answer", &first)]).await.shows("klopt niet"));
    assert!(browser.press(&page, "Doorgaan", &[("answer", &carrier.last_code())]).await.shows("Het besluit is positief."));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_silence_the_next_press_asks_the_other_provider() {
    let (first, second) = (Carrier::start("twilio", &[Fails::Hangs]).await, Carrier::start("spryng", &[]).await);
    let world = World::with(Limits::default(), Some(sender(&[&first, &second], Duration::from_secs(2)))).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    assert!(press(&world, &browser, &token).await.shows(UNSURE));
    world.clock.advance(Duration::from_secs(31));
    let page = press(&world, &browser, &token).await;
    assert_eq!((first.asked(), second.asked()), (1, 1));
    assert!(browser.press(&page, "Doorgaan", &[("answer", &second.last_code())]).await.shows("Het besluit is positief."));
}

async fn fate(world: &World, carrier: &Carrier) -> SmsFate {
    let key = Key::sms(Id::parse(&carrier.taken().pop().unwrap().reference).unwrap());
    world.store.get(&key).await.unwrap().unwrap().read::<zegel::record::SentSms>(&key).unwrap().fate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_report_is_told_the_recipient_and_a_forged_one_changes_nothing() {
    for name in ALL {
        let carrier = Carrier::start(name, &[]).await;
        let world = world(&[&carrier]).await;
        let [token, _] = world.message(Level::Two, None).await;
        let browser = Browser::new();
        press(&world, &browser, &token).await;
        let (portal, now) = (world.url(""), world.clock.now());
        let before = world.everything().await;
        for forged in [Forged::Unsigned, Forged::OtherSecret, Forged::Changed, Forged::Old, Forged::Unknown] {
            if carrier.signs(forged) {
                assert_eq!(carrier.report(&portal, false, forged, now).await, (200, "ok\n".to_owned()), "{name} {forged:?}");
                assert!(before == world.everything().await, "{name}: a report changed something though it was {forged:?}");
            }
        }
        for _ in 0..2 {
            assert_eq!(carrier.report(&portal, false, Forged::Not, now).await, (200, "ok\n".to_owned()), "{name}");
        }
        assert_eq!((fate(&world, &carrier).await, world.count(Fact::CodeUndelivered).await), (SmsFate::Undelivered, 1), "{name}");
        let page = browser.get(&world.link(&token)).await;
        assert!(
            page.shows("niet aangekomen op +31 6 ••••• 954") && page.shows("Vraag de afzender") && page.shows(AGAIN),
            "{name}: {}",
            page.text()
        );
        let letters = world.letters().await;
        let [Letter::Undelivered { sender, recipient, phone, .. }] = &letters[..] else { panic!("{name}: the sender is told once") };
        assert_eq!((sender.as_str(), recipient.as_str(), phone.as_str()), (SENDER, RECIPIENT, "+31 6 ••••• 954"));
        // It may arrive after all; then that stays.
        carrier.report(&portal, true, Forged::Not, now).await;
        carrier.report(&portal, false, Forged::Not, now).await;
        assert_eq!((fate(&world, &carrier).await, world.count(Fact::CodeDelivered).await), (SmsFate::Delivered, 1), "{name}");
        assert!(!browser.get(&world.link(&token)).await.shows("niet aangekomen"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reports_by_get_or_head_who_has_no_signature() {
    let (first, second) = (Carrier::start("twilio", &[]).await, Carrier::start("messagebird", &[]).await);
    let world = world(&[&first, &second]).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    press(&world, &browser, &token).await;
    let reference = first.taken()[0].reference.clone();
    let before = world.everything().await;
    for (path, get) in [("twilio", 405), ("messagebird", 200), ("file", 405)] {
        let url = world.url(&format!("/sms/{path}/{reference}?status=delivered&MessageStatus=delivered&key="));
        for (method, status) in [(Method::GET, get), (Method::HEAD, 405), (Method::PUT, 405), (Method::POST, 200)] {
            assert_eq!(browser.ask(method.clone(), &url, None, &[]).await.status.as_u16(), status, "{method} {path}");
        }
    }
    let large = vec![("x".to_owned(), "y".repeat(100_000))];
    assert_eq!(browser.ask(Method::POST, &world.url("/sms/twilio"), Some(&large), &[]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(before == world.everything().await);
}

fn limited(carrier: &Carrier, countries: Countries, per_day: u32) -> (Sender, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    let limits = sms::Limits::new(countries, per_day, 50);
    (sender(&[carrier], Duration::from_secs(60)).within(limits, metrics.clone()), metrics)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisations_day_is_bounded_over_nodes_and_ends() {
    let carrier = Carrier::start("twilio", &[]).await;
    let world = World::with(Limits::default(), Some(limited(&carrier, Countries::default(), 3).0)).await;
    let (other, _) = world.node(Limits::default(), limited(&carrier, Countries::default(), 3).0).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.extend(world.message(Level::Two, None).await);
    }
    // Everybody at once, over two nodes. The recipients' own limits are wider than this.
    let mut presses = tokio::task::JoinSet::new();
    for (n, token) in tokens.iter().enumerate() {
        let link = world.link(token);
        let link = if n % 2 == 0 { link } else { link.replace(&world.address.to_string(), &other.to_string()) };
        presses.spawn(async move {
            let browser = Browser::new();
            let page = browser.get(&link).await;
            browser.press(&page, BUTTON, &[]).await.text()
        });
    }
    let pages = presses.join_all().await;
    assert_eq!(pages.iter().filter(|p| p.contains(SENT)).count(), 3);
    let spent = "Er zijn vandaag te veel sms&#x27;jes verstuurd";
    assert_eq!(pages.iter().filter(|p| p.contains(spent) || p.contains("vandaag te veel")).count(), 5, "{pages:?}");
    assert_eq!(carrier.asked(), 3);
    // Another day, and a node that was just started.
    world.clock.advance(Duration::from_secs(24 * 3600));
    let (sms, metrics) = limited(&carrier, Countries::default(), 3);
    let (fresh, _) = world.node(Limits::default(), sms).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&tokens[0]).replace(&world.address.to_string(), &fresh.to_string())).await;
    assert!(browser.press(&page, BUTTON, &[]).await.shows(SENT));
    assert_eq!(today(&world).await, 1);
    // Half of three gives an alarm.
    for line in ["zegel_sms_today 1", "zegel_sms_per_day 3", "zegel_sms_alarm 1", "zegel_sms_total{provider=\"twilio\",outcome=\"sent\"} 1"]
    {
        assert!(metrics.text().lines().any(|l| l == line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_country_that_the_organisation_does_not_list() {
    let carrier = Carrier::start("twilio", &[]).await;
    let (sms, _) = limited(&carrier, Countries::of(["BE"]).unwrap(), 100);
    let world = World::with(Limits::default(), Some(sms)).await;
    let [token, _] = world.message(Level::Two, None).await;
    let page = press(&world, &Browser::new(), &token).await;
    assert!(page.shows("Naar het land van dit nummer sturen we geen sms") && carrier.asked() == 0 && today(&world).await == 0);
    // Nor does the number page take one.
    let (numbers, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    let browser = Browser::new();
    let page = browser.get(&world.url(&format!("/n/{}", numbers.in_link().expose()))).await;
    let page = browser.press(&page, "Opslaan en verzenden", &[("number-0", "0612345678")]).await;
    assert!(page.shows("Naar dit land sturen we geen sms"), "{}", page.text());
    let page = browser.press(&page, "Opslaan en verzenden", &[("number-0", "+32 470 12 34 56")]).await;
    assert!(page.shows("verzonden"), "{}", page.text());
}
