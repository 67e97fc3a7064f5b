//! A form with files, sealed while it comes in: no file is ever whole in clear, neither in memory nor on disk.

use super::{Limits, answer::Refusal, names::safe_name};
use crate::{
    record::Part,
    seal::{Ciphertext, ContentKey, Salt, Sealer, part_context},
    secret::{Id, Token},
    store::Blobs,
};
use aws_lc_rs::digest::{Context, SHA256};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use futures_util::StreamExt as _;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::{sync::Arc, task::Poll, time::Duration};
use tokio::time::Instant;

/// The longest hidden field: a token.
const MAX_HIDDEN_BYTES: u64 = 100;
/// What a form may weigh beside its files and text: the heads of its fields.
const MAX_HEADS_BYTES: u64 = 64 * 1024;
/// So slow a form may be on average, after its first minute: slower ones hold their place for hours.
const LEAST_BYTES_PER_SECOND: u64 = 8 * 1024;
const FIRST_MINUTE: Duration = Duration::from_secs(60);

/// A form that is coming in: its fields in the order of the page.
pub(super) struct Upload {
    fields: Multipart<'static>,
    limits: Limits,
    since: Instant,
    taken: u64,
    /// What it said its length is.
    announced: Option<u64>,
    digest: Context,
}

/// Why a form is not taken.
pub(super) enum Unfit {
    /// More than all files together may have.
    Large,
    /// More files than one form may have.
    Many,
    /// A text that is too long.
    Long,
    /// Neither text nor file.
    Empty,
    /// More replies than one recipient may write.
    Often,
    /// Anything else.
    Refused(Refusal),
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Unfit {
        Unfit::Refused(refusal)
    }
}

/// Where files go.
pub(super) struct Keeping {
    pub(super) message: Id,
    pub(super) key: ContentKey,
    pub(super) blobs: Arc<dyn Blobs>,
    /// What was kept so far.
    pub(super) kept: Vec<Id>,
}

