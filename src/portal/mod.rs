//! The pages: a recipient's link, the message behind the code, the sender's page for numbers.
//!
//! | path | GET, HEAD | POST |
//! |---|---|---|
//! | `/m/<token>` | a recipient's link: asks for a password or code | `do=send` sends one, `do=open` gives one: 303 to `/r/<grant>` with a cookie |
//! | `/r/<grant>` | the message | closes it |
//! | `/r/<grant>/text` | its HTML, for the frame | |
//! | `/r/<grant>/picture/<n>` | a picture within it, or one that is attached | |
//! | `/r/<grant>/file/<n>` | a file, or a range of it | notes the download: 303 to the same |
//! | `/r/<grant>/view/<n>` | a page that shows a picture or text; a PDF itself | notes the look at it: 303 to the same |
//! | `/r/<grant>/all` | a ZIP of the attachments | notes the downloads: 303 to the same |
//! | `/r/<grant>/reply` | 303 to the message | takes a reply with its files: 303 to the message |
//! | `/r/<grant>/sent/<reply>/<n>` | a file of a reply, for who sent it | |
//! | `/n/<token>` | a sender's link: asks for numbers | takes them and releases the message: 303 to the same |
//! | `/s/<token>` | a sender's link: what has become of his message | blocks, recalls, moves its day, changes a number: 303 to the same |
//! | `/check` | asks for the code that a mail bears | tells whether it is one of ours |
//! | `/sms/<provider>`, `/sms/<provider>/<reference>` | as POST, where a provider has nothing else and its signature fits | its report of what became of an SMS |
//! | `/static/<name>`, `/health`, `/` | style sheet and script, health, a page that says where to find the link | |
//!
//! GET and HEAD change nothing: scanners open every link. (A provider's signed report is no scanner's.) Everything works as plain forms; the script only adds comfort.
//!
//! The cookie of an opened message is named after its grant (`__Host-zegel-<grant>`), so several messages can be open in one browser.

mod answer;
mod archive;
mod check;
mod codes;
mod files;
mod guard;
pub mod html;
mod link;
mod names;
mod numbers;
mod pieces;
mod range;
mod read;
mod reply;
mod reports;
mod server;
mod session;
mod status;
mod unlock;
mod upload;
mod view;

pub use server::serve;

use crate::{
    clock::Clock,
    notice::Organisation,
    sms,
    store::{Blobs, Keyring, Store},
    template::Templates,
};
use arc_swap::ArcSwap;
use std::{sync::Arc, time::Duration};

/// What the portal needs.
pub struct Portal {
    /// Records.
    pub store: Arc<dyn Store>,
    /// Sealed parts.
    pub blobs: Arc<dyn Blobs>,
    /// Keys.
    pub keyring: Arc<Keyring>,
    /// Sends codes.
    pub sms: sms::Sender,
    /// The templates in force.
    pub templates: Arc<ArcSwap<Templates>>,
    /// Who speaks.
    pub organisation: Arc<ArcSwap<Organisation>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether the next hop could be reached when that was last tried.
    pub mail_flows: Arc<dyn Fn() -> bool + Send + Sync>,
    /// What protects us.
    pub limits: Limits,
}

/// The numbers that protect the portal.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address (an IPv6 /64). Loopback is exempt: there a reverse proxy speaks for everybody.
    pub connections_per_address: usize,
    /// How long a request's head may take, and how long a connection may idle. A slow head holds a connection.
    pub head_time: Duration,
    /// How long a form may take to come in.
    pub form_time: Duration,
    /// The largest form: a thousand numbers.
    pub form_bytes: usize,
    /// All files of one reply together. In a mail they grow by a third, and most mail servers take no more.
    pub reply_bytes: u64,
    /// The text of a reply.
    pub reply_text_bytes: u64,
    /// Files of one reply.
    pub reply_files: usize,
    /// Replies that come in at a time: each can take [`Limits::reply_bytes`] of memory, sealed, until its files are on disk.
    pub replies: usize,
    /// How long a browser may take nothing of an answer, or send nothing of a reply.
    pub stall_time: Duration,
    /// How long stopping waits for answers under way.
    pub drain_time: Duration,
    /// Forms from one address within a minute.
    pub forms_per_minute: u32,
    /// Questions from one address within a minute whether a mail is genuine. A guess at one of a million codes succeeds once in a million times, and
    /// tells a day.
    pub checks_per_minute: u32,
    /// Hashes of passwords at a time: one takes 19 MiB and 30 ms.
    pub hashing: usize,
    /// Hashes that wait; more are told to come back.
    pub hashing_queue: usize,
    /// Mails whose HTML is made harmless at a time: one can take tens of megabytes and a processor for a while. More wait.
    pub making: usize,
    /// A message that nobody looks at is closed after this time.
    pub idle_time: Duration,
    /// A message is closed after this time in any case.
    pub open_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1024,
            connections_per_address: 64,
            head_time: Duration::from_secs(5),
            form_time: Duration::from_secs(15),
            form_bytes: 128 * 1024,
            reply_bytes: 25_000_000,
            reply_text_bytes: 64 * 1024,
            reply_files: 20,
            replies: 8,
            stall_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(20),
            forms_per_minute: 120,
            checks_per_minute: 10,
            hashing: std::thread::available_parallelism().map_or(2, usize::from),
            hashing_queue: 32,
            making: std::thread::available_parallelism().map_or(2, usize::from),
            idle_time: Duration::from_secs(60 * 60),
            open_time: Duration::from_secs(8 * 60 * 60),
        }
    }
}
