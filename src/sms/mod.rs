//! Sends an SMS: over a provider's HTTP API, or into a file for trying out; and reads the provider's reports of what became of it.
//!
//! A provider is a file (`sms/*.toml`, docs/sms.md). Of two the second is asked where the first has surely sent nothing. Whether a request that
//! was not answered has sent anything, nobody knows: then nothing is sent again, and the code stays good ([`Sent::Perhaps`]).

mod breaker;
mod carrier;
mod embedded;
mod provider;
mod report;
mod signature;
mod template;

pub use carrier::{Account, Times};
pub use embedded::EMBEDDED;
pub use provider::{Needs, Provider, ReportSecret};
pub use report::{Became, Report};
pub use signature::Reported;

use crate::{
    metrics::{Metrics, SmsOutcome},
    phone::{Countries, PhoneNumber},
    secret::{Id, Secret},
    time::Time,
};
use carrier::{Carrier, Outcome};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt as _, time::Instant};

/// After a failure the recipient is asked to wait at least so long: a minute that he sees on a clock.
const WAIT: Duration = Duration::from_secs(60);

/// Why an SMS was not sent. Nothing was: another code can be sent in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsError {
    /// No provider can be reached, or all have too much to do or refuse our account: it may go better after this time.
    Later(Time),
    /// There is no SMS for this number.
    Number,
    /// The owner of the number told the provider to send nothing more.
    OptedOut,
    /// The telephone can't be reached now.
    Unreachable,
    /// The organisation sends no SMS to this country.
    Country,
}

/// How an SMS left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A provider has taken it.
    Surely,
    /// A provider was asked, and its answer did not come: it may have taken it or not.
    Perhaps,
}

/// What bounds the cost of SMS. The counters are in the store: they hold over nodes and restarts.
#[derive(Clone, Debug)]
pub struct Limits {
    /// To which countries anything is sent.
    pub countries: Countries,
    /// So many for the whole organisation in a day.
    pub per_day: u32,
    /// An alarm is given when so many were sent in a day.
    pub alarm_at: u32,
}

impl Limits {
    /// `[sms] per_day` where it is left out.
    pub const PER_DAY: u32 = 1000;
    /// `[sms] alarm` where it is left out, in percent of `per_day`.
    pub const ALARM: u32 = 80;

    /// Limits with an alarm at this share of `per_day`.
    #[must_use]
    pub fn new(countries: Countries, per_day: u32, alarm_percent: u32) -> Limits {
        let alarm_at = u64::from(per_day) * u64::from(alarm_percent) / 100;
        Limits { countries, per_day, alarm_at: u32::try_from(alarm_at).unwrap_or(per_day).max(1) }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new(Countries::default(), Limits::PER_DAY, Limits::ALARM)
    }
}

/// An SMS to send.
pub struct Sms<'a> {
    /// To whom.
    pub to: &'a PhoneNumber,
    /// What it says.
    pub text: &'a Secret<String>,
    /// Its name, the same at every provider and in the store: what is sent twice under it is one SMS.
    pub reference: Id,
    /// What the addresses of our portal begin with: reports come there.
    pub portal: &'a str,
    /// How long its code works.
    pub lifetime: Duration,
}

/// Where SMS go.
pub struct Sender {
    way: Way,
    /// What bounds their cost.
    pub limits: Limits,
    metrics: Arc<Metrics>,
}

enum Way {
    /// A line of JSON per SMS: for trying out, in clear.
    File(PathBuf),
    /// Providers, in the order in which they are asked.
    Carriers(Vec<Carrier>),
}

impl Sender {
    /// A sender into the file at `path`.
    #[must_use]
    pub fn file(path: PathBuf) -> Sender {
        Sender { way: Way::File(path), limits: Limits::default(), metrics: Arc::default() }
    }

    /// A sender over these accounts; the first is asked first.
    ///
    /// # Errors
    /// When the system gives no HTTP client (no certificates, for example); the text says so.
    pub fn over(accounts: Vec<Account>, times: Times) -> Result<Sender, String> {
        let carriers = accounts.into_iter().map(|account| Carrier::new(account, times)).collect::<Result<_, _>>()?;
        Ok(Sender { way: Way::Carriers(carriers), limits: Limits::default(), metrics: Arc::default() })
    }

    /// The same sender, within `limits`, counted in `metrics`.
    #[must_use]
    pub fn within(self, limits: Limits, metrics: Arc<Metrics>) -> Sender {
        Sender { limits, metrics, ..self }
    }

    /// Sends an SMS. Its number and text never get into the log, its reference does.
    ///
    /// # Errors
    /// Says why nothing was sent.
    pub async fn send(&self, sms: &Sms<'_>, now: Time) -> Result<Sent, SmsError> {
        if !self.limits.countries.allow(sms.to) {
            tracing::warn!("sms {} not sent: to a country that [sms] countries does not list", sms.reference);
            return Err(SmsError::Country);
        }
        match &self.way {
            Way::File(path) => append(path, sms, now).await,
            Way::Carriers(carriers) => self.ask(carriers, sms, now).await,
        }
    }

