//! Programs that look at pictures, and do the worst: this binary under another name, which says what it does.

use crate::{
    PATIENCE, Readers,
    formats::{scan, zip_stored},
    machine, problems, said, until,
};
use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    io::{Read as _, Write as _},
    net::UdpSocket,
    os::{fd::AsRawFd as _, unix::fs::symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};
use tempfile::TempDir;
use zegel::{
    extract::{Extraction, ProblemKind::Unsupported},
    message::Message,
    sandbox::{Ocr, Options, Times},
};

/// Where the program stands under all its names.
static NAMES: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fn program(name: &str) -> PathBuf {
    let path = NAMES.path().join(format!("tesseract-{name}"));
    let _ = symlink(std::env::current_exe().unwrap(), &path);
    path
}

/// Becomes what this process was started as, if that is such a program.
pub fn be_tesseract_if_told() {
    let name = std::env::args().next().unwrap_or_default();
    let Some((_, name)) = name.rsplit_once("/tesseract-") else { return };
    if std::env::args().any(|argument| argument == "--list-langs") {
        println!("List of available languages in \"/nowhere\" (2):\nnld\nosd");
        std::process::exit(0);
    }
    let mut picture = Vec::new();
    std::io::stdin().read_to_end(&mut picture).unwrap();
    behave(name, &picture);
    std::process::exit(0);
}

fn behave(name: &str, picture: &[u8]) {
    match name {
        "reads" => say(&words(&[("BSN:", 90), ("111222333", 90), ("staat", 96), ("op", 96), ("deze", 60), ("pagina", 96)])),
        "guesses" => say(&words(&[("BSN:", 90), ("111222333", 90), ("staat", 96), ("op", 96), ("deze", 59), ("pagina", 96)])),
        "sees-little" => say(&words(&[("BSN:", 90), ("111222333", 90), ("staatop", 96), ("\t", 96), ("!?", 1)])),
        "sees-nothing" => say(&words(&[])),
        "is-odd" => say(&words(&[("BSN:", 90), ("111222333", 90), ("staat", 96), ("op", 96), ("deze pagina\nen\tdan\u{1f}", 96)])),
        "crashes" => {
            say(&words(&[("half", 96)]));
            std::process::abort();
        }
        "fails" => std::process::exit(1),
        "overflows" => {
            let mut boxes = Vec::new();
            loop {
                boxes.push(Box::new([black_box(1_u8); 4000]));
            }
        }
        "floods" => loop {
            say(&words(&[("woord", 96); 1000]));
        },
        "hangs" => loop {
            black_box(());
        },
        "stalls" => {
            say(&words(&[("half", 96)]));
            loop {
                black_box(());
            }
        }
        "babbles" => {
            let _ = std::io::stdout().write_all(b"level\n1\t1\t0\t0\t0\t0\t0\t0\t9\t9\t-1\t\n5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t96\t\xFF\xFE\n");
        }
        "tells" => {
            let arguments: Vec<_> = std::env::args().skip(1).collect();
            // The next to be opened has the lowest number that is free.
            let next = fs::File::open("/usr/bin/env").map(|next| next.as_raw_fd());
            say(&words(&[
                (&arguments.join(" "), 96),
                (&format!("{:?}", std::env::vars().collect::<Vec<_>>()), 96),
                (&format!("{} {next:?}", picture.len()), 96),
            ]));
        }
        "tries" => {
            let us = std::env::args().next().unwrap();
            let tries = [
                ("reads-etc", fs::read("/etc/hostname").is_ok()),
                ("reads-proc", fs::read("/proc/self/environ").is_ok()),
                ("lists-tmp", fs::read_dir(Path::new(&us).parent().unwrap()).is_ok()),
                ("writes", fs::write("/tmp/zegel-saw-this", "x").is_ok()),
                ("connects", UdpSocket::bind("127.0.0.1:0").is_ok()),
                ("starts", Command::new("/bin/true").spawn().is_ok()),
                ("threads", std::thread::Builder::new().spawn(|| {}).is_ok()),
                ("signals", rustix::process::test_kill_process(rustix::process::getpid()).is_ok()),
                ("reads-usr", fs::read_dir("/usr").is_ok()),
            ];
            let done: Vec<_> = tries.iter().filter(|(_, done)| *done).map(|(what, _)| (*what, 96)).collect();
            say(&words(&done));
        }
        name => panic!("{name} is not known"),
    }
}

/// As tesseract tells words, all in one line.
fn words(words: &[(&str, u8)]) -> String {
    let mut told = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n1\t1\t0\t0\t0\t0\t0\t0\t600\t600\t-1\t\n".to_owned();
    for (at, (word, confidence)) in words.iter().enumerate() {
        told += &format!("5\t1\t1\t1\t1\t{at}\t{}\t0\t90\t20\t{confidence}.123456\t{word}\n", at * 100);
    }
    told
}

