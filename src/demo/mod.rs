//! `zegel demo`: everything on loopback with nothing to set up.
//!
//! The real gateway, portal, store and pages; around them a mail server and a mailbox page that play the outside world. The sample mails go in by
//! SMTP, as from a mail server. `--once` walks the recipient's path too, as a person without JavaScript would, and fails if any of it does.

pub mod mailbox;
pub mod samples;
pub mod visitor;
mod walk;

use crate::{
    address::Address,
    clock::SystemClock,
    config::Config,
    secret::Id,
    serve::{self, Listeners, Running},
    smtp::{
        self, Budget, EnvelopeCommand, Reply, ServerOptions,
        client::{ClientOptions, NextHop, Pool},
    },
};
use mailbox::Mailbox;
use samples::{RECIPIENT, SENDER, Sample};
use std::{
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::Instant,
};

/// What went wrong, for a person to read.
type Failed = String;

/// Runs the demo until Ctrl-C, or with `once` until its walk is done.
pub async fn run(once: bool) -> ExitCode {
    let folder = match Folder::new() {
        Ok(folder) => folder,
        Err(e) => {
            eprintln!("zegel demo: no temporary folder: {e}");
            return ExitCode::FAILURE;
        }
    };
    // Dropping what runs in the demo ends it; the folder goes in any case.
    let ended = tokio::select! {
        ended = show(&folder.0, once) => ended,
        () = told_to_end() => Ok(()),
    };
    drop(folder);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("zegel demo: {failed}");
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, or SIGTERM.
async fn told_to_end() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// A temporary folder that goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("zegel-demo-{}", Id::random()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything that runs.
struct Stage {
    running: Running,
    outside: Mailbox,
    portal: String,
    sms: PathBuf,
    gateway: SocketAddr,
    page: SocketAddr,
}

async fn show(folder: &Path, once: bool) -> Result<(), Failed> {
    let stage = Stage::set(folder).await?;
    println!("zegel demo\n  portal   {}\n  mailbox  http://{}/   (the outside world, the sender and the SMS)\n", stage.portal, stage.page);
    let workbook = samples::workbook().map_err(|e| e.to_string())?;
    let zipped = samples::zipped(&workbook).map_err(|e| e.to_string())?;
    let mails = [samples::clean(), samples::activation_word(), samples::workbook_in_zip(&zipped)];
    for mail in &mails {
        let before = stage.outside.mails().len();
        let reply = stage.send(mail).await?;
        println!("sent: {}\n  the gateway answered: {reply}", mail.title);
        let came = stage.outside.wait_for(before, |_| true).await.ok_or("no mail came of it")?;
        let to: Vec<_> = came.to.iter().map(ToString::to_string).collect();
        println!("  what left: “{}” to {}\n", came.subject(), to.join(", "));
    }
    if once {
        walk::walk(&stage, &mails, &zipped, &workbook).await?;
        println!("\nall of it worked");
    } else {
        println!("Open the mailbox page and follow the links. Ctrl-C ends the demo and removes its data.");
        std::future::pending::<()>().await;
    }
    stage.running.stop().await;
    Ok(())
}

impl Stage {
    async fn set(folder: &Path) -> Result<Stage, Failed> {
        let outside = Mailbox::default();
        let (hop, hop_address) = listen().await?;
        let options = ServerOptions { allow: vec![loopback()?], ..ServerOptions::new("outside.example", Budget::new(256 << 20)) };
        let (keep, never) = watch::channel(false);
        // The outside world ends with the program.
        std::mem::forget(keep);
        tokio::spawn(smtp::serve(hop, Arc::new(options), Arc::new(outside.clone()), never));

        let ((smtp, gateway), (http, portal_address), (page, page_address)) = (listen().await?, listen().await?, listen().await?);
        let portal = format!("http://{portal_address}");
        let file = folder.join("zegel.toml");
        std::fs::write(&file, configuration(&portal, gateway, portal_address, hop_address))
            .map_err(|e| format!("{}: {e}", file.display()))?;
        let config = Config::load(&file).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        let sms = config.store.path.join("sms.jsonl");
        let listeners = Listeners { smtp: vec![smtp], portal: vec![http], ..Listeners::default() };
        let running = serve::start(config, listeners, Arc::new(SystemClock)).await.map_err(|e| e.to_string())?;
        let shown = mailbox::Shown { mailbox: outside.clone(), sms: sms.clone(), portal: portal.clone() };
        tokio::spawn(async move { axum::serve(page, mailbox::page(shown)).await });
        Ok(Stage { running, outside, portal, sms, gateway, page: page_address })
    }

    /// Sends a mail to the gateway as the organisation's mail server would.
    async fn send(&self, sample: &Sample) -> Result<Reply, Failed> {
        let hop = NextHop::plain(&self.gateway.ip().to_string(), self.gateway.port());
        let pool = Pool::new(hop, ClientOptions::new("mail.voorbeeld.example"));
        let address = |text: &str| Address::parse(text).map_err(|e| e.to_string());
        let commands = [
            EnvelopeCommand::Mail { from: Some(address(SENDER)?), parameters: String::new(), size: None },
            EnvelopeCommand::Rcpt { to: address(RECIPIENT)?, parameters: String::new() },
        ];
        let mut transaction = pool.begin().await.map_err(|f| f.reply().to_string())?;
        let replies = transaction.envelope(&commands).await.map_err(|f| f.reply().to_string())?;
        if let Some(refusal) = replies.into_iter().find(|r| !r.is_positive()) {
            return Err(format!("the gateway refused {}: {refusal}", sample.title));
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let reply = transaction.data(&[&sample.octets], deadline).await.map_err(|f| f.reply().to_string())?;
        if reply.is_positive() { Ok(reply) } else { Err(format!("the gateway refused {}: {reply}", sample.title)) }
    }
}

async fn listen() -> Result<(TcpListener, SocketAddr), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| format!("no port on loopback: {e}"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    Ok((listener, address))
}

fn loopback() -> Result<smtp::Network, Failed> {
    "127.0.0.0/8".parse().map_err(|_| "loopback is a network".to_owned())
}

fn configuration(portal: &str, smtp: SocketAddr, http: SocketAddr, hop: SocketAddr) -> String {
    format!(
        "[organisation]\nname = \"Gemeente Voorbeeld\"\ndomains = [\"voorbeeld.example\"]\nlanguage = \"nl\"\n\
         [smtp]\nlisten = [\"{smtp}\"]\nnext_hop = \"smtp://{hop}\"\nallow = [\"127.0.0.0/8\"]\n\
         [portal]\nlisten = [\"{http}\"]\nurl = \"{portal}\"\n[store]\npath = \"data\"\n[sms]\nprovider = \"file\"\n"
    )
}
