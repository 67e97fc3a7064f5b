//! Mail that comes back: what was judged passes once more without a second judgement, what goes in circles ends, and a mark is worth nothing in
//! another mail or for other recipients.

use crate::world::{ANNA, BURGER, BUUR, COLLEGA, World, contains, mail};
use std::{path::Path, time::Duration};
use zegel::{config::Config, message::Message};

/// Adds words to `[smtp]`.
pub fn smtp_words(folder: &Path, words: &str) {
    let file = folder.join("zegel.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[smtp]\n", &format!("[smtp]\n{words}\n"))).unwrap();
}

async fn marking() -> World {
    World::with(|folder| smtp_words(folder, "loop_header = true"), |opened| opened).await
}

/// Only outside does the word protect: so one mail has both kinds of recipients.
fn protects_outside(folder: &Path, more: &str) {
    std::fs::create_dir_all(folder.join("policies")).unwrap();
    let policy = "[[policy]]\nname = \"woord\"\nwhen = { rule = \"activation-word\", to = \"external\" }\nthen = \"level 1\"\n\
                  [[policy]]\nname = \"onleesbaar\"\nwhen = { problem = [\"damaged\"], to = \"external\" }\nthen = \"level 1\"\n";
    std::fs::write(folder.join("policies/test.toml"), format!("{policy}{more}")).unwrap();
}

/// From now on every mail that is judged is refused.
fn refuse_all(world: &World) {
    protects_outside(world.folder.path(), "[[policy]]\nname = \"alles\"\nwhen = { from = \"internal\" }\nthen = \"block\"\n");
    let config = Config::load(&world.folder.path().join("zegel.toml")).unwrap_or_else(|faults| panic!("{faults:#?}"));
    world.running.reload(config);
}

fn marks(octets: &[u8]) -> Vec<String> {
    let fields = Message::new(octets.to_vec().into()).header_fields();
    fields.into_iter().filter(|(name, _)| name == "X-Zegel-Processed").map(|(_, value)| value).collect()
}

