//! What a worker takes from itself before it opens anything of a stranger's: files, network, processes, and most of the system's calls.
//!
//! What the kernel lacks is left out and told, since a cage with a gap is better than none: the other walls still stand.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;

/// Memory of a worker, whatever a file asks for: 1 GiB of address space.
const MEMORY: u64 = 1 << 30;

/// CPU of a worker's whole life, in seconds: a last guard behind zegel's own (it retires a worker after 60 s).
const CPU: u64 = 120;

/// The standard descriptors, the socket, one file that is read, and some air.
const DESCRIPTORS: u64 = 8;

/// CPU of one picture, in seconds: a page of A4 takes one or two, ten pages of a fax ten.
const PICTURE_CPU: u64 = 20;

/// The standard descriptors, and a library or a file of data at a time.
const PICTURE_DESCRIPTORS: u64 = 16;

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

/// The same around a program of others, which needs its libraries and data: it may read what the system has for everybody, and run itself. All of the
/// cage, or `false`.
pub(super) fn lock_around(program: &Path) -> bool {
    limit_to([
        (Resource::As, MEMORY, MEMORY),
        (Resource::Cpu, PICTURE_CPU, PICTURE_CPU + 1),
        (Resource::Nofile, PICTURE_DESCRIPTORS, PICTURE_DESCRIPTORS),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
    ]) && system::landlock_around(program)
        && system::seccomp_around()
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
    limit_to(limits) && system::not_dumpable()
}

/// Sets limits: of each resource the one in force, and the one to which that can be raised.
fn limit_to(limits: [(Resource, u64, u64); 5]) -> bool {
    // Each one, also when another could not be set; and none is raised over what we were given.
    let set = limits.map(|(resource, current, maximum)| {
        let given = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        setrlimit(resource, Rlimit { current: Some(current.min(given)), maximum: Some(maximum.min(given)) }).is_ok()
    });
    set.iter().all(|set| *set)
}

#[cfg(target_os = "linux")]
mod system {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
        RulesetStatus, Scope, path_beneath_rules,
    };
    use rustix::process::DumpableBehavior;
    use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
    use std::{collections::BTreeMap, path::Path};

    /// Nobody may look into its memory, other workers included: what it reads is mail.
    pub(super) fn not_dumpable() -> bool {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
    }

    /// Nothing of the file system, no TCP, no abstract sockets or signals beyond the cage: as much of it as the kernel knows.
    pub(super) fn landlock() -> bool {
        is_enforced(nothing_allowed)
    }

    fn nothing_allowed() -> Result<RulesetCreated, RulesetError> {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .scope(Scope::from_all(ABI::V6))?
            .create()
    }

    fn is_enforced(rules: impl FnOnce() -> Result<RulesetCreated, RulesetError>) -> bool {
        let status = || rules()?.restrict_self();
        rustix::thread::set_no_new_privs(true).is_ok() && status().is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
    }

    /// Where a system keeps its libraries, of which the loader is one and runs as a program does.
    const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

    /// What everybody's programs and their data are, and where the loader finds which library is where.
    const READABLE: [&str; 2] = ["/usr", "/etc/ld.so.cache"];

    /// Nothing but reading what everybody has, and running `program`.
    pub(super) fn landlock_around(program: &Path) -> bool {
        is_enforced(|| {
            let read = AccessFs::ReadFile | AccessFs::ReadDir;
            nothing_allowed()?
                .add_rules(path_beneath_rules(READABLE, read))?
                .add_rules(path_beneath_rules(LIBRARIES, read | AccessFs::Execute))?
                .add_rules(path_beneath_rules([program], AccessFs::ReadFile | AccessFs::Execute))
        })
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
        is_applied(program)
    }

    fn is_applied(program: fn() -> Result<BpfProgram, Box<dyn std::error::Error>>) -> bool {
        program().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
    }

    /// What starting a program, loading its libraries and reading its data need beside [`CALLS`]; nothing by which it could talk to anybody or start
    /// another process. Of these `execve` runs what landlock lets it.
    const STARTING: [i64; 16] = [
        libc::SYS_execve,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_newfstatat,
        libc::SYS_faccessat,
        libc::SYS_readlinkat,
        libc::SYS_getdents64,
        libc::SYS_getcwd,
        libc::SYS_set_tid_address,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_getaffinity,
        libc::SYS_sysinfo,
        libc::SYS_uname,
        libc::SYS_ppoll,
        libc::SYS_clock_nanosleep,
    ];

    /// The same where the processor keeps old ways.
    #[cfg(target_arch = "x86_64")]
    const STARTING_HERE: [i64; 6] =
        [libc::SYS_arch_prctl, libc::SYS_poll, libc::SYS_access, libc::SYS_stat, libc::SYS_lstat, libc::SYS_readlink];
    #[cfg(not(target_arch = "x86_64"))]
    const STARTING_HERE: [i64; 0] = [];

    /// Opening, and which argument says how.
    #[cfg(target_arch = "x86_64")]
    const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2), (libc::SYS_open, 1)];
    #[cfg(not(target_arch = "x86_64"))]
    const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2)];

    pub(super) fn seccomp_around() -> bool {
        is_applied(program_around)
    }

    /// Other people's programs ask for things that they can do without: they hear that the system has no such call, and find another way.
    fn program_around() -> Result<BpfProgram, Box<dyn std::error::Error>> {
        let calls = CALLS.into_iter().chain(STARTING).chain(STARTING_HERE).chain([libc::SYS_fcntl]);
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = calls.map(|call| (call, Vec::new())).collect();
        // What has no place in a cage that others' code runs in: talking, and signals to anybody.
        for call in [libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_sendto, libc::SYS_sendmsg] {
            rules.remove(&call);
        }
        let writes = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC).unsigned_abs().into();
        for (call, how) in OPENING {
            let reads = SeccompCondition::new(*how, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(writes), 0)?;
            rules.insert(*call, vec![SeccompRule::new(vec![reads])?]);
        }
        let refusal = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        Ok(SeccompFilter::new(rules, refusal, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()?)
    }

    fn program() -> Result<BpfProgram, Box<dyn std::error::Error>> {
        // The second argument of fcntl, and the third of mmap and mprotect.
        let asks = |what: i32| SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, what.unsigned_abs().into());
        let executable = libc::PROT_EXEC.unsigned_abs().into();
        let not_run = || SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0);
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = CALLS.into_iter().map(|call| (call, Vec::new())).collect();
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

    pub(super) fn landlock_around(_: &std::path::Path) -> bool {
        false
    }

    pub(super) fn seccomp_around() -> bool {
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