impl Upload {
    /// Begins to read a form, whatever its length.
    pub(super) fn of(limits: Limits, headers: &HeaderMap, body: Body) -> Result<Upload, Refusal> {
        let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        let boundary = text(header::CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok()).ok_or(Refusal::Request)?;
        let announced = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        // What has no boundary at all must not fill the memory either.
        let most = limits.reply_bytes + limits.reply_text_bytes + MAX_HEADS_BYTES;
        let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(most));
        let fields = Multipart::with_constraints(sips(body), boundary, constraints);
        Ok(Upload { fields, limits, since: Instant::now(), taken: 0, announced, digest: Context::new(&SHA256) })
    }

    /// The next field, which must have this name.
    pub(super) async fn small(&mut self, name: &'static str) -> Result<String, Unfit> {
        self.text(name, MAX_HIDDEN_BYTES).await.map_err(|unfit| match unfit {
            Unfit::Long => Unfit::Refused(Refusal::Form),
            other => other,
        })
    }

    /// A text of so many bytes at most. It must be UTF-8, as browsers send what a page of ours asks for.
    pub(super) async fn text(&mut self, name: &'static str, most_bytes: u64) -> Result<String, Unfit> {
        let mut field = self.next().await?.filter(|field| field.name() == Some(name)).ok_or(Refusal::Form)?;
        let mut text = Vec::new();
        while let Some(piece) = self.piece(&mut field).await? {
            if (text.len() + piece.len()) as u64 > most_bytes {
                return Err(Unfit::Long);
            }
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).map_err(|_| Refusal::Request.into())
    }

    /// Refuses what announces more than may come, before any of it is read.
    pub(super) fn fits(&self) -> Result<(), Unfit> {
        let most = self.limits.reply_bytes + self.limits.reply_text_bytes + MAX_HEADS_BYTES;
        if self.announced.is_some_and(|length| length > most) { Err(Unfit::Large) } else { Ok(()) }
    }

    /// The files, each sealed chunk by chunk and kept before the next is read. Fields that no file was chosen for are left out.
    pub(super) async fn files(&mut self, keeping: &mut Keeping) -> Result<Vec<Part>, Unfit> {
        let (mut files, mut total, mut fields) = (Vec::new(), 0, 0);
        while let Some(mut field) = self.next().await? {
            fields += 1;
            if files.len() == self.limits.reply_files || fields > 2 * self.limits.reply_files {
                return Err(Unfit::Many);
            }
            let given = field.file_name().unwrap_or_default().to_owned();
            let media_type = field.content_type().map_or_else(String::new, |kind| kind.essence_str().to_owned());
            let name = safe_name(&given, &media_type);
            let blob = Id::random();
            let mut sealer = Sealer::new(keeping.key.key(), &part_context(keeping.message, blob), Salt::random());
            let mut size_bytes = 0;
            while let Some(piece) = self.piece(&mut field).await? {
                size_bytes += piece.len() as u64;
                total += piece.len() as u64;
                if total > self.limits.reply_bytes {
                    return Err(Unfit::Large);
                }
                self.digest.update(&piece);
                sealer.push(&piece);
            }
            if given.is_empty() && size_bytes == 0 {
                continue;
            }
            self.note(&[given.as_bytes(), &size_bytes.to_be_bytes()]);
            keeping.keep(blob, sealer.finish()).await?;
            files.push(Part { blob, content: None, name, media_type, content_id: None, size_bytes });
        }
        Ok(files)
    }

    /// Counts in what names the form's content.
    pub(super) fn note(&mut self, what: &[&[u8]]) {
        for text in what {
            self.digest.update(&(text.len() as u64).to_be_bytes());
            self.digest.update(text);
        }
    }

    /// What names this form with what was filled in: the same press again has the same name, another reply has another.
    pub(super) fn id(&self, once: &Token) -> Id {
        let digest = self.digest.clone().finish();
        let both = crate::seal::digest([once.expose().as_slice(), digest.as_ref()]);
        Id(*both.first_chunk().expect("16 bytes of 32"))
    }

    async fn next(&mut self) -> Result<Option<Field<'static>>, Unfit> {
        let next = tokio::time::timeout(self.limits.stall_time, self.fields.next_field()).await;
        next.map_err(|_| Refusal::Request)?.map_err(unread)
    }

    async fn piece(&mut self, field: &mut Field<'static>) -> Result<Option<Bytes>, Unfit> {
        let piece = tokio::time::timeout(self.limits.stall_time, field.chunk()).await;
        let piece = piece.map_err(|_| Refusal::Request)?.map_err(unread)?;
        self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let allowed = FIRST_MINUTE + Duration::from_secs(self.taken / LEAST_BYTES_PER_SECOND);
        if self.since.elapsed() > allowed { Err(Refusal::Request.into()) } else { Ok(piece) }
    }
}

/// A body one piece at a time: multer takes as much as it can get, which would be a whole file from a fast client.
fn sips(body: Body) -> impl futures_util::Stream<Item = Result<Bytes, axum::Error>> + Send {
    let (mut body, mut had) = (body.into_data_stream(), false);
    futures_util::stream::poll_fn(move |cx| {
        if std::mem::take(&mut had) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = body.poll_next_unpin(cx);
        had = next.is_ready();
        next
    })
}

/// A form that multer can't read further.
fn unread(error: multer::Error) -> Unfit {
    match error {
        multer::Error::StreamSizeExceeded { .. } => Unfit::Large,
        _ => Refusal::Request.into(),
    }
}

impl Keeping {
    /// Makes a part durable.
    pub(super) async fn keep(&mut self, blob: Id, ciphertext: Ciphertext) -> Result<(), Refusal> {
        self.kept.push(blob);
        Ok(self.blobs.put(blob, ciphertext).await?)
    }

    /// Takes back what was kept; whatever stays is swept as an orphan.
    pub(super) async fn undo(&self) {
        for blob in &self.kept {
            let _ = self.blobs.delete(*blob).await;
        }
    }
}
