//! What we keep: records, their keys, and the batches that change them.
//!
//! A value holds no address, name, number, subject or text in clear: such things are [`Sealed`]. What stays visible is times, sizes, states,
//! levels, numbers of recipients and which rows belong together (SECURITY.md).
//!
//! | state of a message | reached by | a crash here leaves |
//! |---|---|---|
//! | - | `blobs.put` | orphaned blobs, swept later; no 250 was said |
//! | `Pending` | commit, before the clean recipients are relayed to | a message nobody can open; swept at start, no 250 was said |
//! | `Held` | commit | complete: the mail that asks the sender for a number is in the outbox |
//! | `Quarantined` | commit | complete: it waits for `zegel quarantine`, and expires by itself |
//! | `Sent` | commit | complete: a notification per grant is in the outbox |
//! | `Blocked` | commit | complete |
//! | `Recalled` | commit, blobs deleted after | orphaned blobs, swept later |
//! | `Gone` | commit, blobs deleted after | orphaned blobs, swept later |

mod batch;
mod key;

pub use batch::{Batch, Expect, Op, Record};
pub use key::{Key, KeyRange};

use crate::{
    secret::{Id, from_base64url},
    time::{Day, Time},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// Bytes that `seal` made of something that may not lie about in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::secret::base64url(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sealed, D::Error> {
        let text = String::deserialize(from)?;
        from_base64url(&text).map(Sealed).ok_or_else(|| serde::de::Error::custom("not base64url"))
    }
}

/// A record that can't be read: damaged, or written by a newer version.
#[derive(Debug, thiserror::Error)]
#[error("record {key} cannot be read: {reason}")]
pub struct Unreadable {
    /// Its key.
    pub key: Key,
    /// What the reader says; never content, which is sealed.
    pub reason: String,
}

impl Record {
    /// The value as what it is under `key`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no such thing.
    pub fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<T, Unreadable> {
        serde_json::from_str(&self.value).map_err(|e| Unreadable { key: key.clone(), reason: e.to_string() })
    }
}

/// The version of the values' format that this program writes.
pub const FORMAT: u8 = 1;

/// Where a message stands; see the table at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Committed, while its clean recipients are being relayed to. Nobody can open it.
    Pending,
    /// At least one recipient waits for a phone number.
    Held,
    /// It waits for the organisation's decision. Nobody has a link.
    Quarantined,
    /// Every recipient has a grant.
    Sent,
    /// Its sender has blocked it: nobody reads it until he takes that back.
    Blocked,
    /// Its sender has recalled it for good: keys destroyed, blobs deleted. Its grants stay until its day, without keys and numbers, for the page that
    /// tells him what had been read.
    Recalled,
    /// Expired or given up: keys destroyed, blobs deleted.
    Gone,
}

/// `message/<id>`: a message that was sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SealedMessage {
    /// [`FORMAT`].
    pub v: u8,
    /// Where it stands.
    pub state: State,
    /// When it was taken.
    pub at: Time,
    /// The day on which it goes; names the bucket key of every wrap.
    pub expires: Day,
    /// The generation of the master key of every wrap.
    pub generation: u32,
    /// The sender's address under the field key, for notices ("not sent", "locked"); `None` when nobody may be told: a null sender, a machine.
    pub sender: Option<Sealed>,
    /// The sender's language.
    pub language: String,
    /// The [`Card`]'s id: it is sealed under the message's content key for the place of this name.
    pub card: Id,
    /// The card itself, up to [`SealedMessage::CARD_BYTES`]: a file of its own would cost the disk more than all records of the message do. A longer
    /// one is the blob `card`, as every card was in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_card: Option<Sealed>,
    /// The mail as it came in, kept while it may have to go on as it is; it is among the blobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
    /// Whether its sender is one of us, who may see and change what becomes of it. Whoever is not, as of a mail that was forwarded, must not get a page
    /// that decides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
    /// Whether only its files are kept from the mail that tells of it: the text travels in that mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub files_only: bool,
    /// Every blob of the message, the card's included where it is one.
    pub blobs: Vec<Id>,
    /// The [`Approval`] by which its sender was asked, if he was: its wrap moves and goes with those of the grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Id>,
    /// Whether its day was moved: a row under `expiry/` that comes before that day is then an old one, and means nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
}

