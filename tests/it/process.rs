//! The real binary as a process of its own, and the other programs that some tests need.

use crate::world::configuration;
use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};
use zegel::secret::random_below;

/// A `zegel run` that is ended with this value.
pub struct Zegel {
    child: Child,
    log: mpsc::Receiver<String>,
    /// Every line it has logged so far.
    pub said: Vec<String>,
}

impl Zegel {
    /// Starts `zegel run` over the configuration in `folder` and waits until it says that it is ready.
    pub fn run(folder: &Path) -> Zegel {
        let mut zegel = Zegel::start(folder);
        zegel.wait_for("ready");
        zegel
    }

    /// Starts `zegel run`, and waits for nothing.
    pub fn start(folder: &Path) -> Zegel {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zegel"))
            .args(["run", "--config"])
            .arg(folder.join("zegel.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let stderr = child.stderr.take().expect("it is piped");
        let (lines, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        Zegel { child, log, said: Vec::new() }
    }

    /// Waits until it logs a line that holds `text`.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let line = self
                .log
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("it never said {text:?}, but:\n{}", self.said.join("\n")));
            let found = line.contains(text);
            self.said.push(line);
            if found {
                return;
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9; gives all that it had said.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.said.extend(self.log.iter());
        std::mem::take(&mut self.said)
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(mut self) -> Vec<String> {
        signal(self.pid(), "TERM");
        assert!(self.child.wait().expect("it ends").success());
        self.said.extend(self.log.iter());
        std::mem::take(&mut self.said)
    }
}

/// A `zegel` command that ends by itself: its exit status, what it printed, what it complained of.
pub fn command(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_zegel"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built");
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("it prints UTF-8");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

/// A `zegel run` that must not start, over the configuration `file` in `folder`: its exit status, and what it complained of.
pub fn refused(folder: &Path, file: &str) -> (i32, String) {
    refused_by(Command::new(env!("CARGO_BIN_EXE_zegel")), folder, file)
}

/// The same for a `zegel run` to which file permissions apply: root may write anywhere unless this is taken from it.
pub fn refused_without_privilege(folder: &Path, file: &str) -> (i32, String) {
    let privilege = "-dac_override,-dac_read_search";
    let mut zegel = Command::new("setpriv");
    zegel.args(["--inh-caps", privilege, "--bounding-set", privilege, env!("CARGO_BIN_EXE_zegel")]);
    let root = rustix::process::geteuid().is_root();
    refused_by(if root { zegel } else { Command::new(env!("CARGO_BIN_EXE_zegel")) }, folder, file)
}

fn refused_by(mut zegel: Command, folder: &Path, file: &str) -> (i32, String) {
    let mut child = zegel
        .args(["run", "--config", file])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let stderr = child.stderr.take().expect("it is piped");
    let mut said = String::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.contains("INFO ready") {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it starts:\n{said}{line}");
        }
        said += &line;
        said.push('\n');
    }
    let status = child.wait().expect("it ends");
    (status.code().unwrap_or_else(|| panic!("{status}, not by itself:\n{said}")), said)
}

impl Drop for Zegel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log: Vec<_> = self.said.drain(..).chain(self.log.iter()).filter(|l| !l.contains(" INFO ")).collect();
            println!("zegel had said:\n{}", log.join("\n"));
        }
    }
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("there is a kill").success());
}

/// Writes a configuration for free ports on loopback; gives the addresses of gateway and portal.
pub fn configure(folder: &Path, hop: SocketAddr) -> (SocketAddr, String) {
    let (smtp, http) = (free_port(), free_port());
    let portal = format!("http://{http}");
    std::fs::write(folder.join("zegel.toml"), configuration(&portal, smtp, http, hop)).expect("the folder is ours");
    (smtp, portal)
}

/// An address that nobody listens on at this moment, and that stays free while a test starts a program again.
///
/// Below 32768: from there on systems choose ports for outgoing connections, and one of another test's would take ours between two starts.
pub fn free_port() -> SocketAddr {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    // Each asks for another port than all before it in this process; other processes begin elsewhere.
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(random_below(COUNT)));
    loop {
        let port = FIRST + NEXT.fetch_add(1, Ordering::SeqCst) % COUNT;
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).expect("it is below 32768")));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Waits until something listens at `address`.
pub fn wait_until_listening(address: SocketAddr) {
    // A refused connection answers at once: this is a poll of at most a minute.
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing listens at {address}");
        std::thread::yield_now();
    }
}

/// Whether a program is there. Where it must be, the gate's machine, its absence fails the test.
pub fn has(program: &str) -> bool {
    let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    assert!(there || std::env::var_os("ZEGEL_REQUIRE_PROGRAMS").is_none(), "{program} is not installed");
    if !there {
        println!("LEFT OUT: {program} is not installed");
    }
    there
}
