//! What every engine promises: one list of cases, run for each.

use super::{
    Blobs, Failure, Store, StoreError,
    files::{FileBlobs, FileLimits},
    folder::Lock,
    memory::{MemoryBlobs, MemoryStore},
    sqlite::Database,
};
use crate::{
    record::{Batch, Expect, Key, KeyRange, Op, Record},
    seal::{Ciphertext, Context, Key as SealKey, Kind, Salt, seal},
    secret::Id,
    time::Time,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

type Opener = Box<dyn Fn() -> Arc<dyn Store>>;

/// A store that can be closed and opened again.
struct Engine {
    open: Opener,
    store: Option<Arc<dyn Store>>,
}

impl Engine {
    fn memory() -> Engine {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Engine::new(Box::new(move || store.clone()))
    }

    fn sqlite() -> Engine {
        let folder = TempDir::new().unwrap();
        Engine::new(Box::new(move || Arc::new(open_sqlite(folder.path()))))
    }

    fn new(open: Opener) -> Engine {
        let store = Some(open());
        Engine { open, store }
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some((self.open)());
    }
}

fn open_sqlite(folder: &Path) -> super::sqlite::SqliteStore {
    let lock = Arc::new(Lock::take(folder, Some("zegel.lock")).unwrap());
    let path = folder.join("zegel.db");
    let database = if path.exists() { Database::open(&path) } else { Database::create(&path, (key("first/1"), "{}".to_owned())) };
    database.unwrap().start(Failure::default(), lock).unwrap()
}

/// Runs a case for every engine.
macro_rules! every_engine {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $case() { super::$case(super::Engine::memory()).await; })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $case() { super::$case(super::Engine::sqlite()).await; })*
        }
    };
}

every_engine!(
    expectations_decide,
    a_conflict_anywhere_undoes_everything,
    a_list_is_a_half_open_range_in_byte_order,
    every_key_of_a_batch_bears_its_version,
    values_come_back_as_they_were_and_survive_reopening,
    the_limits_hold_and_what_fits_is_kept,
    a_repeated_batch_shows_whose_it_was,
    parallel_guesses_spend_exactly_the_tries_there_are,
    claims_take_every_row_once,
    a_list_sees_one_moment,
    a_caller_who_leaves_does_no_harm,
);

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn batch(ops: impl IntoIterator<Item = Op>) -> Batch {
    Batch { ops: ops.into_iter().collect(), ..Batch::new() }
}

fn put(at: &str, value: &str, expect: Expect) -> Op {
    Op::Put { key: key(at), value: value.to_owned(), expect }
}

fn delete(at: &str, expect: Expect) -> Op {
    Op::Delete { key: key(at), expect }
}

async fn get(store: &Arc<dyn Store>, at: &str) -> Option<Record> {
    store.get(&key(at)).await.unwrap()
}

async fn keys(store: &Arc<dyn Store>, from: &str, to: &str, limit: usize) -> Vec<String> {
    let range = KeyRange { from: from.to_owned(), to: to.to_owned() };
    store.list(&range, limit).await.unwrap().into_iter().map(|(key, _)| key.as_str().to_owned()).collect()
}

async fn expectations_decide(engine: Engine) {
    let store = engine.store();
    let at = || key("a/1");
    let wrong = 1u64;
    // What is there before, the step, and whether it happens.
    type Step = fn(u64) -> Op;
    let steps: [(Step, bool, bool); 9] = [
        (|_| put("a/1", "2", Expect::Anything), true, true),
        (|_| put("a/1", "2", Expect::Absent), true, false),
        (|version| put("a/1", "2", Expect::Version(version)), false, true),
        (|_| put("a/1", "2", Expect::Version(1)), false, false),
        (|_| delete("a/1", Expect::Anything), true, true),
        (|_| delete("a/1", Expect::Absent), true, false),
        (|version| delete("a/1", Expect::Version(version)), false, true),
        (|version| Op::Check { key: key("a/1"), version }, false, true),
        (|_| Op::Check { key: key("a/1"), version: 1 }, false, false),
    ];
    for (number, (step, when_absent, when_there)) in steps.into_iter().enumerate() {
        store.commit(batch([delete("a/1", Expect::Anything)])).await.unwrap();
        let absent = store.commit(batch([step(wrong)])).await;
        assert_eq!(absent, if when_absent { Ok(()) } else { Err(StoreError::Conflict) }, "step {number}, absent");

        let first = batch([put("a/1", "1", Expect::Anything)]);
        store.commit(first.clone()).await.unwrap();
        let second = batch([step(first.version)]);
        let there = store.commit(second.clone()).await;
        assert_eq!(there, if when_there { Ok(()) } else { Err(StoreError::Conflict) }, "step {number}, there");

        let found = store.get(&at()).await.unwrap();
        let wanted = match (&second.ops[0], when_there) {
            (Op::Put { value, .. }, true) => Some(Record { version: second.version, value: value.clone() }),
            (Op::Delete { .. }, true) => None,
            _ => Some(Record { version: first.version, value: "1".to_owned() }),
        };
        assert_eq!(found, wanted, "step {number}, after");
    }
}

