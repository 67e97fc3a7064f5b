//! `jan%elders.example@gemeente.example` counted as a colleague's address: the mail passed as it is, and a next hop that keeps the old customs
//! (Postfix does, by default) took it to jan@elders.example. Found by looking for ways out through the organisation's own domain.

use crate::world::{ANNA, COLLEGA, World, contains, mail};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_out_is_no_colleagues() {
    let world = World::new().await;
    for to in [
        "jan%elders.example@gemeente.example",
        "elders.example!jan@gemeente.example",
        "\"jan@elders.example\"@gemeente.example",
        "\"jan\\@elders.example\"@Gemeente.Example",
    ] {
        let octets = mail("Dossier", "Het BSN van mevrouw Bakker is 111222333.");
        assert_eq!(world.send(ANNA, &[COLLEGA, to], octets.as_bytes()).await.code(), 250, "{to}");
        let passed = world.outside.mails().iter().any(|m| m.to.iter().any(|a| a.as_str() == to) && contains(&m.octets, b"111222333"));
        assert!(!passed, "{to}");
    }
    let to_colleagues = world.delivered_to(COLLEGA);
    assert!(to_colleagues.len() == 4 && to_colleagues.iter().all(|m| contains(&m.octets, b"111222333")));
}
