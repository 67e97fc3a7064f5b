//! What is counted while zegel runs, in the text form of Prometheus (OpenMetrics 1.0): how many mails ended how, and how long they took.
//!
//! Numbers and names of ours only: no address, subject or content is ever a label. The names are an interface (docs/operating.md): others build alarms on them.

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Seconds: most mails take milliseconds, and none more than the 95 s after which it is answered.
const SECONDS: [f64; 16] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 95.0];

/// Octets: from a line of text to the largest mail that can be allowed.
const OCTETS: [f64; 9] = [2e3, 8e3, 32e3, 128e3, 512e3, 2e6, 8e6, 32e6, 128e6];

/// One label and its value.
type Label = [(&'static str, &'static str); 1];
type Named = [(&'static str, String); 1];
type Watched = [(&'static str, String); 2];

/// How a mail was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next hop has it for every recipient.
    Relayed,
    /// It is sealed for every recipient.
    Sealed,
    /// Some recipients got it, it is sealed for others.
    Both,
    /// Some recipients were to get it from zegel itself; the events say how many did.
    Direct,
    /// A policy refuses it.
    Blocked,
    /// Refused for good, by us or by the next hop.
    Refused,
    /// It stays with its sender, who tries again.
    Deferred,
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Answer::Relayed => "relayed",
            Answer::Sealed => "sealed",
            Answer::Both => "relayed and sealed",
            Answer::Direct => "direct",
            Answer::Blocked => "blocked",
            Answer::Refused => "refused",
            Answer::Deferred => "deferred",
        }
    }
}

/// How a worker failed at a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderFailure {
    /// It panicked: a bug.
    Panicked,
    /// It ended in the middle: a bug, unless somebody killed it.
    Crashed,
    /// It wanted more memory than a worker gets.
    Memory,
    /// It took too long.
    Late,
    /// It said what no reader says, or more than one may say.
    Refused,
    /// It did not start.
    NotStarted,
}

impl ReaderFailure {
    fn word(self) -> &'static str {
        match self {
            ReaderFailure::Panicked => "panicked",
            ReaderFailure::Crashed => "crashed",
            ReaderFailure::Memory => "memory",
            ReaderFailure::Late => "late",
            ReaderFailure::Refused => "refused",
            ReaderFailure::NotStarted => "not started",
        }
    }
}

/// What came of looking at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Its text was read.
    Read,
    /// It has little text, or none, or what it has is hardly legible.
    Unclear,
    /// There was no time for it.
    Late,
    /// The program that reads it failed.
    Failed,
}

impl Sight {
    fn word(self) -> &'static str {
        match self {
            Sight::Read => "read",
            Sight::Unclear => "unclear",
            Sight::Late => "late",
            Sight::Failed => "failed",
        }
    }
}

/// What came of an SMS, or of a report about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsOutcome {
    /// A provider has taken it.
    Sent,
    /// A provider was asked and did not answer.
    Perhaps,
    /// A provider refuses the number.
    Refused,
    /// A provider can't send now, or refuses our account.
    Failed,
    /// A provider was left alone, since it failed before.
    Resting,
    /// It is on the telephone, says a genuine report.
    Delivered,
    /// It will not get there, says a genuine report.
    Undelivered,
    /// A report that is not genuine, or can't be read.
    Forged,
}

impl SmsOutcome {
    fn word(self) -> &'static str {
        match self {
            SmsOutcome::Sent => "sent",
            SmsOutcome::Perhaps => "perhaps",
            SmsOutcome::Refused => "refused",
            SmsOutcome::Failed => "failed",
            SmsOutcome::Resting => "resting",
            SmsOutcome::Delivered => "delivered",
            SmsOutcome::Undelivered => "undelivered",
            SmsOutcome::Forged => "forged",
        }
    }
}

