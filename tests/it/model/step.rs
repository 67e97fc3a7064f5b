//! What happens in a conversation.

use crate::{sink::Act, soak::dice::Dice, world};

/// Who a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Inside: everything reaches him as it is.
    Colleague,
    /// Outside.
    Citizen,
    /// Outside as well.
    Neighbour,
    /// The next hop refuses him for good.
    Nobody,
}

impl Who {
    pub(super) const ALL: [Who; 4] = [Who::Colleague, Who::Citizen, Who::Neighbour, Who::Nobody];

    pub(super) fn address(self) -> &'static str {
        match self {
            Who::Colleague => world::COLLEGA,
            Who::Citizen => world::BURGER,
            Who::Neighbour => world::BUUR,
            Who::Nobody => "niemand@post.example",
        }
    }
}

/// What a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is found in it.
    Clean,
    /// Sealed at level 1 for those outside.
    Marked,
    /// Needs a number that nobody has: held for those outside, and the sender is asked.
    Secret,
}

/// A fault of the next hop at its next command of a kind, once.
#[derive(Clone, Copy, Debug)]
pub(super) enum HopFault {
    Later,
    Leaves,
    Drops,
}

impl HopFault {
    pub(super) fn act(self) -> Act {
        match self {
            HopFault::Later => Act::Reply("451 4.3.0 later".to_owned()),
            HopFault::Leaves => Act::Last("421 4.3.2 bye".to_owned()),
            HopFault::Drops => Act::Drop,
        }
    }
}

/// A fault of the store at its next commit, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreFault {
    /// Nothing is done.
    Before,
    /// It is done, and nobody is told so.
    After,
}

/// One step; the first number says which client.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Ehlo(usize),
    Mail(usize),
    Rcpt(usize, Who),
    /// DATA, or BDAT where it is offered, and a mail by number: one that was sent before is the same octet by octet.
    Body {
        client: usize,
        mail: usize,
        kind: Kind,
        chunks: bool,
    },
    /// The same, but the client hangs up behind the last octet.
    Abandoned {
        client: usize,
        mail: usize,
        kind: Kind,
    },
    /// The same, but the client hangs up in the middle of the body.
    Broken {
        client: usize,
        mail: usize,
        kind: Kind,
    },
    Rset(usize),
    Noop(usize),
    Quit(usize),
    HangUp(usize),
    Hop(&'static str, HopFault),
    Store(StoreFault),
    /// All is well again.
    Heal,
    /// zegel is cut off wherever it is, and started again on the same folder.
    Crash,
}

/// The conversation of a seed: mostly in a sensible order, or little would ever be sent.
pub(super) fn conversation(seed: u64) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut steps = Vec::new();
    let mut mails = Vec::new();
    for _ in 0..6 + dice.below(8) {
        let client = dice.below(2);
        if dice.chance(350) {
            steps.push(disturbance(&mut dice, client));
        }
        if dice.chance(400) {
            steps.push(Step::Ehlo(client));
        }
        if dice.chance(900) {
            steps.push(Step::Mail(client));
        }
        for who in Who::ALL {
            if dice.chance(400) {
                steps.push(Step::Rcpt(client, who));
            }
        }
        if dice.chance(300) {
            steps.push(disturbance(&mut dice, 1 - client));
        }
        steps.push(body(&mut dice, client, &mut mails));
    }
    steps
}

fn body(dice: &mut Dice, client: usize, mails: &mut Vec<Kind>) -> Step {
    if mails.is_empty() || dice.chance(700) {
        mails.push(dice.pick(&[Kind::Clean, Kind::Marked, Kind::Marked, Kind::Secret]));
    }
    let mail = if dice.chance(700) { mails.len() - 1 } else { dice.below(mails.len()) };
    let kind = mails[mail];
    match dice.below(10) {
        0 => Step::Abandoned { client, mail, kind },
        1 => Step::Broken { client, mail, kind },
        _ => Step::Body { client, mail, kind, chunks: dice.chance(300) },
    }
}

fn disturbance(dice: &mut Dice, client: usize) -> Step {
    let at = dice.pick(&["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET"]);
    let fault = dice.pick(&[HopFault::Later, HopFault::Leaves, HopFault::Drops]);
    match dice.below(16) {
        0..5 => Step::Hop(at, fault),
        5 | 6 => Step::Store(StoreFault::Before),
        7 | 8 => Step::Store(StoreFault::After),
        9 | 10 => Step::Heal,
        11 => Step::Crash,
        12 => Step::Rset(client),
        13 => Step::Noop(client),
        14 => Step::Quit(client),
        _ => Step::HangUp(client),
    }
}
