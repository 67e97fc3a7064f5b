//! The numbers that are remembered for recipients, for the whole organisation.

use super::Request;
use crate::{
    address::Address,
    grant,
    phone::PhoneNumber,
    record::{Batch, Expect, Fact, Key, KeyRange, KnownPhone, Unreadable},
    seal::{Damaged, Master},
    store::{Store, StoreError},
    time::Time,
};
use std::fmt::Write as _;

/// Why a command on numbers failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a remembered number can't be opened: {0}; is the key folder the one of this store?")]
    Damaged(#[from] Damaged),
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("no number is known for {0}")]
    Unknown(Address),
    #[error("{0} is no address")]
    Address(String),
    #[error("this is no number to which a code can be sent")]
    Number,
}

/// Who entered a number here.
const BY: &str = "zegel phone";

/// So many records are read at a time.
const PAGE: usize = 500;

/// Does what `request` says on an open store; gives what is to be shown.
pub(super) async fn run(request: &Request, store: &dyn Store, master: &Master, now: Time) -> Result<String, Trouble> {
    let parse = |address: &str| Address::parse(address).map_err(|_| Trouble::Address(address.to_owned()));
    match request {
        Request::PhoneList => list(store, master).await,
        Request::PhoneSet { address, number } => {
            let number = PhoneNumber::from_stored(number.expose()).ok_or(Trouble::Number)?;
            set(store, master, &parse(address)?, &number, now).await
        }
        Request::PhoneForget { address } => forget(store, master, &parse(address)?, now).await,
    }
}

async fn list(store: &dyn Store, master: &Master) -> Result<String, Trouble> {
    let (mut range, mut out) = (KeyRange::under("phone"), String::new());
    loop {
        let page = store.list(&range, PAGE).await?;
        for (key, record) in &page {
            let known: KnownPhone = record.read(key)?;
            let open = |name, sealed| master.open_field(name, key, sealed);
            let (address, phone, by) = (open("address", &known.address)?, open("phone", &known.phone)?, open("by", &known.by)?);
            let masked = PhoneNumber::from_stored(phone.expose()).map_or_else(|| "?".to_owned(), |p| p.masked());
            let _ = writeln!(out, "{}\t{masked}\t{}\t{}", address.expose(), known.at.day(), by.expose());
        }
        match page.last() {
            // Nothing lies between a key and the same with a zero byte behind it.
            Some((key, _)) if page.len() == PAGE => range.from = format!("{key}\0"),
            _ => return Ok(out),
        }
    }
}

async fn set(store: &dyn Store, master: &Master, address: &Address, number: &PhoneNumber, now: Time) -> Result<String, Trouble> {
    let mut batch = Batch::new();
    grant::know_phone(&mut batch, master, address, number, BY, now);
    store.commit(batch).await?;
    Ok(format!("{address}\t{}\n", number.masked()))
}

async fn forget(store: &dyn Store, master: &Master, address: &Address, now: Time) -> Result<String, Trouble> {
    let key = Key::phone(&master.address_hash(address));
    if store.get(&key).await?.is_none() {
        return Err(Trouble::Unknown(address.clone()));
    }
    let mut batch = Batch::new();
    batch.delete(key, Expect::Anything);
    grant::note(&mut batch, Fact::PhoneForgotten, None, None, now);
    store.commit(batch).await?;
    Ok(format!("{address}\tforgotten\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{secret::Secret, store::memory::MemoryStore};

    fn set_to(address: &str) -> Request {
        Request::PhoneSet { address: address.to_owned(), number: Secret::new("+31612345678".to_owned()) }
    }

    #[tokio::test]
    async fn a_number_is_remembered_shown_masked_and_forgotten() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        let now = Time::from_millis(1_800_000_000_000);
        run(&set_to("Bram@zorg.example"), &store, &master, now).await.unwrap();
        run(&set_to("Bram@zorg.example"), &store, &master, now).await.unwrap();
        let shown = run(&Request::PhoneList, &store, &master, now).await.unwrap();
        assert_eq!(shown, "Bram@zorg.example\t+31 6 ••••• 678\t2027-01-15\tzegel phone\n");

        let forget = Request::PhoneForget { address: "bram@zorg.example".to_owned() };
        assert!(run(&forget, &store, &master, now).await.is_ok());
        assert!(matches!(run(&forget, &store, &master, now).await, Err(Trouble::Unknown(_))));
        assert_eq!(run(&Request::PhoneList, &store, &master, now).await.unwrap(), "");
    }

    #[tokio::test]
    async fn more_numbers_than_a_page_holds_are_all_shown() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        for n in 0..=PAGE {
            run(&set_to(&format!("a{n}@zorg.example")), &store, &master, Time::from_millis(0)).await.unwrap();
        }
        assert_eq!(run(&Request::PhoneList, &store, &master, Time::from_millis(0)).await.unwrap().lines().count(), PAGE + 1);
    }
}
