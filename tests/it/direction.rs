//! The direction of imports: a module may name only what stands above it in `lib.rs`; neighbours of the world and the movers do not know each
//! other; nobody but the last group knows `config`; and the inner groups neither wait, nor look at a clock, nor touch a file, socket or log.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Neighbours of the world that everybody may ask and tell: the time, and what is counted.
const EVERYBODYS: [&str; 2] = ["clock", "metrics"];

/// Each module with its group and its position in `lib.rs`.
struct House {
    modules: Vec<(String, String)>,
}

impl House {
    fn of(lib: &str) -> House {
        let (mut group, mut modules) = (String::new(), Vec::new());
        for line in lib.lines() {
            if let Some(title) = line.strip_prefix("// ── ") {
                group = title.split(':').next().unwrap_or(title).trim_end_matches(" ──").to_owned();
            } else if let Some(name) = line.strip_prefix("pub mod ").and_then(|l| l.strip_suffix(';')) {
                modules.push((name.to_owned(), group.clone()));
            }
        }
        House { modules }
    }

    fn position(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|(name, _)| name == module)
    }

    /// Why `from` may not name `to`, if it may not.
    fn refusal(&self, from: usize, to: usize) -> Option<&'static str> {
        let (from_group, to_group) = (self.modules[from].1.as_str(), self.modules[to].1.as_str());
        if to > from {
            Some("stands below it in lib.rs")
        } else if to != from && from_group == to_group && from_group == "world" && !EVERYBODYS.contains(&self.modules[to].0.as_str()) {
            Some("is its neighbour in the world")
        } else if to != from && from_group == to_group && from_group == "movers" {
            Some("is another mover: they meet in the store only")
        } else {
            None
        }
    }
}

/// The code of a file without its comments, strings' contents aside, and without its tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    code.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that the code names: `use crate::x`, `crate::x::y`, and each of `use crate::{x, y::z}`.
fn named(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_segments(group)),
            None => names.push(word(rest)),
        }
    }
    names
}

/// The first word of each entry of a brace group, nested groups skipped.
fn first_segments(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && (c.is_alphanumeric() || c == '_') => {
                names.push(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> (House, BTreeMap<PathBuf, (String, String)>) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let house = House::of(&fs::read_to_string(src.join("lib.rs")).expect("there is a lib.rs"));
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut sources = BTreeMap::new();
    for path in files {
        let inside = path.strip_prefix(&src).expect("it lies in src");
        let module = inside.components().next().expect("it has a name").as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if module != "lib" && module != "main" && !inside.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("sources can be read");
            sources.insert(inside.to_owned(), (module, code(&text)));
        }
    }
    (house, sources)
}

#[test]
fn imports_point_upwards() {
    let (house, sources) = sources();
    let mut wrong = Vec::new();
    for (path, (module, code)) in &sources {
        let Some(from) = house.position(module) else {
            wrong.push(format!("{}: `{module}` is not listed in lib.rs", path.display()));
            continue;
        };
        for name in named(code) {
            match house.position(&name) {
                Some(to) => {
                    if let Some(why) = house.refusal(from, to) {
                        wrong.push(format!("{}: names `{name}`, which {why}", path.display()));
                    }
                }
                None => wrong.push(format!("{}: names `crate::{name}`, which is no module", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_inner_groups_do_nothing_but_compute() {
    const WORDS: [&str; 9] =
        ["async fn", ".await", "tokio::", "tracing::", "std::fs", "std::net", "SystemTime", "Instant::now", "println!"];
    let (house, sources) = sources();
    let mut wrong = Vec::new();
    for (path, (module, code)) in &sources {
        let Some(at) = house.position(module) else { continue };
        if !["words", "judgement", "making"].contains(&house.modules[at].1.as_str()) {
            continue;
        }
        for word in WORDS.iter().filter(|w| code.contains(**w)) {
            wrong.push(format!("{}: `{word}` has no place in {}", path.display(), house.modules[at].1));
        }
        if module != "secret" && (code.contains("rand::fill") || code.contains("rand::SystemRandom")) {
            wrong.push(format!("{}: randomness comes from `secret` only", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_direction_would_be_seen() {
    let house = House::of(
        "// ── words: x ──\npub mod a;\npub mod b;\n// ── world: y ──\npub mod c;\npub mod d;\n// ── movers: z ──\npub mod e;\npub mod f;\n",
    );
    assert!(house.refusal(0, 1).is_some() && house.refusal(1, 0).is_none());
    assert!(house.refusal(3, 2).is_some() && house.refusal(5, 4).is_some() && house.refusal(4, 2).is_none());
    assert_eq!(named("use crate::{a, b::{self, X}, c};\nlet x = crate::d::new();"), ["a", "b", "c", "d"]);
    assert_eq!(named(&code("// crate::z\nfn f() {}\n#[cfg(test)]\nmod tests { use crate::y; }")), Vec::<String>::new());
}
