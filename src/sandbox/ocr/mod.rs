//! Text in pictures, which tesseract reads: a program of others, and decoders of pictures that are others' as well. So each picture gets a process of
//! its own (`child.rs`) that sees the system's programs, tesseract's data and this one picture, and can say something and nothing else.
//!
//! A picture that can't be read, or not surely, stays the problem that it would be without this. So nothing here ever fails a mail, nor keeps it waiting
//! for longer than it has: the wait for a place counts as its time.

pub(super) mod child;
mod run;
mod tsv;

use super::{Options, cage};
use crate::{
    extract::{Extraction, Limits, Picture, Problem, ProblemKind, Text, begins_as_picture, unread},
    metrics::{Metrics, Sight},
};
use futures_util::{StreamExt as _, stream};
use run::{Ended, Run};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

/// One picture, by the clock: 30 s, as a part has. A page of A4 takes a second or two; the cage ends what computes for 20 s.
const PICTURE_TIME: Duration = Duration::from_secs(30);

/// Asking what there is takes a tenth of a second.
const ASKING_TIME: Duration = Duration::from_secs(20);

/// What tesseract needs to find out which way up a page is. It comes with Debian's `tesseract-ocr`.
const ORIENTATION: &str = "osd";

/// How text in pictures is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ocr {
    /// The program: tesseract 4 or later.
    pub program: PathBuf,
    /// By tesseract's names: `nld`, `eng`. Never empty.
    pub languages: Vec<String>,
}

/// Why no picture can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What is missing.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Ocr {
    /// Where tesseract lies: where Debian puts it, unless there is one that was built here.
    #[must_use]
    pub fn usual_program() -> PathBuf {
        let places = ["/usr/bin/tesseract", "/usr/local/bin/tesseract"].map(PathBuf::from);
        let found = places.iter().find(|place| place.exists()).unwrap_or(&places[0]);
        found.clone()
    }

    /// What is missing for it to read a picture, found out by trying; `reader` is [`Options::program`]. Takes a tenth of a second, or two.
    #[must_use]
    pub fn lacks(&self, reader: &Path) -> Option<Lack> {
        let packages = |languages: &[&str]| {
            let names = languages.iter().map(|language| format!(" tesseract-ocr-{}", language.replace('_', "-").to_lowercase()));
            names.collect::<String>()
        };
        let languages: Vec<&str> = self.languages.iter().map(String::as_str).collect();
        if !self.program.exists() {
            let what = format!("there is no {}, so text in pictures is not read", self.program.display());
            return Some(Lack { what, remedy: format!("install it, on Debian: apt-get install tesseract-ocr{}", packages(&languages)) });
        }
        let ask = |arguments: &[&str], input: &[u8]| {
            let until = std::time::Instant::now() + ASKING_TIME;
            run::run(&Run { reader, program: &self.program, arguments, input, until }, &AtomicBool::new(false))
        };
        let broken = |how: &str| {
            Lack {
            what: format!("{} {how}, so text in pictures is not read", self.program.display()),
            remedy: "see whether it runs by itself; it must lie below /usr, and the system let zegel use `landlock` and `seccomp` (docs/operating.md)".to_owned(),
        }
        };
        let (listed, ended) = ask(&["--list-langs"], &[]);
        if let Some(how) = ended.how() {
            return Some(broken(&how));
        }
        let listed = String::from_utf8_lossy(&listed);
        let missing: Vec<&str> =
            languages.into_iter().chain([ORIENTATION]).filter(|l| listed.lines().all(|line| line.trim() != *l)).collect();
        if !missing.is_empty() {
            let what = format!("{} doesn't know {}, so text in pictures is not read", self.program.display(), missing.join(", "));
            return Some(Lack { what, remedy: format!("install what is missing, on Debian: apt-get install{}", packages(&missing)) });
        }
        let (_, ended) = ask(&self.arguments().each_ref().map(String::as_str), &blank());
        ended.how().map(|how| broken(&how))
    }

    fn arguments(&self) -> [String; 8] {
        // Page segmentation 1: columns and blocks are told apart, and a page that lies on its side or head is turned. With confidences, a word a line.
        ["stdin", "stdout", "-l", &self.languages.join("+"), "--psm", "1", "-c", "tessedit_create_tsv=1"].map(str::to_owned)
    }
}

