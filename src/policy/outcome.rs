//! What can happen to a mail, and how firmly.

use crate::record::Level;
use std::fmt;

/// What happens to a mail for one recipient; the strictest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The mail passes as it is.
    None,
    /// The recipient gets the mail itself, straight from zegel, if transport to his domain is verified at that moment; otherwise it is sealed at
    /// this level. Of several policies that say so the strictest level counts.
    Direct(Level),
    /// The mail is sealed; the recipient gets a link in its place.
    Level(Level),
    /// The mail is sealed and held; the sender decides how it goes. The level is the strictest that another policy names: he can't go below it.
    Ask(Option<Level>),
    /// The mail is sealed and held until somebody releases or refuses it.
    Quarantine,
    /// The mail is refused.
    Block,
}

impl Outcome {
    /// Every outcome, mildest first; `direct` and `ask` as a file says them.
    pub const ALL: [Outcome; 7] = [
        Outcome::None,
        Outcome::Direct(Level::One),
        Outcome::Level(Level::One),
        Outcome::Level(Level::Two),
        Outcome::Ask(None),
        Outcome::Quarantine,
        Outcome::Block,
    ];

    /// The word of policies and of `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::None => "none",
            Outcome::Direct(_) => "direct",
            Outcome::Level(Level::One) => "level 1",
            Outcome::Level(Level::Two) => "level 2",
            Outcome::Ask(_) => "ask",
            Outcome::Quarantine => "quarantine",
            Outcome::Block => "block",
        }
    }

    /// The outcome that `word` names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|o| o.word() == word)
    }

    /// The level that it names for a mail that is sealed.
    pub(super) fn level(self) -> Option<Level> {
        match self {
            Outcome::Level(level) | Outcome::Direct(level) => Some(level),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How firmly a policy acts; the firmest is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It is counted and logged; the mail goes as if the policy were not there.
    Monitor,
    /// The same, and the sender is told.
    Notify,
    /// It acts; the sender may lower it where he is asked.
    #[default]
    Automatic,
    /// It acts, and the sender has no say.
    Mandatory,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 4] = [Mode::Monitor, Mode::Notify, Mode::Automatic, Mode::Mandatory];

    /// The word of policies and of `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Mode::Monitor => "monitor",
            Mode::Notify => "notify",
            Mode::Automatic => "automatic",
            Mode::Mandatory => "mandatory",
        }
    }

    /// Whether it decides anything.
    #[must_use]
    pub fn acts(self) -> bool {
        self >= Mode::Automatic
    }
}

/// What of a mail is sealed; the strictest is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The files, where nothing was found elsewhere: the text still travels.
    Attachments,
    /// All of it.
    #[default]
    Message,
}

/// What happens to the other recipients of a mail while the number of one is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingPhone {
    /// Those whose way is clear are notified at once.
    SendReady,
    /// Nobody is notified until every number is there.
    #[default]
    HoldAll,
}
