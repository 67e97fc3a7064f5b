//! What a recipient writes back, and the conversation that comes of it.
//!
//! A reply is a sealed message of its own. Its secret lies in two places: under the content key of the message that it answers, so that its writer
//! sees it on the page as long as that message can be read; and in the outbox, until the mail with it has reached the sender's own mailbox.

use super::{
    answer::{Page, Refusal, Visit, see_other},
    files,
    link::read,
    names::safe_name,
    pieces::Pieces,
    read::{self, open_card},
    session::Open,
    upload::{Keeping, Unfit, Upload},
};
use crate::{
    address::Address,
    grant::{self, About},
    notice::{Letter, Origin},
    record::{Batch, Card, Expect, Expires, Expiry, FORMAT, Fact, Key, KeyRange, Part, Reply, SealedMessage, State},
    seal::{ContentKey, Salt, part_context, reply_key, seal, seal_card, unwrap_reply, wrap_reply},
    secret::{Id, Token},
    store::{Room, StoreError},
    template::{Fault, File, ReplyForm, Said},
    time::Day,
};
use axum::{body::Body, http::StatusCode};
use std::time::Duration;

/// So many replies of one recipient to one message are taken and shown.
const MAX_REPLIES: usize = 50;
/// A text up to this length stands in the card.
const IN_CARD_BYTES: usize = 32 * 1024;
/// A reply is kept so long at least: the mail with it is tried for two days, and must be readable until it arrives.
const LEAST_DAYS: u32 = 7;
/// So long the page says at its top that a reply was sent.
const JUST_SENT: Duration = Duration::from_secs(120);

/// What was wrong with a reply, and what of it is not lost.
pub(super) struct Unsent {
    fault: Fault,
    status: StatusCode,
    text: String,
}

/// What the page shows of a conversation.
pub(super) struct Talk {
    pub(super) said: Vec<Said>,
    pub(super) just_sent: bool,
    /// `None` where nobody takes a reply.
    pub(super) form: Option<ReplyForm>,
}

/// Takes a reply. Only the fields before the files are read before it is clear that the form is ours and not too large.
pub(super) async fn post(visit: &mut Visit, grant: Id, body: Body) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let mut text = String::new();
    let (fault, status) = match take(visit, &open, grant, body, &mut text).await {
        Ok(()) => return see_other(&format!("/r/{grant}")),
        Err(Unfit::Refused(refusal)) => return Err(refusal),
        Err(Unfit::Large) => ("fault-reply-large", StatusCode::PAYLOAD_TOO_LARGE),
        Err(Unfit::Many) => ("fault-reply-many", StatusCode::PAYLOAD_TOO_LARGE),
        Err(Unfit::Long) => ("fault-reply-long", StatusCode::PAYLOAD_TOO_LARGE),
        Err(Unfit::Empty) => ("fault-reply-empty", StatusCode::UNPROCESSABLE_ENTITY),
        Err(Unfit::Often) => ("fault-reply-often", StatusCode::TOO_MANY_REQUESTS),
    };
    let limits = visit.desk.portal.limits;
    let n = match status {
        StatusCode::PAYLOAD_TOO_LARGE if fault == "fault-reply-large" => Some(limits.reply_bytes / 1_000_000),
        StatusCode::PAYLOAD_TOO_LARGE if fault == "fault-reply-many" => Some(limits.reply_files as u64),
        _ => None,
    };
    let fault = Fault { n: n.and_then(|n| u32::try_from(n).ok()), ..Fault::new(fault) };
    read::show(visit, &open, grant, Some(Unsent { fault, status, text })).await
}

/// Reads, seals and commits a reply; what was typed stays in `typed`.
async fn take(visit: &Visit, open: &Open, grant: Id, body: Body, typed: &mut String) -> Result<(), Unfit> {
    let portal = visit.desk.portal.clone();
    let to = Receiver::of(visit, open).ok_or(Refusal::Missing)?;
    let mut upload = Upload::of(portal.limits, &visit.headers, body)?;
    if !crate::seal::form_token_fits(&open.cookie, &upload.small("form").await?) {
        return Err(Refusal::Form.into());
    }
    let once = Token::parse(&upload.small("once").await?).ok_or(Refusal::Form)?;
    *typed = upload.text("text", portal.limits.reply_text_bytes).await?;
    upload.note(&[typed.as_bytes()]);
    upload.fits()?;
    // Before any file: a reply takes memory while it comes in, and room on the disk.
    let _place = visit.desk.replying.try_acquire().map_err(|_| Refusal::Busy)?;
    if portal.blobs.room() == Room::Short {
        tracing::error!("portal: the disk is nearly full: no reply is taken");
        return Err(Refusal::Down.into());
    }
    let message = open.granted.grant.value.message;
    let rows = portal.store.list(&KeyRange::replies_of(message, grant), MAX_REPLIES).await.map_err(Refusal::from)?;
    let (id, token) = (Id::random(), Token::random());
    let mut keeping = Keeping { message: id, key: reply_key(&token), blobs: portal.blobs.clone(), kept: Vec::new() };
    let done = async {
        let files = upload.files(&mut keeping).await?;
        if files.is_empty() && typed.trim().is_empty() {
            return Err(Unfit::Empty);
        }
        let row = Key::reply(message, grant, upload.id(&once));
        if rows.iter().any(|(key, _)| *key == row) {
            return Ok(false);
        }
        if rows.len() >= MAX_REPLIES {
            return Err(Unfit::Often);
        }
        commit(visit, open, grant, &to, &mut keeping, Draft { row, token, text: typed.clone(), files }).await
    }
    .await;
    // The second press of the same button sends nothing more.
    if !matches!(done, Ok(true)) {
        keeping.undo().await;
    }
    done.map(|_| ())
}