/// The octets of a mail as they came in, sealed as a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// The blob.
    pub blob: Id,
    /// Their number in clear.
    pub size_bytes: u64,
    /// Whether the card lists it too: a message of very many files is kept as the one original mail.
    pub is_a_file: bool,
}

impl SealedMessage {
    /// The longest sealed card that stands in the record. It grows by a third in base64url, and lists at most 80 parts at this length, whose blobs
    /// the record names once more: 14 KiB in all, within [`Record::MAX_BYTES`].
    pub const CARD_BYTES: usize = 8 * 1024;
}

/// How a recipient proves who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// A password by mail.
    #[serde(rename = "1")]
    One,
    /// A code by SMS.
    #[serde(rename = "2")]
    Two,
}

/// `grant/<lookup id>`: one recipient's right to open a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// [`FORMAT`].
    pub v: u8,
    /// The message.
    pub message: Id,
    /// How the recipient proves who he is.
    pub level: Level,
    /// The recipient's address under the field key.
    pub address: Sealed,
    /// At level 2 the number under the field key.
    pub phone: Option<Sealed>,
    /// The content key: wrapped by the link's key, and that by the outer key of the day of expiry (docs/format.md).
    pub wrap: Sealed,
    /// Wrong tries since the last right one or the last lock.
    #[serde(default)]
    pub wrong_tries: u32,
    /// Until when no try is taken.
    #[serde(default)]
    pub locked_until: Option<Time>,
    /// How often it was locked: each lock lasts twice as long as the one before.
    #[serde(default)]
    pub locks: u32,
    /// When it was first read behind the code.
    #[serde(default)]
    pub read: Option<Time>,
    /// What the sender wants to hear about this recipient (`notice::Origin`), under the field key.
    #[serde(default)]
    pub origin: Option<Sealed>,
    /// When its notification came back: that is told once.
    #[serde(default)]
    pub bounced: Option<Time>,
}

/// `of/<message>/<lookup id>`: says that the grant is one of the message's, and what is known of it beside the grant itself; `null` while nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`FORMAT`].
    pub v: u8,
    /// When the next hop took the notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified: Option<Time>,
    /// When the notification was refused for good or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Time>,
    /// The number of each file that was fetched or looked at, and when that was first so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<(usize, Time)>,
}

impl Receipt {
    /// So many files are remembered: a card lists 200 at most, and the text may be one more.
    const MOST_FILES: usize = 256;

    /// Remembers that the recipient has had the files of these numbers; whether that was news.
    pub fn had(&mut self, files: impl IntoIterator<Item = usize>, now: Time) -> bool {
        let before = self.files.len();
        for number in files {
            if self.files.len() < Receipt::MOST_FILES && self.files.iter().all(|(known, _)| *known != number) {
                self.files.push((number, now));
            }
        }
        self.files.len() > before
    }
}

/// `waiting/<message>/<number>`: a recipient of a held message, whose link does not exist yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// [`FORMAT`].
    pub v: u8,
    /// How the recipient will prove who he is.
    pub level: Level,
    /// The recipient's address under the field key.
    pub address: Sealed,
    /// The number under the field key, if it is known; at level 2 one without it is asked of the sender.
    pub phone: Option<Sealed>,
    /// What the sender wants to hear about this recipient (`notice::Origin`), under the field key.
    #[serde(default)]
    pub origin: Option<Sealed>,
    /// Whether it is to be written down, when the message goes to him, that somebody of the organisation writes to him.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_contact: bool,
    /// What it takes to send him the mail as it came (`release::AsSent`), under the field key; only where whoever decides may do so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_sent: Option<Sealed>,
}

