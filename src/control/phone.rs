//! The numbers that are remembered for recipients, for the whole organisation.

use super::{Imported, MOST_NUMBERS, PAGE, Trouble};
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

/// Who entered those of a file.
const BY_IMPORT: &str = "zegel phone import";

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

/// Remembers many numbers in one batch. One that is known stays as it was entered: a second import of the same file changes nothing.
pub(super) async fn import(
    store: &dyn Store,
    master: &Master,
    numbers: &[(String, Secret<String>)],
    dry_run: bool,
    now: Time,
) -> Result<Imported, Trouble> {
    if numbers.len() > MOST_NUMBERS {
        return Err(Trouble::TooMany);
    }
    let (mut imported, mut batch) = (Imported::default(), Batch::new());
    for (address, number) in numbers {
        let number = PhoneNumber::from_stored(number.expose()).ok_or(Trouble::Number)?;
        let address = parse(address)?;
        let key = Key::phone(&master.address_hash(&address));
        match store.get(&key).await? {
            Some(record) => {
                let known: KnownPhone = record.read(&key)?;
                if master.open_field("phone", &key, &known.phone)?.expose() == number.expose() {
                    imported.unchanged += 1;
                    continue;
                }
                imported.changed += 1;
            }
            None => imported.added += 1,
        }
        grant::know_phone(&mut batch, master, &address, &number, BY_IMPORT, now);
    }
    if !dry_run && !batch.ops.is_empty() {
        store.commit(batch).await?;
    }
    Ok(imported)
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
    async fn an_import_writes_what_is_new_and_leaves_what_is_known_as_it_was_entered() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        let (now, later) = (Time::from_millis(1_800_000_000_000), Time::from_millis(1_800_500_000_000));
        set(&store, &master, "bram@zorg.example", &number(), now).await.unwrap();
        let other = Secret::new("+31612345679".to_owned());
        let file = [("Bram@Zorg.example".to_owned(), number()), ("cas@zorg.example".to_owned(), other.clone())];
        let counts = |added, changed, unchanged| Imported { added, changed, unchanged };

        let events = || async { store.list(&KeyRange::under("event"), 100).await.unwrap().len() };
        assert_eq!(import(&store, &master, &file, true, later).await.unwrap(), counts(1, 0, 1));
        assert_eq!(events().await, 1, "a dry run writes nothing");
        assert_eq!(import(&store, &master, &file, false, later).await.unwrap(), counts(1, 0, 1));
        assert_eq!(import(&store, &master, &file, false, later).await.unwrap(), counts(0, 0, 2));
        assert_eq!(events().await, 2, "what is known is no event");
        let shown = list(&store, &master).await.unwrap();
        assert!(shown.contains("bram@zorg.example\t+31 6 ••••• 678\t2027-01-15\tzegel phone\n"), "{shown}");
        assert!(shown.contains("cas@zorg.example\t+31 6 ••••• 679\t2027-01-21\tzegel phone import\n"), "{shown}");

        assert_eq!(import(&store, &master, &[("bram@zorg.example".to_owned(), other)], false, later).await.unwrap(), counts(0, 1, 0));
        let wrong = [("cas@zorg.example".to_owned(), number()), ("nobody".to_owned(), number())];
        assert!(import(&store, &master, &wrong, false, later).await.is_err());
        assert!(!list(&store, &master).await.unwrap().contains("678"), "all of it or none");
        let many = vec![("a@b.example".to_owned(), number()); MOST_NUMBERS + 1];
        assert!(matches!(import(&store, &master, &many, false, later).await, Err(Trouble::TooMany)));
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