async fn a_conflict_anywhere_undoes_everything(engine: Engine) {
    let store = engine.store();
    store.commit(batch([put("old/1", "old", Expect::Absent), put("old/2", "old", Expect::Absent)])).await.unwrap();
    for place in 0..4 {
        let mut ops = vec![put("new/1", "new", Expect::Absent), put("old/1", "new", Expect::Anything), delete("old/2", Expect::Anything)];
        ops.insert(place, Op::Check { key: key("old/3"), version: 1 });
        assert_eq!(store.commit(batch(ops)).await, Err(StoreError::Conflict));
        assert_eq!(get(store, "new/1").await, None);
        assert_eq!(get(store, "old/1").await.unwrap().value, "old");
        assert!(get(store, "old/2").await.is_some());
    }
    // The store goes on, in the same group of commits too.
    let commits =
        (0..20).map(|n| store.commit(batch([put(&format!("then/{n}"), "x", Expect::Absent), put("then/first", "x", Expect::Absent)])));
    let results = join_all(commits).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
    assert_eq!(keys(store, "then/", "then0", 99).await.len(), 2);
}

async fn join_all<T: Send + 'static>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| Box::pin(future)).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn a_list_is_a_half_open_range_in_byte_order(engine: Engine) {
    let store = engine.store();
    let all = ["b", "b-/1", "b/1", "b/10", "b/2", "b/2/x", "b/a", "b0", "b0/1", "bb/1"];
    store.commit(batch(all.iter().rev().map(|at| put(at, "{}", Expect::Absent)))).await.unwrap();
    assert_eq!(keys(store, "b", "c", 99).await, all);
    assert_eq!(keys(store, "b/", "b0", 99).await, ["b/1", "b/10", "b/2", "b/2/x", "b/a"]);
    assert_eq!(keys(store, "b/1", "b/2", 99).await, ["b/1", "b/10"], "the end does not belong to it");
    assert_eq!(keys(store, "b/", "b0", 2).await, ["b/1", "b/10"]);
    for (from, to, limit) in [("b/", "b0", 0), ("b/2", "b/2", 99), ("b/2", "b/1", 99), ("c", "d", 99), ("", "", 99)] {
        assert!(keys(store, from, to, limit).await.is_empty(), "{from}..{to}");
    }
    assert_eq!(store.list(&KeyRange::under("b"), usize::MAX).await.unwrap().len(), 5);
}

async fn every_key_of_a_batch_bears_its_version(engine: Engine) {
    let store = engine.store();
    let first = batch([put("a/1", "1", Expect::Absent), put("a/2", "1", Expect::Absent)]);
    store.commit(first.clone()).await.unwrap();
    for at in ["a/1", "a/2"] {
        assert_eq!(get(store, at).await.unwrap().version, first.version);
    }
    // Deleted and made again: what was read before is not mistaken for what is there now.
    store.commit(batch([delete("a/1", Expect::Version(first.version))])).await.unwrap();
    store.commit(batch([put("a/1", "1", Expect::Absent)])).await.unwrap();
    assert_eq!(store.commit(batch([put("a/1", "2", Expect::Version(first.version))])).await, Err(StoreError::Conflict));
    // The largest version there can be.
    let last = Batch { version: u64::MAX >> 1, ops: vec![put("a/3", "1", Expect::Absent)] };
    store.commit(last.clone()).await.unwrap();
    store.commit(batch([Op::Check { key: key("a/3"), version: last.version }])).await.unwrap();
}