/// `openly/<message>/<number>`: a recipient to whom a held mail goes as it came, by decision of its sender or of the organisation. Gone once the
/// next hop has it, or its sender knows that it hasn't.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Openly {
    /// [`FORMAT`].
    pub v: u8,
    /// The recipient's address under the field key.
    pub address: Sealed,
    /// What the sender wants to hear about this recipient (`notice::Origin`), under the field key.
    pub origin: Sealed,
    /// The rest of the envelope, and our trace header (`release::AsSent`), under the field key.
    pub as_sent: Sealed,
    /// The content key, wrapped as a grant's is; the token lies in the outbox.
    pub wrap: Sealed,
}

/// `approval/<lookup id>`: the sender's link to a held message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// [`FORMAT`].
    pub v: u8,
    /// The message.
    pub message: Id,
    /// The content key, wrapped as a grant's is, by the key of the sender's link.
    pub wrap: Sealed,
    /// When the message is given up unless it was released before.
    pub until: Time,
    /// When the sender released it.
    #[serde(default)]
    pub released: Option<Time>,
    /// Whether the sender has to choose how it goes before anything else.
    #[serde(default)]
    pub ask: bool,
    /// Whether somebody was to get it as it is.
    #[serde(default)]
    pub openly: bool,
    /// The keys of the mails that will remind the sender: they go with his decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<String>,
}

/// `quarantine/<message>`: a message that waits for the organisation's decision.
///
/// The link that opens it is in here, under the field key: until the decision the machine's keys open the message, and afterwards no longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quarantined {
    /// [`FORMAT`].
    pub v: u8,
    /// When it was taken.
    pub at: Time,
    /// When it is given up unless somebody decided before.
    pub until: Time,
    /// What it is (`release::Details`), under the field key.
    pub details: Sealed,
    /// It was refused, and the sweep takes it away; the explanation, under the field key.
    #[serde(default)]
    pub refused: Option<Sealed>,
}

/// `reply/<message>/<grant>/<id>`: what a recipient replied. The id is that of his form with what he filled in: a second press finds it there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// [`FORMAT`].
    pub v: u8,
    /// When.
    pub at: Time,
    /// The reply itself: a [`SealedMessage`].
    pub reply: Id,
    /// Its secret, under the content key of the message that it answers.
    pub wrap: Sealed,
}

/// `challenge/<lookup id>`: a password or code that was sent and can be answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// [`FORMAT`].
    pub v: u8,
    /// Argon2id of the password or code, keyed with the code key.
    pub hash: Sealed,
    /// The salt of that hash.
    pub salt: Sealed,
    /// When it was sent.
    pub at: Time,
    /// Until when it can be answered.
    pub expires: Time,
    /// Wrong answers that are still taken.
    pub tries_left: u32,
    /// The [`SentSms`] that brought it; `None` for a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<Id>,
}

/// `sms/<reference>`: an SMS with a code, by the name under which the provider reports what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentSms {
    /// [`FORMAT`].
    pub v: u8,
    /// The message that its code opens.
    pub message: Id,
    /// The grant.
    pub grant: Id,
    /// What is known of it.
    pub fate: SmsFate,
}

/// What is known of an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmsFate {
    /// It is being sent, or a provider has taken it.
    Underway,
    /// A provider was asked and did not answer.
    Unsure,
    /// It is on the telephone.
    Delivered,
    /// It will not get there.
    Undelivered,
}

/// `spent/sms`: what SMS have cost today.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpentSms {
    /// [`FORMAT`].
    pub v: u8,
    /// The day (UTC).
    pub day: Day,
    /// So many were sent, or are being sent.
    pub count: u32,
}