/// A reply whose files are kept.
struct Draft {
    row: Key,
    token: Token,
    text: String,
    files: Vec<Part>,
}

/// Commits a reply with the mail that brings it; whether it was the first with its name.
async fn commit(visit: &Visit, open: &Open, grant: Id, to: &Receiver, keeping: &mut Keeping, draft: Draft) -> Result<bool, Unfit> {
    let portal = visit.desk.portal.clone();
    let original = read::card(visit, open).await?;
    let id = keeping.message;
    let record = seal_message(visit, open, to, keeping, &original, &draft).await?;
    let expires = record.expires;
    let message = open.granted.grant.value.message;
    let reply_id = draft.row.segments().last().and_then(Id::parse).ok_or(Refusal::Error)?;
    let wrap = wrap_reply(&open.content_key, grant, reply_id, &draft.token, Salt::random());
    let mut batch = Batch::new();
    // Not to a message that was recalled while it came in.
    batch.check(Key::message(message), open.granted.message.version);
    batch.put(Key::message(id), &record, Expect::Absent);
    batch.put(draft.row.clone(), &Reply { v: FORMAT, at: visit.now, reply: id, wrap }, Expect::Absent);
    let mut goes = |day: Day, what| {
        let at = day.plus_days(1).begins();
        batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
    };
    goes(expires, Expires::Message(id));
    goes(open.granted.message.value.expires, Expires::Key(draft.row.as_str().to_owned()));
    let letter = Letter::Reply {
        token: draft.token,
        sender: to.sender.clone(),
        recipient: to.recipient.clone(),
        subject: crate::notice::excerpt(&original.subject),
        in_reply_to: to.origin.message_id.clone(),
        language: open.granted.message.value.language.clone(),
    };
    grant::post(&mut batch, &portal.keyring.master(), &letter, About::message(id), visit.now);
    grant::note(&mut batch, Fact::Replied, Some(message), Some(grant), visit.now);
    match portal.store.commit(batch).await {
        Ok(()) => {
            tracing::info!("portal: grant {grant} replied message={id} files={}", draft.files.len());
            Ok(true)
        }
        // The same form, pressed twice at the same moment; or the message has moved on.
        Err(StoreError::Conflict) => match portal.store.get(&draft.row).await.map_err(Refusal::from)? {
            Some(_) => Ok(false),
            None => Err(Refusal::Busy.into()),
        },
        Err(error) => {
            // It may have been done all the same: what it names must not go. If it was not, the sweep finds orphans.
            keeping.kept.clear();
            Err(Refusal::from(error).into())
        }
    }
}

/// The record of a reply, with its card sealed.
async fn seal_message(
    visit: &Visit,
    open: &Open,
    to: &Receiver,
    keeping: &mut Keeping,
    original: &Card,
    draft: &Draft,
) -> Result<SealedMessage, Refusal> {
    let portal = visit.desk.portal.clone();
    let blob = Id::random();
    let mut text = Part {
        blob,
        content: Some(draft.text.clone()),
        name: String::new(),
        media_type: "text/plain; charset=utf-8".to_owned(),
        content_id: None,
        size_bytes: draft.text.len() as u64,
    };
    if draft.text.len() > IN_CARD_BYTES {
        (text.blob, text.content) = (Id::random(), None);
        let context = part_context(keeping.message, text.blob);
        keeping.keep(text.blob, seal(keeping.key.key(), &context, Salt::random(), draft.text.as_bytes())).await?;
    }
    let card = Card {
        subject: original.subject.clone(),
        open_subject: None,
        sender_name: String::new(),
        sender: to.recipient.to_string(),
        date: visit.now,
        text: Some(text),
        html: None,
        files: draft.files.clone(),
    };
    let ciphertext = seal_card(&keeping.key, keeping.message, blob, &card, Salt::random());
    let sealed_card = if ciphertext.as_bytes().len() <= SealedMessage::CARD_BYTES {
        Some(ciphertext.into_sealed())
    } else {
        keeping.keep(blob, ciphertext).await?;
        None
    };
    let expires = open.granted.message.value.expires.max(visit.now.day().plus_days(LEAST_DAYS));
    // Its day has a key, like that of every message: who opens the store looks for it.
    portal.keyring.bucket(expires).await?;
    Ok(SealedMessage {
        v: FORMAT,
        state: State::Sent,
        at: visit.now,
        expires,
        generation: portal.keyring.master().generation(),
        // Its writer is told by a letter of its own.
        sender: None,
        language: open.granted.message.value.language.clone(),
        card: blob,
        sealed_card,
        original: None,
        ours: false,
        files_only: false,
        blobs: keeping.kept.clone(),
        asked: None,
        moved: false,
    })
}

