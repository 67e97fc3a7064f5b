//! Visitors who are slow on purpose, more of them than there are places.

use super::*;
use crate::process::has;
use std::process::Stdio;
use tokio::process::Command;

/// Places for connections: a quarter of what each way of being slow takes.
const PLACES: usize = 64;

/// slowhttptest's ways: heads, bodies and readers that are slow, and ranges by the hundred.
const WAYS: [&[&str]; 4] = [&["-H"], &["-B", "-s", "8192"], &["-X", "-k", "3"], &["-R"]];

#[tokio::test(flavor = "multi_thread")]
async fn slow_visitors_take_no_place_for_long_and_others_are_served() {
    if !has("slowhttptest") {
        return;
    }
    let second = Duration::from_secs(1);
    let limits = Limits { connections: PLACES, head_time: second, form_time: second, stall_time: second, ..Limits::default() };
    let world = World::with(limits, None).await;
    let [token, _] = world.message(Level::One, None).await;
    let link = world.link(&token);
    let mut attacks: Vec<_> = WAYS
        .iter()
        .map(|way| {
            let mut attack = Command::new("slowhttptest");
            attack.args(*way).args(["-c", "256", "-r", "256", "-i", "1", "-l", "6", "-p", "5", "-u", &link]);
            attack.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap()
        })
        .collect();
    let mut under_way = true;
    while under_way {
        // Each on a connection of its own, which has to find a place.
        assert!(Browser::new().get(&link).await.shows("Stuur mijn wachtwoord"));
        under_way = attacks.iter_mut().any(|attack| attack.try_wait().unwrap().is_none());
    }
    assert!(world.letters().await.is_empty(), "nothing was sent by all that");
}