/// `outbox/<due>/<id>`, `reminder/<due>/<id>`: a mail that zegel writes; a reminder moves to the outbox when it is due. It is composed when it leaves, so the row holds what it says, not its octets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// [`FORMAT`].
    pub v: u8,
    /// When it was put here.
    pub at: Time,
    /// The message it is about.
    pub about: Id,
    /// The grant it is about: events and the sender's notices name its recipient.
    pub grant: Option<Id>,
    /// The number of the [`Openly`] of that message which it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openly: Option<u32>,
    /// It is dropped unless the message is in this state when it is due.
    pub only_if: Option<State>,
    /// Attempts so far.
    pub tries: u32,
    /// Whether this claim belongs to a worker: a row that is due with this set was left by a worker that died.
    #[serde(default)]
    pub claimed: bool,
    /// Whether the sender was told that it takes long.
    #[serde(default)]
    pub delay_told: bool,
    /// What the mail says (`notice::Letter`), under the queue key.
    pub letter: Sealed,
}

/// `expiry/<day>/<id>`: something that must go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expiry {
    /// [`FORMAT`].
    pub v: u8,
    /// Not before this moment.
    pub at: Time,
    /// What goes.
    pub what: Expires,
}

/// What expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expires {
    /// A message and all that belongs to it.
    Message(Id),
    /// A message, if it is still held: the sender is told that it was not sent.
    Held(Id),
    /// A message, if it is still in quarantine: the sender is told that it was not sent.
    Quarantined(Id),
    /// A [`Contact`], if nobody has written since.
    Contact(String),
    /// A single record: a session, a seen key, a tombstone.
    Key(String),
}

/// `sweep/reached`: how far the sweep has gone. A clock that is far ahead of it is not believed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reached {
    /// [`FORMAT`].
    pub v: u8,
    /// What was due by then is gone.
    pub at: Time,
}

/// `seen/<hmac>`: a mail that was taken, so that its repeat notifies nobody twice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// [`FORMAT`].
    pub v: u8,
    /// The message made of it; `None` where its recipient has the mail itself, or only those have it to whom it was relayed.
    pub message: Option<Id>,
    /// Whether 250 may be answered: committed, not pending.
    pub committed: bool,
    /// Hash of the recipients it was relayed to.
    pub relayed: Sealed,
    /// The hashes of those it was relayed to when it was sent again.
    #[serde(default)]
    pub also: Vec<Sealed>,
}

/// `reference/<code>/<grant>`: the mails about a grant bear this code. Somebody who doubts one is told the day, and nothing else.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// [`FORMAT`].
    pub v: u8,
    /// The day on which the notification was written.
    pub on: Day,
}

/// `rate/<what>/<hmac>`: when something was done for an address, the last day's only.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rate {
    /// [`FORMAT`].
    pub v: u8,
    /// The moments, oldest first.
    pub times: Vec<Time>,
}

/// `session/<sha256>`: a browser that unlocked a grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// [`FORMAT`].
    pub v: u8,
    /// The grant.
    pub grant: Id,
    /// The content key, sealed under a key from the cookie's value.
    pub wrap: Sealed,
    /// It ends when it is not used until then.
    pub idle_until: Time,
    /// It ends then in any case.
    pub until: Time,
}

/// `phone/<hmac of address>`: a recipient's number, for the whole organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KnownPhone {
    /// [`FORMAT`].
    pub v: u8,
    /// The recipient's address under the field key.
    pub address: Sealed,
    /// The number under the field key.
    pub phone: Sealed,
    /// Who entered it, under the field key.
    pub by: Sealed,
    /// When.
    pub at: Time,
}

/// `contact/<hmac of address>`: somebody of the organisation has written to this address. Kept only while a policy asks for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// [`FORMAT`].
    pub v: u8,
    /// When that was last so, to a month: it is not written anew for each mail.
    pub at: Time,
}