/// Who gets a reply, and who writes it.
struct Receiver {
    sender: Address,
    recipient: Address,
    origin: Origin,
}

impl Receiver {
    /// `None` where nobody takes a reply: a sender outside the organisation, a program, a message of an older version.
    fn of(visit: &Visit, open: &Open) -> Option<Receiver> {
        let (master, grant) = (visit.desk.portal.keyring.master(), &open.granted.grant.value);
        let key = Key::grant(open.session.value.grant);
        let origin = grant::open_origin(&master, &key, grant.origin.as_ref());
        let sender = Address::parse(origin.replies_to.as_deref()?).ok()?;
        let recipient = Address::parse(master.open_field("address", &key, &grant.address).ok()?.expose()).ok()?;
        Some(Receiver { sender, recipient, origin })
    }
}

/// The conversation as the page shows it, with a form to go on.
pub(super) async fn talk(visit: &Visit, open: &Open, grant: Id, unsent: Option<&Unsent>) -> Result<Talk, Refusal> {
    let rows = visit.desk.portal.store.list(&KeyRange::replies_of(open.granted.grant.value.message, grant), MAX_REPLIES).await?;
    let mut said = Vec::with_capacity(rows.len());
    for (key, record) in &rows {
        let row: Reply = record.read(key).map_err(|_| Refusal::Damaged)?;
        let id = key.segments().last().and_then(Id::parse).ok_or(Refusal::Damaged)?;
        let Some(part) = One::find(visit, open, grant, id, &row).await? else { continue };
        let text = part.text(visit).await?;
        let file = |(number, part): (usize, &Part)| File {
            number,
            name: safe_name(&part.name, &part.media_type),
            size_bytes: part.size_bytes,
            view: false,
        };
        said.push(Said { id: id.to_string(), at: row.at, text, files: part.card.files.iter().enumerate().map(file).collect() });
    }
    said.sort_by_key(|s| s.at);
    let just_sent = unsent.is_none() && said.last().is_some_and(|s| visit.now.since(s.at) < JUST_SENT);
    let limits = visit.desk.portal.limits;
    let form = Receiver::of(visit, open).map(|to| ReplyForm {
        to: to.sender.to_string(),
        once: Token::random().in_link().expose().clone(),
        text: unsent.map_or_else(String::new, |u| u.text.clone()),
        most_bytes: limits.reply_bytes,
        most_files: limits.reply_files,
        fault: unsent.map(|u| u.fault.clone()),
    });
    Ok(Talk { said, just_sent, form })
}

impl Unsent {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

/// One reply, opened.
struct One {
    message: Id,
    key: ContentKey,
    card: Card,
}

impl One {
    /// `None` when it has expired.
    async fn find(visit: &Visit, open: &Open, grant: Id, id: Id, row: &Reply) -> Result<Option<One>, Refusal> {
        let portal = &visit.desk.portal;
        let token = unwrap_reply(&open.content_key, grant, id, &row.wrap).map_err(|_| read::damaged(row.reply))?;
        let record = read::<SealedMessage>(&*portal.store, &Key::message(row.reply)).await?;
        let Some(record) = record.filter(|r| r.value.state == State::Sent) else { return Ok(None) };
        let key = reply_key(&token);
        let card = open_card(&*portal.blobs, row.reply, &record.value, &key).await?;
        Ok(Some(One { message: row.reply, key, card }))
    }

    async fn text(&self, visit: &Visit) -> Result<String, Refusal> {
        let Some(part) = &self.card.text else { return Ok(String::new()) };
        let pieces = Pieces::under(visit.desk.portal.blobs.clone(), self.key.clone(), self.message, part).await?;
        let octets = pieces.first_of(&(0..part.size_bytes)).await?;
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }
}

/// A file of a reply, for who sent it.
pub(super) async fn file(visit: &mut Visit, grant: Id, id: Id, number: usize) -> Result<Page, Refusal> {
    super::guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    let key = Key::reply(open.granted.grant.value.message, grant, id);
    let row = read::<Reply>(&*visit.desk.portal.store, &key).await?.ok_or(Refusal::Missing)?;
    let one = One::find(visit, &open, grant, id, &row.value).await?.ok_or(Refusal::Missing)?;
    let part = one.card.files.get(number).ok_or(Refusal::Missing)?;
    let pieces = Pieces::under(visit.desk.portal.blobs.clone(), one.key.clone(), one.message, part).await?;
    files::send(visit, pieces, part, &files::Shape::download(&part.name, part)).await
}