/// A white picture of 32 by 32 pixels (PBM).
fn blank() -> Vec<u8> {
    [b"P4 32 32\n".as_slice(), &[0; 32 * 4]].concat()
}

/// Looks at pictures, several at once.
#[derive(Debug)]
pub(super) struct Eyes {
    ocr: Arc<Ocr>,
    reader: Arc<Path>,
    places: Arc<Semaphore>,
    at_once: usize,
}

impl Eyes {
    /// As many at once as there may be workers: each is one that only computes, and takes a GiB at most.
    pub(super) fn new(ocr: Ocr, options: &Options) -> Eyes {
        let places = Arc::new(Semaphore::new(options.workers));
        Eyes { ocr: Arc::new(ocr), reader: options.program.clone().into(), places, at_once: options.workers }
    }

    /// Looks at all pictures of a mail within `left`: what each says, and what came of it.
    pub(super) async fn look(&self, pictures: &[Picture], left: Duration) -> Vec<(Option<Text>, Sight)> {
        let until = Instant::now() + left;
        // No more of them wait for a place than can have one, so that the pictures of another mail come in between.
        let waiting: Vec<_> = pictures.iter().map(|picture| self.one(picture, until)).collect();
        stream::iter(waiting).buffered(self.at_once).collect().await
    }

    async fn one(&self, picture: &Picture, until: Instant) -> (Option<Text>, Sight) {
        // What it doesn't know tesseract takes for a list of files.
        if !begins_as_picture(&picture.octets) {
            return (None, Sight::Failed);
        }
        let Ok(Ok(place)) = timeout_at(until, self.places.clone().acquire_owned()).await else { return (None, Sight::Late) };
        let until = until.into_std().min(std::time::Instant::now() + PICTURE_TIME);
        let (ocr, reader, octets) = (self.ocr.clone(), self.reader.clone(), picture.octets.clone());
        let abandoned = Abandoned::default();
        let flag = abandoned.0.clone();
        let ran = spawn_blocking(move || {
            let arguments = ocr.arguments();
            let arguments = &arguments.each_ref().map(String::as_str);
            let ran = run::run(&Run { reader: &reader, program: &ocr.program, arguments, input: &octets, until }, &flag);
            // Only now: its process is over.
            drop(place);
            ran
        });
        let Ok((said, ended)) = ran.await else { return (None, Sight::Failed) };
        let (text, is_clear) = tsv::text(&said, picture);
        match ended {
            Ended::Well => (text, if is_clear { Sight::Read } else { Sight::Unclear }),
            Ended::Late => (text, Sight::Late),
            ended => {
                if let Some(how) = ended.how() {
                    tracing::warn!("{} {how}; the picture stays unread", self.ocr.program.display());
                }
                (text, Sight::Failed)
            }
        }
    }
}

/// Adds to what was read of a part what its pictures say, as far as `limits` go, and those that stay unread. Tells whether another look would show the
/// same: nothing was late, and nothing broke.
pub(super) fn tell(
    pictures: &[Picture],
    sights: impl Iterator<Item = (Option<Text>, Sight)>,
    limits: &mut Limits,
    extraction: &mut Extraction,
    metrics: &Metrics,
) -> bool {
    let mut is_final = true;
    let mut dim = Vec::new();
    for (picture, (text, mut sight)) in pictures.iter().zip(sights.chain(std::iter::repeat((None, Sight::Failed)))) {
        if let Some(text) = text {
            if text.text.len() <= limits.text && text.beside_octets() <= limits.beside {
                limits.text -= text.text.len();
                limits.beside -= text.beside_octets();
                extraction.texts.push(text);
            } else {
                let problem = Problem { part: picture.part.clone(), place: None, kind: ProblemKind::TooLarge, reason: "text" };
                extraction.problems.push(problem);
                sight = Sight::Failed;
            }
        }
        metrics.picture(sight);
        is_final &= matches!(sight, Sight::Read | Sight::Unclear);
        if sight != Sight::Read {
            dim.push(picture);
        }
    }
    extraction.problems.extend(unread(dim));
    is_final
}

/// Says that nobody waits for the answer any more, when it goes.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