/// `event/<time>/<id>`: one fact, without content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// [`FORMAT`].
    pub v: u8,
    /// What happened.
    pub what: Fact,
    /// The message it is about.
    pub message: Option<Id>,
    /// The grant it is about.
    pub grant: Option<Id>,
    /// The transaction's queue id, as in the log.
    #[serde(default)]
    pub queue: Option<String>,
    /// Who did it, where it is a decision, under the field key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Sealed>,
    /// Why, in the words of whoever did it, under the field key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
}

/// What can happen to a message (NTA 7516, 6.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// A message was sealed.
    Sealed,
    /// A recipient's own mail server took the mail itself, over a verified way.
    Direct,
    /// A held message waits for a number.
    Held,
    /// A message waits for the organisation's decision.
    Quarantined,
    /// The organisation refused it.
    Refused,
    /// A held message was released by its sender, or by the organisation.
    Released,
    /// Its sender, or the organisation, decided that it goes as it is to those for whom no policy asks for protection; who and why stands here.
    SentOpenly,
    /// The next hop took a mail that went as it is.
    Relayed,
    /// A recipient's notification was taken by the next hop.
    Notified,
    /// A recipient's notification was refused for good or given up.
    NotNotified,
    /// A password was sent by mail.
    PasswordSent,
    /// A code was sent by SMS.
    CodeSent,
    /// A code could not be sent.
    CodeFailed,
    /// A code was perhaps sent by SMS: the provider did not answer.
    CodeUnsure,
    /// The provider reports that a code is on the telephone.
    CodeDelivered,
    /// The provider reports that a code will not get there.
    CodeUndelivered,
    /// A right password or code was given.
    Unlocked,
    /// A wrong one was given.
    WrongTry,
    /// Too many wrong ones: no try is taken for a while.
    Locked,
    /// The message was shown.
    Read,
    /// An attachment was downloaded.
    Downloaded,
    /// An attachment was shown in the browser.
    Viewed,
    /// A recipient replied.
    Replied,
    /// A reply was taken by the next hop.
    ReplySent,
    /// A reply was refused for good or given up.
    ReplyNotSent,
    /// A number was entered or changed.
    PhoneSet,
    /// A number was forgotten.
    PhoneForgotten,
    /// A held message was given up: no number came in time.
    NotSent,
    /// Its sender has blocked a message.
    Blocked,
    /// He took that back.
    Unblocked,
    /// Its sender has recalled a message for good: its keys are destroyed.
    Recalled,
    /// Its sender has moved the day of a message.
    DayMoved,
    /// A recipient says that the number is not his.
    NumberDoubted,
    /// Its sender has changed the number of a recipient.
    NumberChanged,
    /// A message reached its day: its keys are destroyed.
    Expired,
}

/// What a recipient sees of a message before opening its parts. Sealed under the content key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The subject, without trigger.
    pub subject: String,
    /// The subject as notifications may show it; `None` when it holds a finding. A held message is released without being judged again.
    #[serde(default)]
    pub open_subject: Option<String>,
    /// The sender's name as the From field gave it; may be empty.
    pub sender_name: String,
    /// The sender's address.
    pub sender: String,
    /// The Date field, or when the message was taken.
    pub date: Time,
    /// The text to show.
    pub text: Option<Part>,
    /// The HTML to show.
    pub html: Option<Part>,
    /// The files: attachments, pictures within the HTML, nested mails.
    pub files: Vec<Part>,
}

/// One part of a sealed message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its blob; the card's own when the content stands here.
    pub blob: Id,
    /// The content of a short text. A file of its own would double what a message costs the disk, which makes each durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its file name, made safe to show; empty for text and HTML.
    pub name: String,
    /// Its media type as declared: `application/pdf`.
    pub media_type: String,
    /// Its Content-ID, without angle brackets, when HTML refers to it.
    pub content_id: Option<String>,
    /// Its length in clear: a blob that was cut short is noticed.
    pub size_bytes: u64,
}