async fn values_come_back_as_they_were_and_survive_reopening(mut engine: Engine) {
    let values = ["", "{}", "\"é€😀\"", "it's \"quoted\" %s ?1 \\ \r\n\t", "\"\\\\u0000\"", &"x".repeat(Record::MAX_BYTES)];
    let ops = values.iter().enumerate().map(|(n, value)| put(&format!("value/{n}"), value, Expect::Absent));
    engine.store().commit(batch(ops)).await.unwrap();
    for _ in 0..2 {
        for (n, value) in values.iter().enumerate() {
            assert_eq!(get(engine.store(), &format!("value/{n}")).await.unwrap().value, *value);
        }
        engine.reopen();
    }
}

async fn the_limits_hold_and_what_fits_is_kept(engine: Engine) {
    let store = engine.store();
    let name = |n: usize| format!("many/{n:05}");
    let many = |count: usize, value: &str| batch((0..count).map(|n| put(&name(n), value, Expect::Absent)));
    let large = "x".repeat(Record::MAX_BYTES);
    let refused = [
        many(Batch::MAX_OPS + 1, "{}"),
        many(1, &format!("{large}x")),
        many(1025, &large),
        batch([put("a/1", "1", Expect::Absent), delete("a/1", Expect::Anything)]),
        batch([put("a/1", "nul: \0", Expect::Absent)]),
        batch([put("a/1", "\"\\u0000\"", Expect::Absent)]),
        batch([put("a/1", "\"\\\\\\u0000\"", Expect::Absent)]),
        Batch { version: u64::MAX, ops: vec![put("a/1", "1", Expect::Absent)] },
    ];
    for (n, batch) in refused.into_iter().enumerate() {
        assert!(matches!(store.commit(batch).await, Err(StoreError::Unavailable(_))), "{n}");
    }
    assert!(keys(store, "a", "z", 99).await.iter().all(|key| key == "first/1"), "nothing of them happened");

    store.commit(many(Batch::MAX_OPS, "{}")).await.unwrap();
    assert_eq!(keys(store, "many/", "many0", usize::MAX).await.len(), Batch::MAX_OPS);
    store.commit(batch((0..Batch::MAX_OPS).map(|n| delete(&name(n), Expect::Anything)))).await.unwrap();
    store.commit(many(1024, &large)).await.unwrap();
    assert_eq!(keys(store, "many/", "many0", usize::MAX).await.len(), 1024);
    let long = format!("a/{}", "b".repeat(Key::MAX_BYTES - 2));
    store.commit(batch([put(&long, "{}", Expect::Absent)])).await.unwrap();
    assert!(get(store, &long).await.is_some());
    store.commit(batch([])).await.unwrap();
}

async fn a_repeated_batch_shows_whose_it_was(engine: Engine) {
    let store = engine.store();
    let ours = batch([put("message/1", "{}", Expect::Absent)]);
    store.commit(ours.clone()).await.unwrap();
    // As after an answer that got lost: the conflict, and our version there, say that it had happened.
    assert_eq!(store.commit(ours.clone()).await, Err(StoreError::Conflict));
    assert_eq!(get(store, "message/1").await.unwrap().version, ours.version);
}

async fn parallel_guesses_spend_exactly_the_tries_there_are(engine: Engine) {
    let store = engine.store();
    store.commit(batch([put("challenge/1", "5", Expect::Absent)])).await.unwrap();
    let guesses = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            // A try is spent first; only then may the guess be compared.
            loop {
                let record = store.get(&key("challenge/1")).await.unwrap().unwrap();
                let left: u32 = record.value.parse().unwrap();
                if left == 0 {
                    return 0;
                }
                match store.commit(batch([put("challenge/1", &(left - 1).to_string(), Expect::Version(record.version))])).await {
                    Ok(()) => return 1,
                    Err(StoreError::Conflict) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    let compared: u32 = join_all(guesses).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(compared, 5);
    assert_eq!(get(store, "challenge/1").await.unwrap().value, "0");
}

async fn claims_take_every_row_once(engine: Engine) {
    let store = engine.store();
    let rows = 300;
    store.commit(batch((0..rows).map(|n| put(&format!("outbox/1/{n:04}"), "{}", Expect::Absent)))).await.unwrap();
    let workers = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let due = store.list(&KeyRange::under("outbox/1"), 16).await.unwrap();
                if due.is_empty() {
                    return claimed;
                }
                let pick = usize::from(Id::random().0[0]) % due.len();
                let (row, record) = &due[pick];
                let moved = Key::parse(&row.as_str().replace("outbox/1", "outbox/2")).unwrap();
                let claim = batch([
                    Op::Delete { key: row.clone(), expect: Expect::Version(record.version) },
                    Op::Put { key: moved, value: record.value.clone(), expect: Expect::Absent },
                ]);
                match store.commit(claim).await {
                    Ok(()) => claimed.push(row.as_str().to_owned()),
                    Err(StoreError::Conflict) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    let mut claimed: Vec<String> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(claimed.len(), rows);
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), rows);
    assert_eq!(keys(store, "outbox/2/", "outbox/20", 999).await.len(), rows);
}

async fn a_list_sees_one_moment(engine: Engine) {
    let store = engine.store();
    store.commit(batch([put("move/a", "{}", Expect::Absent)])).await.unwrap();
    let mover = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..200 {
                let (from, to) = if n % 2 == 0 { ("move/a", "move/b") } else { ("move/b", "move/a") };
                store.commit(batch([delete(from, Expect::Anything), put(to, "{}", Expect::Absent)])).await.unwrap();
            }
        })
    };
    while !mover.is_finished() {
        assert_eq!(keys(store, "move/", "move0", 9).await.len(), 1);
    }
    mover.await.unwrap();
}

