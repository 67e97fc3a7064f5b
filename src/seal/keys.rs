//! The keys: how each is derived, and how a content key is wrapped so that only a link and a key that is destroyed in time open it together.

use super::{Context, Damaged, Kind, Salt, open, seal};
use crate::{
    address::Address,
    record::{self, Sealed},
    secret::{self, Id, Secret, Token},
    time::Day,
};
use aws_lc_rs::{digest as sha, hkdf, hmac};
use zeroize::Zeroizing;

/// 32 secret bytes under which something is sealed. Wiped from memory when it goes.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA-256 without salt: a key for the purpose `label`, which tells nothing about `secret` or about other purposes' keys.
    fn derive(secret: &[&[u8]], label: &str) -> Key {
        let joined = Zeroizing::new(secret.concat());
        let mut key = Key::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(&joined)
            .expand(&[label.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|out| out.fill(&mut *key.0))
            .expect("32 bytes are within HKDF's limit");
        key
    }

    fn from_opened(opened: &[u8]) -> Result<Key, Damaged> {
        opened.try_into().map(Key::new).map_err(|_| Damaged)
    }
}

/// The key of one message: its parts and its card are sealed under it, and every recipient has a wrap of it.
#[derive(Clone)]
pub struct ContentKey(Key);

impl ContentKey {
    /// A new one.
    #[must_use]
    pub fn random() -> ContentKey {
        ContentKey(Key::new(secret::random()))
    }

    /// For [`seal`] and [`open`].
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0
    }
}

/// The key of a day of expiry. Destroying it destroys every wrap of that day, in old backups too.
pub struct Bucket {
    day: Day,
    key: Key,
}

impl Bucket {
    /// A new key for `day`.
    #[must_use]
    pub fn random(day: Day) -> Bucket {
        Bucket { day, key: Key::new(secret::random()) }
    }

    /// Its day.
    #[must_use]
    pub fn day(&self) -> Day {
        self.day
    }
}

/// The key of the machine, with the keys that derive from it, one per purpose.
pub struct Master {
    generation: u32,
    root: Key,
    field: Key,
    letter: Key,
    bucket: Key,
    canary: Key,
    code: Key,
    address: hmac::Key,
    seen: hmac::Key,
    verdict: hmac::Key,
    bounce: hmac::Key,
    status: hmac::Key,
}

impl Master {
    /// A new master key.
    #[must_use]
    pub fn random(generation: u32) -> Master {
        Master::new(generation, Key::new(secret::random()))
    }

