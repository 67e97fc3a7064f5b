//! What a worker takes from itself before it opens anything of a stranger's: files, network, processes, and most of the system's calls.
//!
//! What the kernel lacks is left out and told, since a cage with a gap is better than none: the other walls still stand.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Memory of a worker, whatever a file asks for: 1 GiB of address space.
const MEMORY: u64 = 1 << 30;

/// CPU of a worker's whole life, in seconds: a last guard behind zegel's own (it retires a worker after 60 s).
const CPU: u64 = 120;

/// The standard descriptors, the socket, one file that is read, and some air.
const DESCRIPTORS: u64 = 8;

/// What of the cage is missing, as bits; in a worker's greeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacks(u8);

impl Lacks {
    const NAMES: [&str; 5] = ["resource limits", "landlock", "seccomp", "closing of inherited files", "a parent's death signal"];
    pub(super) const LIMITS: Lacks = Lacks(1);
    const LANDLOCK: Lacks = Lacks(1 << 1);
    const SECCOMP: Lacks = Lacks(1 << 2);
    pub(super) const CLOSING: Lacks = Lacks(1 << 3);
    pub(super) const DEATH_SIGNAL: Lacks = Lacks(1 << 4);

    /// `other` unless `there`.
    pub(super) fn and(self, other: Lacks, there: bool) -> Lacks {
        if there { self } else { Lacks(self.0 | other.0) }
    }

    pub(super) fn to_octet(self) -> u8 {
        self.0
    }

    pub(super) fn from_octet(octet: u8) -> Lacks {
        Lacks(octet)
    }

    /// For the log.
    pub(super) fn names(self) -> Vec<&'static str> {
        Lacks::NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }
}

/// Closes the door from inside; tells what is missing.
pub(super) fn lock(lacks: Lacks) -> Lacks {
    lacks.and(Lacks::LIMITS, limit()).and(Lacks::LANDLOCK, system::landlock()).and(Lacks::SECCOMP, system::seccomp())
}

fn limit() -> bool {
    // FSIZE 0: not an octet into any file, whatever is open.
    // CPU: at the soft limit comes SIGXCPU, at a hard limit of the same height SIGKILL, which says less.
    let limits = [
        (Resource::As, MEMORY, MEMORY),
        (Resource::Cpu, CPU, CPU + 1),
        (Resource::Nofile, DESCRIPTORS, DESCRIPTORS),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
    ];
    // Each one, also when another could not be set; and none is raised over what we were given.
    let set = limits.map(|(resource, current, maximum)| {
        let given = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        setrlimit(resource, Rlimit { current: Some(current.min(given)), maximum: Some(maximum.min(given)) }).is_ok()
    });
    set.iter().all(|set| *set) && system::not_dumpable()
}

#[cfg(target_os = "linux")]
mod system {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
    use rustix::process::DumpableBehavior;
    use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

    /// Nobody may look into its memory, other workers included: what it reads is mail.
    pub(super) fn not_dumpable() -> bool {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
    }

    /// Nothing of the file system, no TCP, no abstract sockets or signals beyond the cage: as much of it as the kernel knows.
    pub(super) fn landlock() -> bool {
        let nothing_allowed = || {
            Ruleset::default()
                .handle_access(AccessFs::from_all(ABI::V5))?
                .handle_access(AccessNet::from_all(ABI::V5))?
                .scope(Scope::from_all(ABI::V6))?
                .create()?
                .restrict_self()
        };
        rustix::thread::set_no_new_privs(true).is_ok() && nothing_allowed().is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
    }

    /// What a program needs that computes and talks over a socket it has; anything else ends it with SIGSYS.
    const CALLS: [i64; 28] = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_pread64,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_tgkill,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
    ];

    /// Memory may be had, but none that can be run.
    const MAPPING: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

    /// What may be asked of a descriptor: its seals; and whether it is open, which the standard library does where debug assertions are on.
    const QUESTIONS: [i32; 2] = [libc::F_GET_SEALS, libc::F_GETFD];

    pub(super) fn seccomp() -> bool {
        let filter = || -> Result<(), Box<dyn std::error::Error>> {
            seccompiler::apply_filter(&program()?)?;
            Ok(())
        };
        filter().is_ok()
    }

    fn program() -> Result<BpfProgram, Box<dyn std::error::Error>> {
        // The second argument of fcntl, and the third of mmap and mprotect.
        let asks = |what: i32| SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, what.unsigned_abs().into());
        let executable = libc::PROT_EXEC.unsigned_abs().into();
        let not_run = || SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0);
        let mut rules: std::collections::BTreeMap<i64, Vec<SeccompRule>> = CALLS.into_iter().map(|call| (call, Vec::new())).collect();
        for call in MAPPING {
            rules.insert(call, vec![SeccompRule::new(vec![not_run()?])?]);
        }
        let questions = QUESTIONS.map(|what| SeccompRule::new(vec![asks(what)?]));
        rules.insert(libc::SYS_fcntl, questions.into_iter().collect::<Result<_, _>>()?);
        let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
        Ok(filter.try_into()?)
    }
}

/// Other systems have the limits only.
#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn not_dumpable() -> bool {
        true
    }

    pub(super) fn landlock() -> bool {
        false
    }

    pub(super) fn seccomp() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_its_name() {
        let all = [Lacks::LIMITS, Lacks::LANDLOCK, Lacks::SECCOMP, Lacks::CLOSING, Lacks::DEATH_SIGNAL];
        assert_eq!(all.map(|one| Lacks::default().and(one, false).names()).concat(), Lacks::NAMES);
        let two = Lacks::default().and(Lacks::LANDLOCK, false).and(Lacks::SECCOMP, true).and(Lacks::CLOSING, false);
        assert_eq!(Lacks::from_octet(two.to_octet()).names(), ["landlock", "closing of inherited files"]);
        assert!(Lacks::default().names().is_empty());
    }
}