fn say(text: &str) {
    if std::io::stdout().write_all(text.as_bytes()).is_err() {
        std::process::exit(0);
    }
}

fn readers(name: &str, tune: impl FnOnce(&mut Options)) -> Readers {
    let ocr = Ocr { program: program(name), languages: vec!["nld".into(), "eng".into()] };
    Readers::with(|options| {
        options.ocr = Some(ocr);
        tune(options);
    })
}

async fn look(readers: &Readers) -> Extraction {
    readers.reader.read_file("a.png", large().into()).await.unwrap()
}

/// One that is large enough to be looked at.
fn large() -> Vec<u8> {
    scan::Scan::of(&["   BSN   BSN   BSN   BSN"; 10], 3.0).png()
}

fn looked_at(readers: &Readers) -> BTreeMap<&'static str, u64> {
    let of = |how| (how, readers.counted(&format!("zegel_pictures_total{{outcome=\"{how}\"}}")));
    ["read", "unclear", "late", "failed"].map(of).into_iter().filter(|(_, count)| *count > 0).collect()
}

const UNREAD: [(zegel::extract::ProblemKind, &str); 1] = [(Unsupported, "image")];

pub async fn what_it_says_is_text_and_no_problem_is_left() {
    let readers = readers("reads", |_| {});
    let extraction = look(&readers).await;
    assert_eq!((said(&extraction), problems(&extraction)), (vec!["BSN: 111222333 staat op deze pagina"], vec![]));
    let text = extraction.texts.last().unwrap();
    assert_eq!((text.part.as_str(), text.place(0).as_deref()), ("attachment \"a.png\"", Some("picture")));
    assert_eq!(looked_at(&readers), BTreeMap::from([("read", 1)]));
}

pub async fn what_it_is_not_sure_of_stays_a_problem() {
    for (name, text) in [
        ("guesses", vec!["BSN: 111222333 staat op deze pagina"]),
        ("sees-little", vec!["BSN: 111222333 staatop\t!?"]),
        ("sees-nothing", vec![]),
        ("is-odd", vec!["BSN: 111222333 staat op deze pagina"]),
    ] {
        let readers = readers(name, |_| {});
        let extraction = look(&readers).await;
        assert_eq!((said(&extraction), problems(&extraction)), (text, UNREAD.to_vec()), "{name}");
        assert_eq!(looked_at(&readers), BTreeMap::from([("unclear", 1)]), "{name}");
    }
}

pub async fn a_program_that_fails_leaves_the_problem_and_the_next_picture_is_read() {
    for (name, text) in [("crashes", vec!["half"]), ("fails", vec![]), ("overflows", vec![]), ("babbles", vec![]), ("missing", vec![])] {
        let readers = readers(name, |options| {
            if name == "missing" {
                options.ocr.as_mut().unwrap().program = "/nowhere/tesseract".into();
            }
        });
        let extraction = look(&readers).await;
        assert_eq!((said(&extraction), problems(&extraction)), (text, UNREAD.to_vec()), "{name}");
        let outcome = if name == "babbles" { "unclear" } else { "failed" };
        assert_eq!(looked_at(&readers), BTreeMap::from([(outcome, 1)]), "{name}");
        readers.is_sound().await;
    }
    let readers = readers("floods", |_| {});
    let memory = machine::Peak::begin();
    let extraction = look(&readers).await;
    assert_eq!(problems(&extraction), UNREAD);
    assert!(memory.end() < 64, "{} MiB", memory.end());
    assert_eq!(looked_at(&readers), BTreeMap::from([("failed", 1)]));
    readers.is_sound().await;
}

pub async fn a_program_that_hangs_is_ended_and_leaves_the_problem() {
    for (name, text) in [("hangs", vec![]), ("stalls", vec!["half"])] {
        let times = Times { mail: Duration::from_secs(3), ..PATIENCE };
        let readers = readers(name, |options| options.times = times);
        let extraction = look(&readers).await;
        assert_eq!((said(&extraction), problems(&extraction)), (text, UNREAD.to_vec()), "{name}");
        assert_eq!(looked_at(&readers).into_keys().collect::<Vec<_>>(), ["late"], "{name}");
        readers.is_sound().await;
        // Nor does one go on when nobody waits for it any more.
        let reader = readers.reader.clone();
        let asked = tokio::spawn(async move { reader.read_file("a.png", large().into()).await });
        until("it is looked at", || machine::named("tesseract-hangs") + machine::named("tesseract-stalls") > 0).await;
        asked.abort();
        until("it is over", || machine::named("tesseract-hangs") + machine::named("tesseract-stalls") == 0).await;
    }
}