async fn a_caller_who_leaves_does_no_harm(engine: Engine) {
    let store = engine.store();
    for n in 0..50 {
        let left = batch([put(&format!("left/{n}/a"), "{}", Expect::Absent), put(&format!("left/{n}/b"), "{}", Expect::Absent)]);
        let mut commit = store.commit(left);
        // Asked, and gone before the answer: a connection that broke.
        let _ = std::future::poll_fn(|context| std::task::Poll::Ready(commit.as_mut().poll(context))).await;
        drop(commit);
    }
    store.commit(batch([put("after/1", "{}", Expect::Absent)])).await.unwrap();
    for n in 0..50 {
        let there = keys(store, &format!("left/{n}/"), &format!("left/{n}0"), 9).await;
        assert!(there.is_empty() || there.len() == 2, "{there:?}");
    }
}

/// A step of a random life of a store.
#[derive(Clone, Debug)]
enum Act {
    Commit(Vec<(u8, Step)>),
    List(u8, u8, usize),
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Put(Seen),
    Delete(Seen),
    Check,
}

/// What the step expects: what is really there, or something else.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Anything,
    Absent,
    Right,
    Wrong,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let seen = || prop_oneof![3 => Just(Seen::Anything), 2 => Just(Seen::Absent), 4 => Just(Seen::Right), 1 => Just(Seen::Wrong)];
    let step = prop_oneof![seen().prop_map(Step::Put), seen().prop_map(Step::Delete), Just(Step::Check)];
    let commit = proptest::collection::btree_map(0u8..12, step, 1..5).prop_map(|steps| Act::Commit(steps.into_iter().collect()));
    let list = (0u8..14, 0u8..14, 0usize..8).prop_map(|(from, to, limit)| Act::List(from, to, limit));
    proptest::collection::vec(prop_oneof![10 => commit, 4 => list, 1 => Just(Act::Reopen)], 1..40)
}

fn name(number: u8) -> String {
    // Names of which some are the beginning of others.
    format!("k/{}", ["a", "a/b", "a/b/c", "a-", "a0", "b", "b/a", "0", "9", "z", "z/z", "zz", "zzz", "zzzz"][usize::from(number)])
}

type Model = BTreeMap<String, (u64, String)>;

fn step_of(model: &Model, number: u8, step: Step, value: &str) -> Op {
    let (at, there) = (key(&name(number)), model.get(&name(number)).map(|(version, _)| *version));
    let expect = |seen| match seen {
        Seen::Anything => Expect::Anything,
        Seen::Absent => Expect::Absent,
        Seen::Right => there.map_or(Expect::Absent, Expect::Version),
        Seen::Wrong => Expect::Version(42),
    };
    match step {
        Step::Put(seen) => Op::Put { key: at, value: value.to_owned(), expect: expect(seen) },
        Step::Delete(seen) => Op::Delete { key: at, expect: expect(seen) },
        Step::Check => Op::Check { key: at, version: there.unwrap_or(42) },
    }
}

