//! `zegel phone`: the numbers that are remembered for recipients, for the whole organisation.

use super::End;
use crate::{
    address::Address,
    phone::PhoneNumber,
    record::{Batch, Event, Expect, FORMAT, Fact, Key, KeyRange, KnownPhone},
    seal::{Damaged, Master, Salt},
    secret::Id,
    store::{Store, StoreError},
    time::Time,
};
use clap::Subcommand;
use std::io::{self, Write};

/// What to do with the numbers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show whose numbers are known, since when and from whom; the numbers masked
    List,
    /// Remember a recipient's number
    Set {
        #[arg(value_parser = Address::parse)]
        address: Address,
        #[arg(value_parser = number)]
        number: PhoneNumber,
    },
    /// Forget a recipient's number
    Forget {
        #[arg(value_parser = Address::parse)]
        address: Address,
    },
}

fn number(text: &str) -> Result<PhoneNumber, &'static str> {
    use crate::phone::PhoneFault;
    PhoneNumber::parse(text).map_err(|fault| match fault {
        PhoneFault::Invalid => "this is no telephone number that exists; write it as in 0612345678 or +32470123456",
        PhoneFault::NoSms => "this number gets no SMS; give a mobile number",
        PhoneFault::Country => "no codes are sent to this country",
    })
}

/// Why a command on numbers failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a remembered number can't be opened: {0}; is the key folder the one of this store?")]
    Damaged(#[from] Damaged),
    #[error("{0}")]
    Unreadable(#[from] crate::record::Unreadable),
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Who entered a number here.
const BY: &str = "zegel phone";

/// So many records are read at a time.
const PAGE: usize = 500;

/// Runs `command` on an open store.
pub(super) async fn run(
    command: &Command,
    store: &dyn Store,
    master: &Master,
    now: Time,
    out: &mut impl Write,
) -> Result<End, Trouble> {
    match command {
        Command::List => list(store, master, out).await,
        Command::Set { address, number } => set(store, master, address, number, now, out).await,
        Command::Forget { address } => forget(store, master, address, now, out).await,
    }
}

async fn list(store: &dyn Store, master: &Master, out: &mut impl Write) -> Result<End, Trouble> {
    let mut range = KeyRange::under("phone");
    loop {
        let page = store.list(&range, PAGE).await?;
        for (key, record) in &page {
            let known: KnownPhone = record.read(key)?;
            let open = |name, sealed| master.open_field(name, key, sealed);
            let (address, phone, by) = (open("address", &known.address)?, open("phone", &known.phone)?, open("by", &known.by)?);
            let masked = PhoneNumber::from_stored(phone.expose()).map_or_else(|| "?".to_owned(), |p| p.masked());
            writeln!(out, "{}\t{masked}\t{}\t{}", address.expose(), known.at.day(), by.expose())?;
        }
        match page.last() {
            // Nothing lies between a key and the same with a zero byte behind it.
            Some((key, _)) if page.len() == PAGE => range.from = format!("{key}\0"),
            _ => return Ok(End::Fine),
        }
    }
}

async fn set(
    store: &dyn Store,
    master: &Master,
    address: &Address,
    number: &PhoneNumber,
    now: Time,
    out: &mut impl Write,
) -> Result<End, Trouble> {
    let key = Key::phone(&master.address_hash(address));
    let seal = |name, text: &str| master.seal_field(name, &key, text, Salt::random());
    let known = KnownPhone {
        v: FORMAT,
        address: seal("address", address.as_str()),
        phone: seal("phone", number.expose()),
        by: seal("by", BY),
        at: now,
    };
    let mut batch = Batch::new();
    batch.put(key, &known, Expect::Anything);
    event(&mut batch, Fact::PhoneSet, now);
    store.commit(batch).await?;
    writeln!(out, "{address}\t{}", number.masked())?;
    Ok(End::Fine)
}

async fn forget(store: &dyn Store, master: &Master, address: &Address, now: Time, out: &mut impl Write) -> Result<End, Trouble> {
    let key = Key::phone(&master.address_hash(address));
    if store.get(&key).await?.is_none() {
        super::complain(&format!("no number is known for {address}"));
        return Ok(End::Fault);
    }
    let mut batch = Batch::new();
    batch.delete(key, Expect::Anything);
    event(&mut batch, Fact::PhoneForgotten, now);
    store.commit(batch).await?;
    writeln!(out, "{address}\tforgotten")?;
    Ok(End::Fine)
}

fn event(batch: &mut Batch, what: Fact, now: Time) {
    let event = Event { v: FORMAT, what, message: None, grant: None, queue: None };
    batch.put(Key::event(now, Id::random()), &event, Expect::Absent);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_number_is_remembered_shown_masked_and_forgotten() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        let address = Address::parse("Bram@zorg.example").unwrap();
        let now = Time::from_millis(1_800_000_000_000);
        let mut out = Vec::new();
        let set = Command::Set { address: address.clone(), number: number("06-12345678").unwrap() };
        run(&set, &store, &master, now, &mut out).await.unwrap();
        run(&set, &store, &master, now, &mut out).await.unwrap();
        out.clear();
        run(&Command::List, &store, &master, now, &mut out).await.unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), "Bram@zorg.example\t+31 6 ••••• 678\t2027-01-15\tzegel phone\n");

        let forget = Command::Forget { address: Address::parse("bram@zorg.example").unwrap() };
        assert!(matches!(run(&forget, &store, &master, now, &mut out).await, Ok(End::Fine)));
        assert!(matches!(run(&forget, &store, &master, now, &mut out).await, Ok(End::Fault)));
        out.clear();
        run(&Command::List, &store, &master, now, &mut out).await.unwrap();
        assert!(out.is_empty());
    }

    #[tokio::test]
    async fn more_numbers_than_a_page_holds_are_all_shown() {
        let (store, master) = (MemoryStore::new(), Master::random(1));
        let mut out = Vec::new();
        for n in 0..=PAGE {
            let set = Command::Set { address: Address::parse(&format!("a{n}@zorg.example")).unwrap(), number: number("0612345678").unwrap() };
            run(&set, &store, &master, Time::from_millis(0), &mut out).await.unwrap();
        }
        out.clear();
        run(&Command::List, &store, &master, Time::from_millis(0), &mut out).await.unwrap();
        assert_eq!(out.iter().filter(|b| **b == b'\n').count(), PAGE + 1);
    }
}