    /// The master key of these bytes. Generations count from 1.
    #[must_use]
    pub fn new(generation: u32, root: Key) -> Master {
        let purpose = |label: &str| Key::derive(&[root.expose()], label);
        let mac = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, purpose(label).expose());
        Master {
            generation,
            field: purpose("zegel/1 field"),
            letter: purpose("zegel/1 queue"),
            bucket: purpose("zegel/1 bucket"),
            canary: purpose("zegel/1 canary"),
            code: purpose("zegel/1 code"),
            address: mac("zegel/1 address"),
            seen: mac("zegel/1 seen"),
            verdict: mac("zegel/1 verdict"),
            bounce: mac("zegel/1 bounce"),
            status: mac("zegel/1 status"),
            root,
        }
    }

    /// Which master key this is; rotation makes the next.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The bytes, for the file they are kept in.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.root.expose()
    }

    /// Under which things about an address are found again, without the store knowing the address.
    #[must_use]
    pub fn address_hash(&self, address: &Address) -> [u8; 32] {
        bytes(hmac::sign(&self.address, address.canonical().as_bytes()))
    }

    /// Under which a mail that comes in again is recognised. Each part counts with its length: `["a", "bc"]` is not `["ab", "c"]`.
    #[must_use]
    pub fn seen_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac_of(&self.seen, parts)
    }

    /// What says in a mail's header that it was judged. Each part counts with its length.
    #[must_use]
    pub fn verdict_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac_of(&self.verdict, parts)
    }

    /// What shows that an address for the bounces of `grant`'s notification is ours. 80 bits, for an address has little room: a guess takes a mail each.
    #[must_use]
    pub fn bounce_tag(&self, grant: Id) -> [u8; 10] {
        *bytes(hmac::sign(&self.bounce, &grant.0)).first_chunk().expect("10 bytes of 32")
    }

    /// What stands in the link by which a message's sender sees what became of it: its name, and a tag that only this key makes. It opens no content,
    /// as no key comes from it; so every mail to the sender can bear it, and nothing needs to be kept of it.
    #[must_use]
    pub fn status_token(&self, message: Id) -> Token {
        let mut octets = [0; 32];
        octets[..16].copy_from_slice(&message.0);
        octets[16..].copy_from_slice(&bytes(hmac::sign(&self.status, &message.0))[..16]);
        Token::of(octets)
    }

    /// The message of which [`Master::status_token`] made this.
    #[must_use]
    pub fn status_of(&self, token: &Token) -> Option<Id> {
        let message = Id(*token.expose().first_chunk().expect("16 bytes of 32"));
        secret::equal(self.status_token(message).expose(), token.expose()).then_some(message)
    }

    /// The secret of Argon2: whoever steals the store alone can't try six digits.
    #[must_use]
    pub fn code_key(&self) -> &[u8; 32] {
        self.code.expose()
    }

    /// Seals the field `name` of the record at `of`. In another field or record it does not open.
    #[must_use]
    pub fn seal_field(&self, name: &'static str, of: &record::Key, text: &str, salt: Salt) -> Sealed {
        seal(&self.field, &self.field_context(name, of), salt, text.as_bytes()).into_sealed()
    }

    /// Opens the field `name` of the record at `of`.
    ///
    /// # Errors
    /// [`Damaged`] when it is not what [`Master::seal_field`] made for that place.
    pub fn open_field(&self, name: &'static str, of: &record::Key, sealed: &Sealed) -> Result<Secret<String>, Damaged> {
        let mut opened = open(&self.field, &self.field_context(name, of), &sealed.0)?;
        String::from_utf8(std::mem::take(&mut *opened)).map(Secret::new).map_err(|_| Damaged)
    }

    fn field_context(&self, name: &str, of: &record::Key) -> Context {
        Context::new(Kind::Field, self.generation, &[name.as_bytes(), of.as_str().as_bytes()])
    }

    /// Seals what the mail `id` of the outbox says. Its record's key moves with each attempt, so the id alone names its place.
    #[must_use]
    pub fn seal_letter(&self, id: Id, letter: &[u8], salt: Salt) -> Sealed {
        seal(&self.letter, &self.letter_context(id), salt, letter).into_sealed()
    }

    /// Opens what the mail `id` of the outbox says.
    ///
    /// # Errors
    /// [`Damaged`] when it is not what [`Master::seal_letter`] made for that mail.
    pub fn open_letter(&self, id: Id, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Damaged> {
        open(&self.letter, &self.letter_context(id), &sealed.0)
    }

    fn letter_context(&self, id: Id) -> Context {
        Context::new(Kind::Letter, self.generation, &[&id.0])
    }

    /// The content of a bucket key's file.
    #[must_use]
    pub fn seal_bucket(&self, bucket: &Bucket, salt: Salt) -> Sealed {
        seal(&self.bucket, &self.bucket_context(bucket.day), salt, bucket.key.expose()).into_sealed()
    }

    /// Reads the content of the file of `day`'s bucket key.
    ///
    /// # Errors
    /// [`Damaged`] when it is another day's, or this master key is not the one it was written under.
    pub fn open_bucket(&self, day: Day, sealed: &[u8]) -> Result<Bucket, Damaged> {
        let opened = open(&self.bucket, &self.bucket_context(day), sealed)?;
        Ok(Bucket { day, key: Key::from_opened(&opened)? })
    }

    fn bucket_context(&self, day: Day) -> Context {
        Context::new(Kind::Bucket, self.generation, &[day.to_string().as_bytes()])
    }

    /// A known text under this key. A store holds one per generation; see [`Master::made`].
    #[must_use]
    pub fn canary(&self, salt: Salt) -> Sealed {
        seal(&self.canary, &self.canary_context(), salt, CANARY).into_sealed()
    }

    /// Whether this key made that canary: the key in the folder is the one the store was made with.
    #[must_use]
    pub fn made(&self, canary: &Sealed) -> bool {
        open(&self.canary, &self.canary_context(), &canary.0).is_ok_and(|opened| *opened == *CANARY)
    }

    fn canary_context(&self) -> Context {
        Context::new(Kind::Canary, self.generation, &[])
    }

    fn outer_key(&self, bucket: &Bucket) -> Key {
        Key::derive(&[self.root.expose(), bucket.key.expose()], "zegel/1 outer")
    }
}

const CANARY: &[u8] = b"zegel canary";

/// The name of the grant that belongs to a link. The link can't be found from it.
#[must_use]
pub fn lookup_id(token: &Token) -> Id {
    let name = Key::derive(&[token.expose()], "zegel/1 lookup");
    Id(*name.expose().first_chunk().expect("16 bytes of 32"))
}

/// Wraps the content key of `message` for the holder of `token`, until the bucket's day.
///
/// Two layers, not one key from both secrets: so a master key can be rotated, and the day moved, without the token, which nobody here has.
#[must_use]
pub fn wrap(master: &Master, bucket: &Bucket, token: &Token, message: Id, key: &ContentKey, salts: [Salt; 2]) -> Sealed {
    let grant = lookup_id(token);
    let [inner_salt, outer_salt] = salts;
    let inner = seal(&link_key(token), &inner_context(message, grant), inner_salt, key.0.expose());
    seal(&master.outer_key(bucket), &outer_context(master, bucket, message, grant), outer_salt, inner.as_bytes()).into_sealed()
}