/// The model's own commit, written otherwise than the engines'.
fn model_commit(model: &mut Model, batch: &Batch) -> Result<(), StoreError> {
    let mut next = model.clone();
    for op in &batch.ops {
        let (at, expect) = match op {
            Op::Put { key, expect, .. } | Op::Delete { key, expect } => (key, *expect),
            Op::Check { key, version } => (key, Expect::Version(*version)),
        };
        match (expect, model.get(at.as_str())) {
            (Expect::Anything, _) | (Expect::Absent, None) => {}
            (Expect::Version(wanted), Some((version, _))) if wanted == *version => {}
            _ => return Err(StoreError::Conflict),
        }
        match op {
            Op::Put { value, .. } => drop(next.insert(at.as_str().to_owned(), (batch.version, value.clone()))),
            Op::Delete { .. } => drop(next.remove(at.as_str())),
            Op::Check { .. } => {}
        }
    }
    *model = next;
    Ok(())
}

async fn live(mut engine: Engine, acts: Vec<Act>) {
    let mut model = Model::new();
    for (number, act) in acts.into_iter().enumerate() {
        match act {
            Act::Commit(steps) => {
                let batch = batch(steps.into_iter().map(|(at, step)| step_of(&model, at, step, &format!("{number}"))));
                let told = engine.store().commit(batch.clone()).await;
                assert_eq!(told, model_commit(&mut model, &batch), "act {number}");
            }
            Act::List(from, to, limit) => {
                let wanted: Vec<_> = if name(from) < name(to) {
                    model.range(name(from)..name(to)).take(limit).map(|(k, v)| (k.clone(), v.clone())).collect()
                } else {
                    Vec::new()
                };
                let range = KeyRange { from: name(from), to: name(to) };
                let found = engine.store().list(&range, limit).await.unwrap();
                let found: Vec<_> = found.into_iter().map(|(k, r)| (k.as_str().to_owned(), (r.version, r.value))).collect();
                assert_eq!(found, wanted, "act {number}");
            }
            Act::Reopen => engine.reopen(),
        }
        let all = engine.store().list(&KeyRange::under("k"), usize::MAX).await.unwrap();
        let all: Model = all.into_iter().map(|(k, r)| (k.as_str().to_owned(), (r.version, r.value))).collect();
        assert_eq!(all, model, "after act {number}");
    }
}

fn run(life: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(life);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_life_in_memory_is_the_models(acts in acts()) {
        run(live(Engine::memory(), acts));
    }

    #[test]
    fn a_life_in_sqlite_is_the_models(acts in acts()) {
        run(live(Engine::sqlite(), acts));
    }
}

fn sealed(len: usize) -> Ciphertext {
    seal(&SealKey::new([1; 32]), &Context::new(Kind::Part, 0, &[]), Salt::random(), &vec![7; len])
}

async fn blobs_are_kept(blobs: &dyn Blobs) {
    let (id, content) = (Id::random(), sealed(1000));
    let octets = content.as_bytes().to_vec();
    assert_eq!(blobs.get(id, None).await, Ok(None));
    blobs.put(id, content).await.unwrap();
    assert_eq!(blobs.get(id, None).await, Ok(Some(octets.clone())));
    for (range, wanted) in [
        (0..10, &octets[..10]),
        (80..90, &octets[80..90]),
        (1000..9999, &octets[1000..]),
        (9999..99_999, &[]),
        (5..5, &[]),
        (0..u64::MAX, &octets[..]),
    ] {
        assert_eq!(blobs.get(id, Some(range.clone())).await.unwrap().as_deref(), Some(wanted), "{range:?}");
    }
    assert!(blobs.list(Time::MAX).await.unwrap().contains(&id));
    blobs.delete(id).await.unwrap();
    blobs.delete(id).await.unwrap();
    assert_eq!(blobs.get(id, None).await, Ok(None));
    assert_eq!(blobs.get(id, Some(0..1)).await, Ok(None));
    assert!(blobs.list(Time::MAX).await.unwrap().is_empty());
}

#[tokio::test]
async fn blobs_in_memory_are_kept() {
    blobs_are_kept(&MemoryBlobs::new()).await;
}

#[tokio::test]
async fn blobs_in_files_are_kept() {
    let folder = TempDir::new().unwrap();
    let limits = FileLimits { in_flight: Duration::ZERO, ..FileLimits::default() };
    let lock = Arc::new(Lock::take(folder.path(), None).unwrap());
    blobs_are_kept(&FileBlobs::open(&folder.path().join("blobs"), limits, Failure::default(), lock).unwrap()).await;
}