/// Everything that is counted: one for a running zegel.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    mails: Family<Label, Counter>,
    octets: Histogram,
    inspection: Histogram,
    answer: Histogram,
    findings: Family<Named, Counter>,
    problems: Family<Label, Counter>,
    watched: Family<Watched, Counter>,
    reader_failures: Family<Label, Counter>,
    reader_cache: Family<Label, Counter>,
    pictures: Family<Label, Counter>,
    events: Family<Named, Counter>,
    hop_up: Family<Named, Gauge>,
    hop_idle: Family<Named, Gauge>,
    hop_failures: Family<Named, Counter>,
    queue: Gauge,
    held: Gauge,
    sessions: Gauge,
    room: Gauge<f64, AtomicU64>,
    texts: Gauge<f64, AtomicU64>,
    store_up: Gauge,
    sms: Family<Watched, Counter>,
    sms_today: Gauge,
    sms_per_day: Gauge,
    sms_alarm: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("zegel"),
            mails: Family::default(),
            octets: Histogram::new(OCTETS),
            inspection: Histogram::new(SECONDS),
            answer: Histogram::new(SECONDS),
            findings: Family::default(),
            problems: Family::default(),
            watched: Family::default(),
            reader_failures: Family::default(),
            reader_cache: Family::default(),
            pictures: Family::default(),
            events: Family::default(),
            hop_up: Family::default(),
            hop_idle: Family::default(),
            hop_failures: Family::default(),
            queue: Gauge::default(),
            held: Gauge::default(),
            sessions: Gauge::default(),
            room: Gauge::default(),
            texts: Gauge::default(),
            store_up: Gauge::default(),
            sms: Family::default(),
            sms_today: Gauge::default(),
            sms_per_day: Gauge::default(),
            sms_alarm: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        r.register("mails", "Mails received whole, by how they were answered", self.mails.clone());
        r.register_with_unit("mail", "Size of received mails", Unit::Bytes, self.octets.clone());
        r.register_with_unit("inspection", "Reading and judging a mail", Unit::Seconds, self.inspection.clone());
        r.register_with_unit("answer", "From the final dot to our reply", Unit::Seconds, self.answer.clone());
        r.register("findings", "Mails in which a rule found something", self.findings.clone());
        r.register("problems", "Parts of mails that could not be read, by why", self.problems.clone());
        r.register("policy_watched", "Mails to which a policy applied that only watches", self.watched.clone());
        r.register("reader_failures", "Workers that failed at an attachment, by how", self.reader_failures.clone());
        r.register("reader_cache", "Attachments looked up in the cache of those that were read", self.reader_cache.clone());
        r.register("pictures", "Pictures in which text was looked for, by what came of it", self.pictures.clone());
        r.register("events", "Facts about sealed messages, as they were committed", self.events.clone());
        r.register("next_hop_up", "1 while a next hop can be reached, as far as known", self.hop_up.clone());
        r.register("next_hop_idle_connections", "Connections to a next hop that wait for the next mail", self.hop_idle.clone());
        r.register("next_hop_failures", "Connections to a next hop that could not be made", self.hop_failures.clone());
        r.register("outbox_letters", "Mails of ours that wait to leave; 10000 means that or more", self.queue.clone());
        r.register("outbox_held_messages", "Messages that wait for a phone number; 10000 means that or more", self.held.clone());
        r.register("sessions", "Open SMTP sessions", self.sessions.clone());
        r.register_with_unit("body_memory", "Memory that bodies of mails take", Unit::Bytes, self.room.clone());
        r.register_with_unit("text_memory", "Memory kept for what attachments unpack to", Unit::Bytes, self.texts.clone());
        r.register("store_up", "1 while the store answers and has room", self.store_up.clone());
        r.register("sms", "SMS and reports about them, by provider and what came of them", self.sms.clone());
        r.register("sms_today", "SMS of the day of the last one, of all nodes", self.sms_today.clone());
        r.register("sms_per_day", "How many SMS may leave in a day", self.sms_per_day.clone());
        r.register("sms_alarm", "1 once as many were sent in a day as give an alarm", self.sms_alarm.clone());
    }

    /// A mail was answered, `took` after its final dot.
    pub fn mail(&self, answer: Answer, octets: u64, took: Duration) {
        self.mails.get_or_create(&[("outcome", answer.word())]).inc();
        self.octets.observe(octets as f64);
        self.answer.observe(took.as_secs_f64());
    }

    /// A mail was read and judged: the rules that found something, and what could not be read.
    pub fn inspected<'a>(
        &self,
        took: Duration,
        rules: impl IntoIterator<Item = &'a str>,
        problems: impl IntoIterator<Item = &'static str>,
    ) {
        self.inspection.observe(took.as_secs_f64());
        for rule in rules {
            self.findings.get_or_create(&[("rule", rule.to_owned())]).inc();
        }
        for problem in problems {
            self.problems.get_or_create(&[("problem", problem)]).inc();
        }
    }

    /// A policy applied to a mail and only watched: in this mode.
    pub fn watched(&self, policy: &str, mode: &str) {
        self.watched.get_or_create(&[("policy", policy.to_owned()), ("mode", mode.to_owned())]).inc();
    }

    /// A worker failed at a part.
    pub fn reader_failed(&self, how: ReaderFailure) {
        self.reader_failures.get_or_create(&[("how", how.word())]).inc();
    }

    /// A part was looked up in the cache, and was there or not.
    pub fn reader_cache(&self, hit: bool) {
        self.reader_cache.get_or_create(&[("result", if hit { "hit" } else { "miss" })]).inc();
    }

    /// A picture was looked at.
    pub fn picture(&self, sight: Sight) {
        self.pictures.get_or_create(&[("outcome", sight.word())]).inc();
    }

    /// A fact was committed, by its name.
    pub fn event(&self, fact: &str) {
        self.events.get_or_create(&[("fact", fact.to_owned())]).inc();
    }

    /// An SMS was tried with a provider, or reported by it.
    pub fn sms(&self, provider: &str, outcome: SmsOutcome) {
        self.sms.get_or_create(&[("provider", provider.to_owned()), ("outcome", outcome.word().to_owned())]).inc();
    }

    /// So many SMS were sent today, and so many may be; whether that is as many as give an alarm.
    pub fn sms_today(&self, today: u32, per_day: u32, alarm: bool) {
        self.sms_today.set(today.into());
        self.sms_per_day.set(per_day.into());
        self.sms_alarm.set(alarm.into());
    }

    /// Takes over what is not counted but looked at, when somebody asks.
    pub fn sample(&self, sample: &Sample) {
        self.queue.set(sample.queue);
        self.held.set(sample.held);
        self.sessions.set(sample.sessions);
        self.room.set(sample.body_bytes as f64);
        self.texts.set(sample.text_bytes as f64);
        self.store_up.set(i64::from(sample.store_up));
        for hop in &sample.hops {
            let host = [("host", hop.host.clone())];
            self.hop_up.get_or_create(&host).set(i64::from(hop.up));
            self.hop_idle.get_or_create(&host).set(hop.idle);
            self.hop_failures.get_or_create(&host).inner().store(hop.failures, Ordering::Relaxed);
        }
    }

    /// All of it, in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// What is looked at when somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Mails of ours that wait.
    pub queue: i64,
    /// Messages that wait for a number.
    pub held: i64,
    /// Open SMTP sessions.
    pub sessions: i64,
    /// Memory that bodies take.
    pub body_bytes: u64,
    /// Memory that texts of attachments take.
    pub text_bytes: u64,
    /// Whether the store answers and has room.
    pub store_up: bool,
    /// The next hops.
    pub hops: Vec<Hop>,
}

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its name and port.
    pub host: String,
    /// Whether it could be reached when that was last tried.
    pub up: bool,
    /// Connections that wait for a mail.
    pub idle: i64,
    /// Connections that could not be made, since the start.
    pub failures: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_can_be_read() {
        let metrics = Metrics::default();
        metrics.mail(Answer::Both, 5000, Duration::from_millis(3));
        metrics.inspected(Duration::from_millis(2), ["bsn"], ["encrypted"]);
        metrics.event("notified");
        metrics.watched("BSN", "monitor");
        metrics.sms("twilio", SmsOutcome::Forged);
        metrics.sms_today(12, 1000, true);
        let hop = Hop { host: "mail.example:25".to_owned(), up: true, idle: 2, failures: 1 };
        metrics.sample(&Sample { queue: 3, text_bytes: 7, store_up: true, hops: vec![hop], ..Sample::default() });
        let text = metrics.text();
        for line in [
            "zegel_mails_total{outcome=\"relayed and sealed\"} 1",
            "zegel_mail_bytes_bucket{le=\"8000.0\"} 1",
            "zegel_answer_seconds_bucket{le=\"0.005\"} 1",
            "zegel_answer_seconds_bucket{le=\"0.0025\"} 0",
            "zegel_inspection_seconds_count 1",
            "zegel_findings_total{rule=\"bsn\"} 1",
            "zegel_problems_total{problem=\"encrypted\"} 1",
            "zegel_events_total{fact=\"notified\"} 1",
            "zegel_policy_watched_total{policy=\"BSN\",mode=\"monitor\"} 1",
            "zegel_next_hop_up{host=\"mail.example:25\"} 1",
            "zegel_next_hop_idle_connections{host=\"mail.example:25\"} 2",
            "zegel_next_hop_failures_total{host=\"mail.example:25\"} 1",
            "zegel_outbox_letters 3",
            "zegel_text_memory_bytes 7.0",
            "zegel_store_up 1",
            "zegel_sms_total{provider=\"twilio\",outcome=\"forged\"} 1",
            "zegel_sms_today 12",
            "zegel_sms_per_day 1000",
            "zegel_sms_alarm 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
