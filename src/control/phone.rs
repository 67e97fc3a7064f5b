//! The numbers that are remembered for recipients, for the whole organisation.

use super::{PAGE, Trouble};
use crate::{
    address::Address,
    grant,
    phone::PhoneNumber,
    record::{Batch, Expect, Fact, Key, KeyRange, KnownPhone},
    seal::Master,
    secret::Secret,
    store::Store,
    time::Time,
};
use std::fmt::Write as _;

/// Who entered a number here.
const BY: &str = "zegel phone";

/// Whose numbers are known.
pub(super) async fn list(store: &dyn Store, master: &Master) -> Result<String, Trouble> {
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

fn parse(address: &str) -> Result<Address, Trouble> {
    Address::parse(address).map_err(|_| Trouble::Address(address.to_owned()))
}

/// Remembers a number.
pub(super) async fn set(store: &dyn Store, master: &Master, address: &str, number: &Secret<String>, now: Time) -> Result<String, Trouble> {
    let number = PhoneNumber::from_stored(number.expose()).ok_or(Trouble::Number)?;
    let address = parse(address)?;
    let mut batch = Batch::new();
    grant::know_phone(&mut batch, master, &address, &number, BY, now);
    store.commit(batch).await?;
    Ok(format!("{address}\t{}\n", number.masked()))
}

/// Forgets a number.
pub(super) async fn forget(store: &dyn Store, master: &Master, address: &str, now: Time) -> Result<String, Trouble> {
    let address = parse(address)?;
    let key = Key::phone(&master.address_hash(&address));
    if store.get(&key).await?.is_none() {
        return Err(Trouble::Unknown(address));
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
    use crate::store::memory::MemoryStore;

    fn number() -> Secret<String> {
        Secret::new("+31612345678".to_owned())
    }

    #[tokio::test]
    async fn a_number_is_remembered_shown_masked_and_forgotten() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        let now = Time::from_millis(1_800_000_000_000);
        set(&store, &master, "Bram@zorg.example", &number(), now).await.unwrap();
        set(&store, &master, "Bram@zorg.example", &number(), now).await.unwrap();
        let shown = list(&store, &master).await.unwrap();
        assert_eq!(shown, "Bram@zorg.example\t+31 6 ••••• 678\t2027-01-15\tzegel phone\n");

        assert!(forget(&store, &master, "bram@zorg.example", now).await.is_ok());
        assert!(matches!(forget(&store, &master, "bram@zorg.example", now).await, Err(Trouble::Unknown(_))));
        assert_eq!(list(&store, &master).await.unwrap(), "");
    }

    #[tokio::test]
    async fn more_numbers_than_a_page_holds_are_all_shown() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        for n in 0..=PAGE {
            set(&store, &master, &format!("a{n}@zorg.example"), &number(), Time::from_millis(0)).await.unwrap();
        }
        assert_eq!(list(&store, &master).await.unwrap().lines().count(), PAGE + 1);
    }
}