/// Opens a wrap with the link it was made for.
///
/// # Errors
/// [`Damaged`] when the link, the message, the day or the master key is another.
pub fn unwrap(master: &Master, bucket: &Bucket, token: &Token, message: Id, wrapped: &Sealed) -> Result<ContentKey, Damaged> {
    let grant = lookup_id(token);
    let inner = open(&master.outer_key(bucket), &outer_context(master, bucket, message, grant), &wrapped.0)?;
    let key = open(&link_key(token), &inner_context(message, grant), &inner)?;
    Ok(ContentKey(Key::from_opened(&key)?))
}

/// Moves a wrap to another day: the outer layer is made anew, the inner one, which the link of `grant` alone opens, stays.
///
/// # Errors
/// [`Damaged`] when the message, the grant, the day or the master key is another.
pub fn rewrap(master: &Master, [from, to]: [&Bucket; 2], message: Id, grant: Id, wrapped: &Sealed, salt: Salt) -> Result<Sealed, Damaged> {
    let inner = open(&master.outer_key(from), &outer_context(master, from, message, grant), &wrapped.0)?;
    Ok(seal(&master.outer_key(to), &outer_context(master, to, message, grant), salt, &inner).into_sealed())
}

fn link_key(token: &Token) -> Key {
    Key::derive(&[token.expose()], "zegel/1 link")
}

/// Neither day nor generation: the inner layer stays when the outer one is made anew.
fn inner_context(message: Id, grant: Id) -> Context {
    Context::new(Kind::Wrap, 0, &[&message.0, &grant.0])
}

fn outer_context(master: &Master, bucket: &Bucket, message: Id, grant: Id) -> Context {
    Context::new(Kind::Outer, master.generation, &[&message.0, &grant.0, bucket.day.to_string().as_bytes()])
}

/// The name of the session that belongs to a cookie.
#[must_use]
pub fn session_hash(cookie: &Token) -> [u8; 32] {
    digest([cookie.expose().as_slice()])
}

/// Wraps a content key for a browser that unlocked `grant`: the cookie's value opens it, the store alone does not.
#[must_use]
pub fn wrap_session(cookie: &Token, grant: Id, key: &ContentKey, salt: Salt) -> Sealed {
    seal(&session_key(cookie), &session_context(grant), salt, key.0.expose()).into_sealed()
}

/// Opens the wrap of a session.
///
/// # Errors
/// [`Damaged`] when the cookie or the grant is another.
pub fn unwrap_session(cookie: &Token, grant: Id, wrapped: &Sealed) -> Result<ContentKey, Damaged> {
    let key = open(&session_key(cookie), &session_context(grant), &wrapped.0)?;
    Ok(ContentKey(Key::from_opened(&key)?))
}

fn session_key(cookie: &Token) -> Key {
    Key::derive(&[cookie.expose()], "zegel/1 session")
}

fn session_context(grant: Id) -> Context {
    Context::new(Kind::Session, 0, &[&grant.0])
}

/// The key under which a reply is sealed whose secret is `token`.
#[must_use]
pub fn reply_key(token: &Token) -> ContentKey {
    ContentKey(Key::derive(&[token.expose()], "zegel/1 reply"))
}

/// Keeps the secret of a reply under the content key of the message that it answers: whoever can read that one under `grant` can read the reply,
/// and when its keys are destroyed nobody can.
#[must_use]
pub fn wrap_reply(key: &ContentKey, grant: Id, reply: Id, token: &Token, salt: Salt) -> Sealed {
    seal(&key.0, &reply_context(grant, reply), salt, token.in_link().expose().as_bytes()).into_sealed()
}

/// Opens what [`wrap_reply`] kept.
///
/// # Errors
/// [`Damaged`] when the message, the grant or the reply is another.
pub fn unwrap_reply(key: &ContentKey, grant: Id, reply: Id, wrapped: &Sealed) -> Result<Token, Damaged> {
    let text = open(&key.0, &reply_context(grant, reply), &wrapped.0)?;
    std::str::from_utf8(&text).ok().and_then(Token::parse).ok_or(Damaged)
}

fn reply_context(grant: Id, reply: Id) -> Context {
    Context::new(Kind::Reply, 0, &[&grant.0, &reply.0])
}

/// What a form must bring back to show that it came from our page: derived from the link or the session's cookie, so nothing is kept for it.
#[must_use]
pub fn form_token(secret: &Token) -> Secret<String> {
    Secret::new(secret::base64url(Key::derive(&[secret.expose()], "zegel/1 form").expose()))
}

/// Whether a form brought back what [`form_token`] gave it.
#[must_use]
pub fn form_token_fits(secret: &Token, given: &str) -> bool {
    secret::equal(form_token(secret).expose().as_bytes(), given.as_bytes())
}

/// SHA-256 of the pieces, one after the other.
#[must_use]
pub fn digest<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = sha::Context::new(&sha::SHA256);
    for piece in pieces {
        context.update(piece);
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn mac_of(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = hmac::Context::with_key(key);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    bytes(mac.sign())
}

fn bytes(tag: hmac::Tag) -> [u8; 32] {
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}