/// Sends a clean mail to a colleague; as it comes out.
async fn once(world: &World, octets: &[u8]) -> Vec<u8> {
    let before = world.delivered_to(COLLEGA).len();
    assert_eq!(world.send(ANNA, &[COLLEGA], octets).await.code(), 250);
    world.mails_for(COLLEGA, before + 1).await.last().unwrap().octets.to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_mail_that_comes_back_is_not_judged_twice_and_ends_the_third_time() {
    let world = marking().await;
    let clean = mail("Vergadering", "Dinsdag.");
    let first = once(&world, clean.as_bytes()).await;
    assert!(first.ends_with(clean.as_bytes()), "it is only prepended to");
    assert_eq!(marks(&first).len(), 1);

    refuse_all(&world);
    assert_eq!(world.send(ANNA, &[COLLEGA], mail("Vergadering", "Woensdag.").as_bytes()).await.code(), 550);
    // What held for everybody holds for others than the first time as well.
    assert_eq!(world.send(ANNA, &[BUUR], &first).await.code(), 250);
    let second = world.mails_for(BUUR, 1).await[0].octets.to_vec();
    assert_eq!(marks(&second).len(), 2);
    let third = world.send(ANNA, &[BUUR], &second).await;
    assert!(third.to_string().starts_with("554 5.4.6 "), "{third}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_worth_nothing_in_another_mail_nor_after_a_week() {
    let world = marking().await;
    let first = String::from_utf8(once(&world, mail("Vergadering", "Dinsdag.").as_bytes()).await).unwrap();
    refuse_all(&world);
    let judged = async |octets: &str| world.send(ANNA, &[BUUR], octets.as_bytes()).await.code() == 550;
    let token_at = first.find("X-Zegel-Processed: 1;").unwrap() + 30;
    let other_letter = if &first[token_at..=token_at] == "A" { "B" } else { "A" };
    for (what, changed) in [
        ("subject", first.replace("Subject: Vergadering", "Subject: [beveiligd] Vergadering")),
        ("a second subject", first.replace("Subject:", "Subject: x\r\nSubject:")),
        ("from", first.replace("From: Anna de Vries", "From: Directie")),
        ("message-id", first.replace("Message-ID: <", "Message-ID: <x")),
        ("body", first.replace("Dinsdag.", "Dinsdag. BSN 111222333")),
        ("how the body is read", first.replace("charset=utf-8", "charset=utf-8\r\nContent-Transfer-Encoding: base64")),
        ("a label", first.replace("MIME-Version", "Sensitivity: Company-Confidential\r\nMIME-Version")),
        ("a line that is no field", first.replace("MIME-Version", "zomaar iets\r\nMIME-Version")),
        ("key id", first.replace("X-Zegel-Processed: 1;", "X-Zegel-Processed: 2;")),
        ("the mark itself", format!("{}{other_letter}{}", &first[..token_at], &first[token_at + 1..])),
    ] {
        assert_ne!(changed, first, "{what}");
        assert!(judged(&changed).await, "{what}");
    }
    // Servers on the way add fields and fold them anew: that changes nothing.
    let on_the_way =
        format!("Received: from x by y; Mon, 12 Oct 2026 09:30:00 +0200\r\nX-MS: 1\r\n{}", first.replace("Anna de", "Anna\r\n de"));
    assert!(!judged(&on_the_way).await);
    world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    assert!(judged(&first).await, "after a week");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_internal_copy_of_a_mixed_mail_does_not_pass_when_it_is_redirected_outside() {
    let write = |folder: &Path| {
        smtp_words(folder, "loop_header = true");
        protects_outside(folder, "");
    };
    let world = World::with(write, |opened| opened).await;
    let body = "Het besluit is positief.";
    let mixed = mail("[beveiligd] Besluit", body);
    assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], mixed.as_bytes()).await.code(), 250);
    let copy = world.mails_for(COLLEGA, 1).await[0].octets.to_vec();
    assert_eq!(marks(&copy).len(), 1);
    // To the same colleague it passes as it is.
    assert_eq!(world.send(ANNA, &[COLLEGA], &copy).await.code(), 250);
    assert_eq!(marks(&world.mails_for(COLLEGA, 2).await[1].octets).len(), 2);
    // To somebody outside, alone or beside the colleague, it is judged, and sealed.
    for to in [&[BUUR][..], &["derde@post.example", COLLEGA][..]] {
        assert_eq!(world.send(ANNA, to, &copy).await.code(), 250);
        let came = &world.mails_for(to[0], 1).await[0];
        assert!(!contains(&came.octets, body.as_bytes()) && came.link(&world.portal).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_findings_is_judged_again_where_a_policy_needs_none() {
    let write = |folder: &Path| {
        smtp_words(folder, "loop_header = true");
        protects_outside(
            folder,
            "[[policy]]\nname = \"buur\"\nwhen = { to = { addresses = [\"buur@post.example\"] } }\nthen = \"level 1\"\n",
        );
    };
    let world = World::with(write, |opened| opened).await;
    let first = once(&world, mail("Vergadering", "Dinsdag.").as_bytes()).await;
    assert_eq!(world.send(ANNA, &[BUUR], &first).await.code(), 250);
    assert!(!contains(&world.mails_for(BUUR, 1).await[0].octets, b"Dinsdag."));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_marked_only_where_it_is_configured_with_the_secret_at_the_end() {
    let world = World::new().await;
    assert!(marks(&once(&world, mail("Vergadering", "Dinsdag.").as_bytes()).await).is_empty());
    let write = |folder: &Path| {
        smtp_words(folder, "loop_header = true\nloop_secret_file = \"geheim\"");
        std::fs::write(folder.join("geheim"), "0123456789abcdefABCDEF\n").unwrap();
    };
    let world = World::with(write, |opened| opened).await;
    let came = once(&world, mail("Vergadering", "Dinsdag.").as_bytes()).await;
    let [mark] = &marks(&came)[..] else { panic!("one mark") };
    let words: Vec<&str> = mark.split(';').collect();
    assert!(matches!(words[..], ["1", mac, time, "0123456789abcdefABCDEF"] if mac.len() == 64 && time.len() == 10), "{mark}");
    assert!(came.starts_with(b"Received: "), "the trace header stays on top");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_passed_too_many_servers_is_refused() {
    let world = World::with(|folder| smtp_words(folder, "max_received = 10"), |opened| opened).await;
    let received = "Received: from a by b; Mon, 12 Oct 2026 09:30:00 +0200\r\n";
    let sent = async |times: usize| {
        let octets = received.repeat(times) + &mail("Vergadering", "Dinsdag.");
        world.send(ANNA, &[COLLEGA], octets.as_bytes()).await.to_string()
    };
    assert!(sent(10).await.starts_with("250 "));
    assert!(sent(11).await.starts_with("554 5.4.6 "));
    let world = marking().await;
    let first = once(&world, mail("Vergadering", "Dinsdag.").as_bytes()).await;
    let circled = [received.repeat(60).into_bytes(), first].concat();
    assert!(world.send(ANNA, &[COLLEGA], &circled).await.to_string().starts_with("554 5.4.6 "), "marked mail too");
}
