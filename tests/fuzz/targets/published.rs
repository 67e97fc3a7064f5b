//! What a domain says about its mail servers, in DNS and over HTTPS; and addresses to which bounces come.

use zegel::{
    address::{Address, Domain},
    dns::nta7516,
    mta_sts::{Announced, Mode, Policy, announced},
    notice::{Returned, return_path, returned},
    seal::{Key, Master},
    secret::Id,
    time::Day,
};

/// Nothing but names of hosts comes out, in their order; a policy that is to be enforced names one; and no bounce is believed that we did not make.
pub fn published(octets: &[u8]) {
    let text = &*String::from_utf8_lossy(octets);
    let texts: Vec<String> = text.split('\0').map(str::to_owned).collect();
    let today: Day = "2026-06-15".parse().expect("it is a day");
    if let nta7516::Published::One(record) = nta7516::published(&texts, today) {
        assert!(record.is_valid_on(today) && record.hosts.is_sorted());
        assert!(record.hosts.iter().all(|mx| Domain::parse(&mx.host).is_ok_and(|domain| domain.as_str() == mx.host)), "{record:?}");
    }
    if let Announced::Id(id) = announced(&texts) {
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric()));
    }
    if let Ok(policy) = Policy::parse(text) {
        assert!(!policy.names("") && !policy.names(".example") && !policy.names("*.example") && !policy.names("a.b*"));
        assert!(policy.mode == Mode::None || text.contains("mx"));
    }
    bounce(text);
}

fn bounce(text: &str) {
    let Ok(address) = Address::parse(text) else { return };
    let bounces = Address::parse("bounce@b.example").expect("it is an address");
    let master = Master::new(1, Key::new([9; 32]));
    let grant = Id([3; 16]);
    let ours = return_path(&bounces, &master, grant).expect("the name is short");
    assert_eq!(returned(&bounces, &master, &ours), Returned::Grant(grant));
    assert!(address == ours || !matches!(returned(&bounces, &master, &address), Returned::Grant(_)), "{address} was never ours");
}
