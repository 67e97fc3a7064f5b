//! Room for the texts that come out of attachments, with their names and places, over all mails in inspection.
//!
//! Text that was in the mail itself is as long as its body, for which there is a budget. What an attachment unpacks to is not: some kilobytes of a
//! workbook may hold 64 MiB. So a mail with something to unpack takes all that its texts may come to, once and before anything is read (whoever took
//! it bit by bit could wait for another one who waits for him), and gives back what they did not come to.

use super::Transfer;
use crate::{
    extract::{Extraction, Limits},
    message::Message,
    sandbox::{Busy, Reader},
    smtp::{Budget, Permit, Reply},
};
use std::time::Duration;

/// Mails up to this size never wait behind larger ones, which may take long to read: 1 MiB, as most mails with a document are.
const SMALL_BYTES: usize = 1 << 20;

/// Mails of a kind that have room at once, on a machine with fewer cores than this: enough that no core waits while one of them is looked at by
/// the rules.
const AT_ONCE: usize = 4;

/// The longest a mail waits for room. Waiting for a place to read takes 30 s at most, so some of the 60 s of an inspection are left for reading.
const ROOM_TIME: Duration = Duration::from_secs(15);

/// Room for texts: one for all mails.
#[derive(Clone, Debug)]
pub struct Texts {
    small: Budget,
    large: Budget,
    /// What one mail takes at first, in octets.
    each: u64,
    wait: Duration,
}

/// The texts and problems of a mail, and the room that the texts take.
pub(super) struct Read {
    pub(super) extraction: Extraction,
    _room: Option<Permit>,
}

impl Read {
    /// What was read; of `room` it keeps what its texts take.
    fn within(mut room: Permit, extraction: Extraction) -> Read {
        room.shrink_to(extraction.octets() as u64);
        Read { extraction, _room: Some(room) }
    }
}

impl Texts {
    /// Room for as many small and as many large mails as can be read at once, four at least: 640 MiB each on a machine with up to four cores.
    #[must_use]
    pub fn new(limits: &Limits) -> Texts {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pictures = if limits.pictures > 0 { limits.picture_octets } else { 0 };
        let each = (limits.text + limits.beside + pictures) as u64;
        Texts::with(each.saturating_mul(cores.max(AT_ONCE) as u64), each, ROOM_TIME)
    }

    /// Room for `total` octets of text of small mails, and for as many of large ones; `each` takes so many at first, and waits so long for them.
    #[must_use]
    pub fn with(total: u64, each: u64, wait: Duration) -> Texts {
        Texts { small: Budget::new(total), large: Budget::new(total), each, wait }
    }

    /// Room for the texts of a mail of `octets`; `None` when none came free in time.
    pub async fn room(&self, octets: usize) -> Option<Permit> {
        let budget = if octets <= SMALL_BYTES { &self.small } else { &self.large };
        budget.reserve(self.each, self.wait).await
    }

    /// Octets that are taken, or kept for texts to come.
    #[must_use]
    pub fn taken(&self) -> u64 {
        [&self.small, &self.large].iter().map(|budget| budget.total().saturating_sub(budget.free())).sum()
    }

    async fn read(&self, reader: &Reader, message: &Message) -> Result<Read, Busy> {
        let (shallow, unopened) = reader.shallow(message).await;
        if unopened.is_empty() {
            return Ok(Read { extraction: shallow, _room: None });
        }
        let room = self.room(message.octets().len()).await.ok_or(Busy)?;
        Ok(Read::within(room, reader.open_all(shallow, unopened).await?))
    }
}

impl Transfer {
    /// Reads the mail. Too many others at once are never a problem of this one.
    pub(super) async fn read(&self, message: &Message) -> Result<Read, Reply> {
        self.gateway.texts.read(&self.gateway.reader, message).await.map_err(|Busy| {
            tracing::warn!("{} no place to read its attachments, or no room for their texts", self.envelope.id);
            Reply::TRY_LATER
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Options;
    use bytes::Bytes;
    use std::sync::Arc;

    const MOMENT: Duration = Duration::from_millis(1);

    /// One whose workers end at once.
    fn reader() -> Reader {
        Reader::new(Options { program: "/bin/false".into(), ..Options::default() }, Arc::default())
    }

    fn mail_of(octets: usize, files: usize) -> Message {
        let mut mail = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n".to_owned();
        for _ in 0..files {
            mail += "--a\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n";
        }
        mail += &format!("--a\r\nContent-Type: text/plain\r\n\r\n{}\r\n--a--\r\n", "een regel\r\n".repeat(octets / 11));
        Message::new(Bytes::from(mail))
    }

    #[tokio::test]
    async fn a_small_mail_has_room_while_large_ones_wait() {
        let texts = Texts::with(300, 100, MOMENT);
        let large = [texts.room(SMALL_BYTES + 1).await, texts.room(usize::MAX).await, texts.room(SMALL_BYTES + 1).await];
        assert!(large.iter().all(Option::is_some));
        assert!(texts.room(SMALL_BYTES + 1).await.is_none(), "the texts of large mails are bounded");
        let small = [texts.room(SMALL_BYTES).await, texts.room(1).await, texts.room(1).await];
        assert!(small.iter().all(Option::is_some));
        assert!(texts.room(1).await.is_none(), "those of small ones too");
        drop(large);
        assert!(texts.room(SMALL_BYTES + 1).await.is_some());
    }

    #[tokio::test]
    async fn what_was_read_takes_its_own_size_until_it_is_judged() {
        let texts = Texts::with(1 << 20, 1 << 20, MOMENT);
        let (extraction, _) = crate::extract::message(&mail_of(100, 2), &Limits::default());
        let read = Read::within(texts.room(1).await.unwrap(), extraction);
        let held = (1 << 20) - texts.small.free();
        assert_eq!(held, read.extraction.octets() as u64);
        assert!(held > read.extraction.text_octets() as u64, "names and places take room too");
        drop(read);
        assert_eq!(texts.small.free(), 1 << 20);
    }

    #[tokio::test]
    async fn a_mail_with_nothing_to_unpack_never_waits_and_any_other_comes_later() {
        let (texts, reader) = (Texts::with(100, 100, MOMENT), reader());
        let _taken = (texts.room(1).await.unwrap(), texts.room(usize::MAX).await.unwrap());
        for octets in [100, 2 * SMALL_BYTES] {
            let read = texts.read(&reader, &mail_of(octets, 0)).await.unwrap();
            assert!(read.extraction.problems.is_empty());
            assert!(matches!(texts.read(&reader, &mail_of(octets, 1)).await, Err(Busy)));
        }
    }
}