pub async fn no_document_goes_unread_because_a_picture_took_its_time() {
    use base64::Engine as _;
    let picture = base64::engine::general_purpose::STANDARD.encode(large());
    let mail = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
         --a\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n\
         --a\r\nContent-Type: application/pdf; name=say\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\nis read\r\n--a--\r\n"
    );
    let readers = readers("hangs", |options| options.times = Times { mail: Duration::from_secs(3), ..PATIENCE });
    let extraction = readers.reader.read(&Message::new(mail.into_bytes().into())).await.unwrap();
    assert_eq!((said(&extraction).concat().trim_end(), problems(&extraction)), ("is read", UNREAD.to_vec()));
}

pub async fn it_gets_the_picture_and_nothing_else() {
    // Open, and to be inherited.
    let left_open = rustix::io::dup(fs::File::open("/etc/hostname").unwrap()).unwrap();
    let told = said(&look(&readers("tells", |_| {})).await).concat();
    let size = large().len();
    assert_eq!(told, format!("stdin stdout -l nld+eng --psm 1 -c tessedit_create_tsv=1 [(\"OMP_THREAD_LIMIT\", \"1\")] {size} Ok(3)"),);
    drop(left_open);
}

pub async fn it_can_reach_nobody_and_touch_nothing() {
    assert_eq!(said(&look(&readers("tries", |_| {})).await), ["reads-usr"]);
    assert!(!fs::exists("/tmp/zegel-saw-this").unwrap());
}

pub async fn without_it_a_picture_is_a_problem_and_so_is_one_that_is_no_picture() {
    assert_eq!(problems(&look(&Readers::new()).await), UNREAD);
    // One that a worker says is one: tesseract would take it for a list of files.
    let readers = readers("reads", |_| {});
    let extraction = readers.read_octets("large-picture", b"").await;
    assert_eq!(problems(&extraction).len(), 1);
    let extraction = readers.read_octets("pictures", b"/etc/passwd\n").await;
    assert!(problems(&extraction).contains(&(Unsupported, "scanned-pages")), "{extraction:?}");
    assert_eq!(looked_at(&readers).into_keys().collect::<Vec<_>>(), ["failed"]);
}

pub async fn no_more_pictures_are_taken_than_a_mail_may_have() {
    use zegel::extract::ProblemKind::{Damaged, TooLarge};
    let readers = readers("reads", |_| {});
    for (name, expected) in
        [("pictures", (TooLarge, "answer")), ("large-picture", (TooLarge, "answer")), ("other-picture", (Damaged, "reader-failed"))]
    {
        let extraction = readers.read_octets(name, b"").await;
        assert!(problems(&extraction).contains(&expected), "{name}: {extraction:?}");
        readers.is_sound().await;
    }
    // Of an archive with more of them the rest stays unread.
    let members: Vec<_> = (0..40).map(|n| format!("{n}.png")).collect();
    let octets = large();
    let members: Vec<_> = members.iter().map(|name| (name.as_str(), octets.as_slice())).collect();
    let extraction = readers.reader.read_file("a.zip", zip_stored(&members).into()).await.unwrap();
    assert_eq!(problems(&extraction), [(Unsupported, "image"); 8]);
}

pub async fn what_comes_again_is_not_looked_at_again_unless_it_failed() {
    for (name, outcome, looks) in [("reads", "read", 2), ("sees-nothing", "unclear", 2), ("fails", "failed", 4)] {
        let readers = readers(name, |_| {});
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(problems(&look(&readers).await));
        }
        assert!(told.windows(2).all(|two| two[0] == two[1]), "{name}");
        assert_eq!(looked_at(&readers), BTreeMap::from([(outcome, looks)]), "{name}");
    }
}

pub async fn what_is_missing_is_found_out() {
    let lacks = |name: &str, languages: &[&str]| {
        let languages = languages.iter().map(|language| (*language).to_owned()).collect();
        let ocr = Ocr { program: program(name), languages };
        ocr.lacks(&Options::default().program).map(|lack| format!("{}; {}", lack.what, lack.remedy))
    };
    assert_eq!(lacks("sees-nothing", &["nld"]), None);
    let told = lacks("sees-nothing", &["nld", "chi_sim"]).unwrap();
    assert!(told.contains("doesn't know chi_sim") && told.contains("apt-get install tesseract-ocr-chi-sim"), "{told}");
    let told = lacks("crashes", &["nld"]).unwrap();
    assert!(told.contains("ended by signal 6"), "{told}");
    let ocr = Ocr { program: "/nowhere/tesseract".into(), languages: vec!["nld".into(), "eng".into()] };
    let told = ocr.lacks(&Options::default().program).unwrap();
    assert!(told.what.contains("there is no /nowhere/tesseract"), "{told:?}");
    assert!(told.remedy.contains("apt-get install tesseract-ocr tesseract-ocr-nld tesseract-ocr-eng"), "{told:?}");
}