    /// Asks one provider after the other until it has left, may have left, or can't.
    async fn ask(&self, carriers: &[Carrier], sms: &Sms<'_>, now: Time) -> Result<Sent, SmsError> {
        let mut again: Option<Time> = None;
        let Some(times) = carriers.first().map(Carrier::times) else { return Err(later(None, now)) };
        let deadline = Instant::now() + times.all;
        for carrier in carriers {
            let rests = carrier.breaker.rests(now);
            let outcome = if rests.is_some() { None } else { Some(carrier.send(sms, deadline).await) };
            self.count(carrier, outcome);
            match outcome {
                Some(Outcome::Sent) => {
                    carrier.breaker.worked();
                    return Ok(Sent::Surely);
                }
                Some(Outcome::Perhaps) => {
                    // The next press is not to end in the same silence, where there is somebody else to ask.
                    carrier.breaker.failed((carriers.len() > 1).then_some(WAIT), now);
                    return Ok(Sent::Perhaps);
                }
                Some(Outcome::Refused(why)) => {
                    carrier.breaker.worked();
                    return Err(why);
                }
                Some(Outcome::Stopped) => {
                    carrier.breaker.failed(None, now);
                    return Err(later(None, now));
                }
                Some(Outcome::Failed(asked)) => carrier.breaker.failed(asked, now),
                None => {}
            }
            let next = carrier.breaker.rests(now).unwrap_or(now);
            again = Some(again.map_or(next, |again| again.min(next)));
        }
        Err(later(again, now))
    }

    fn count(&self, carrier: &Carrier, outcome: Option<Outcome>) {
        let word = match outcome {
            Some(Outcome::Sent) => SmsOutcome::Sent,
            Some(Outcome::Perhaps) => SmsOutcome::Perhaps,
            Some(Outcome::Refused(_)) => SmsOutcome::Refused,
            Some(Outcome::Stopped | Outcome::Failed(_)) => SmsOutcome::Failed,
            None => SmsOutcome::Resting,
        };
        self.metrics.sms(carrier.name(), word);
    }

    /// Tells how many were sent today; a warning where that is as many as give an alarm.
    pub fn spent(&self, today: u32) {
        self.metrics.sms_today(today, self.limits.per_day, today >= self.limits.alarm_at);
        if today == self.limits.alarm_at {
            tracing::warn!(
                "sms: {today} of {} for today are sent; somebody may be pumping them, look at zegel_sms_total",
                self.limits.per_day
            );
        }
    }

    /// Whether a provider of this name reports by GET.
    #[must_use]
    pub fn reports_by_get(&self, provider: &str) -> bool {
        self.named(provider).any(Carrier::reports_by_get)
    }

    /// What a request to the address of `provider`'s reports says, if it is genuine.
    #[must_use]
    pub fn report(&self, provider: &str, reported: &Reported<'_>, now: Time) -> Option<Report> {
        let report = self.named(provider).find_map(|carrier| carrier.report(reported, now));
        let word = match &report {
            Some(Report { became: Became::Delivered, .. }) => SmsOutcome::Delivered,
            Some(Report { became: Became::Undelivered, .. }) => SmsOutcome::Undelivered,
            Some(Report { became: Became::Underway, .. }) => return report,
            None => SmsOutcome::Forged,
        };
        // The name is the visitor's word unless it is one of ours.
        if let Some(carrier) = self.named(provider).next() {
            self.metrics.sms(carrier.name(), word);
        }
        report
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Carrier> {
        let carriers: &[Carrier] = if let Way::Carriers(carriers) = &self.way { carriers } else { &[] };
        carriers.iter().filter(move |carrier| carrier.name() == name)
    }
}

/// "Later" as a clock shows it: the next full minute, a minute from now at the least.
fn later(at: Option<Time>, now: Time) -> SmsError {
    let at = at.unwrap_or(now).max(now.plus(WAIT)).millis();
    let minute = 60_000;
    SmsError::Later(Time::from_millis(at.div_euclid(minute) * minute + if at.rem_euclid(minute) == 0 { 0 } else { minute }))
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.way {
            Way::File(_) => "Sender::File",
            Way::Carriers(_) => "Sender::Carriers",
        })
    }
}

/// Adds a line; one write, so that lines of two senders don't mix.
async fn append(path: &PathBuf, sms: &Sms<'_>, now: Time) -> Result<Sent, SmsError> {
    let line = serde_json::json!({"to": sms.to.expose(), "text": sms.text.expose(), "at": now.timestamp().to_string()}).to_string() + "\n";
    let write = async {
        let mut options = tokio::fs::OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let mut file = options.open(path).await?;
        file.write_all(line.as_bytes()).await?;
        file.flush().await
    };
    write.await.map(|()| Sent::Surely).map_err(|e| {
        tracing::error!("{}: {e}", path.display());
        later(None, now)
    })
}

#[cfg(test)]
mod tests;
