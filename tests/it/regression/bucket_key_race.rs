//! The first mails of a day of expiry came at the same moment, each made the day's key, and the file kept one of them: what had been sealed under
//! the other could never be opened after a restart. Found by the kill test.

use std::sync::Arc;
use tempfile::TempDir;
use zegel::{
    clock::{Clock as _, SystemClock},
    seal::{ContentKey, Salt, unwrap, wrap},
    secret::{Id, Token},
    store::{self, StoreOptions},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_first_messages_of_a_day_share_the_key_that_is_on_disk() {
    for round in 0..20 {
        let folder = TempDir::new().unwrap();
        let options = StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now());
        let opened = store::open(&options).unwrap();
        let day = SystemClock.now().day().plus_days(30);
        let message = Id::random();
        let start = Arc::new(tokio::sync::Barrier::new(16));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (keyring, start) = (opened.keyring.clone(), start.clone());
            tasks.spawn(async move {
                start.wait().await;
                let bucket = keyring.bucket(day).await.expect("a key can be made");
                let token = Token::random();
                let salts = [Salt::random(), Salt::random()];
                let wrapped = wrap(&keyring.master(), &bucket, &token, message, &ContentKey::random(), salts);
                (token, wrapped)
            });
        }
        let wrapped = tasks.join_all().await;
        drop(opened);
        let opened = store::open(&options).unwrap();
        let bucket = opened.keyring.existing(day).expect("the key is on disk");
        for (token, wrapped) in wrapped {
            assert!(unwrap(&opened.keyring.master(), &bucket, &token, message, &wrapped).is_ok(), "round {round}");
        }
    }
}
