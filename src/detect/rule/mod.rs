//! Rule files: read completely, every fault reported, before anything takes effect.

mod condition;
mod known;
mod list;
mod order;

pub(super) use condition::{Condition, HeaderTest};

use super::{
    context::Window,
    examples::Examples,
    known::{Known, KnownKey},
    lexicon::{Lexicon, Spelling, Stars, Use},
    place::{WORDS, Where},
    region::{self, Regions},
    types::{Kind, Kinds, joined},
};
use crate::fault::{Faults, Files, Located, Table, did_you_mean};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What others may know of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name, under which policies and explanations speak of it.
    pub name: Arc<str>,
    /// What it is about, for people: `Burgerservicenummer`.
    pub title: String,
    /// One plain sentence for the sender: `Het bericht bevat een burgerservicenummer.`
    pub explain: String,
    /// Whether a telephone number may stand behind its word.
    pub phone: bool,
    /// Whether what it finds is taken out of everything that zegel writes.
    pub strip: bool,
    /// What it counts for in a mail in which it found something: the points of all rules add up, and a policy may ask for so many.
    pub points: u32,
}

/// A rule, ready for use.
pub(super) struct Rule {
    pub(super) info: RuleInfo,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) condition: Condition,
    pub(super) places: Where,
    pub(super) context: Option<ContextWords>,
    pub(super) ignored: Arc<Ignored>,
    pub(super) examples: Examples,
}

/// The rule's `[ignore]`.
#[derive(Default)]
pub(super) struct Ignored {
    /// Numbers of no interest, letters in upper case, without separators.
    values: HashSet<String>,
    /// Parts of a text of no interest.
    pub(super) regions: Regions,
}

impl Rule {
    /// Whether the organisation said that this number is of no interest.
    pub(super) fn ignores(&self, written: &str) -> bool {
        !self.ignored.values.is_empty() && self.ignored.values.contains(&bare(written))
    }
}

/// The types: two with a module of their own, the others of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bsn,
    Iban,
    Other(Kind),
}

/// The rule's `[context]`; its labels are in the lexicon.
#[derive(Clone, Copy)]
pub(super) struct ContextWords {
    pub(super) window: Window,
    pub(super) person: bool,
}

/// Types of detection.md, section 2, that are lists and texts of rules.
const NO_TYPES: [&str; 4] = ["health", "art9", "marking", "phone"];

/// The most points of one rule: policies count to hundreds.
const MOST_POINTS: u32 = 1000;

/// Every rule of a set. Those with a name come first, in the order of their files; behind them stand the things that conditions are made of.
pub(super) struct Rules {
    pub(super) all: Vec<Rule>,
    /// How many have a name.
    pub(super) named: usize,
    /// The numbers of those that join what others find, each behind those it needs.
    pub(super) joined: Vec<usize>,
}

impl Rules {
    /// Those with a name.
    pub(super) fn named(&self) -> &[Rule] {
        &self.all[..self.named]
    }

    /// Of which rules unsure findings are counted by their values, by number.
    pub(super) fn counted(&self) -> Vec<bool> {
        let mut counted = vec![false; self.all.len()];
        for rule in &self.all {
            if let Condition::Joined(node) = &rule.condition {
                node.each_counted(&mut |rule| counted[rule] = true);
            }
        }
        counted
    }
}

/// Reads every `rules/*.toml`; the terms go into `lexicon`.
pub(super) fn read_all(files: &Files, key: Option<&Arc<KnownKey>>, faults: &Faults, lexicon: &mut Lexicon) -> Rules {
    let stem = |file: &str| file.strip_prefix("rules/")?.strip_suffix(".toml").filter(|s| !s.contains('/')).map(str::to_owned);
    let own: Vec<(&String, &String, String)> = files.iter().filter_map(|(file, text)| Some((file, text, stem(file)?))).collect();
    let names: Vec<String> = own.iter().map(|(.., stem)| stem.clone()).collect();
    let (mut all, mut inner, mut tables) = (Vec::with_capacity(names.len()), Vec::new(), HashMap::new());
    for (index, (file, text, stem)) in own.into_iter().enumerate() {
        let lists = Lists::default();
        let mut reader = Reader { files, lexicon, names: &names, index, stem: &stem, lists, inner: &mut inner, key, tables: &mut tables };
        // A rule with a fault is not used, but it keeps its number: terms already added refer to it.
        all.push(match Table::parse(file, text, faults) {
            Some(root) => reader.rule(root),
            None => reader.nothing(file),
        });
    }
    let named = all.len();
    all.append(&mut inner);
    let joined = order::order(&all, faults);
    Rules { all, named, joined }
}

/// The types of the table that these rules find.
pub(super) fn kinds(rules: &[Rule]) -> Kinds {
    let mut kinds = Kinds::default();
    for rule in rules {
        let Condition::Finds(types) = &rule.condition else { continue };
        for kind in types {
            if let Type::Other(kind) = kind {
                kinds = kinds.with(*kind);
            }
        }
    }
    kinds
}

struct Reader<'a> {
    files: &'a Files,
    lexicon: &'a mut Lexicon,
    /// The names of all rules; a rule's number is its place here.
    names: &'a [String],
    /// The number of the rule being read.
    index: usize,
    stem: &'a str,
    lists: Lists,
    /// The things that conditions are made of, of all rules so far.
    inner: &'a mut Vec<Rule>,
    key: Option<&'a Arc<KnownKey>>,
    /// The tables of known values read so far, by name; `None` where one can't be used.
    tables: &'a mut HashMap<String, Option<Arc<Known>>>,
}

/// The table `[lists]` of a rule's file.
#[derive(Default)]
struct Lists {
    table: Option<Table>,
    used: Vec<String>,
}

impl Reader<'_> {
    fn rule(&mut self, root: Table) -> Rule {
        let file = root.file().to_owned();
        if !root.has("rule") && (root.has("policy") || root.has("defaults")) {
            root.fault(1, "this file holds policies, not a rule", "move it to policies/");
            return self.nothing(&file);
        }
        let examples = Examples::read(root.table("examples"));
        let ignored = Arc::new(root.table("ignore").map(|table| self.ignored(table)).unwrap_or_default());
        let context = root.table("context");
        self.lists.table = root.table("lists");
        let begins = self.inner.len();
        let rule = root.table("rule");
        if rule.is_none() && !root.has("rule") {
            root.fault(1, "`[rule]` is missing", "begin the file with `[rule]` and its name");
        }
        let line = rule.as_ref().map_or(1, Table::line);
        let (info, places, condition) = match rule {
            Some(rule) => self.head(rule),
            None => (self.info(self.stem.to_owned()), Where::default(), None),
        };
        self.finish_lists();
        // A rule without a condition has been reported; it finds nothing.
        let condition = condition.unwrap_or(Condition::Finds(Vec::new()));
        let mut rule = Rule { info, file, line, condition, places, context: None, ignored, examples };
        if let Some(table) = context {
            self.give_context(table, &mut rule, begins);
        }
        for inner in &mut self.inner[begins..] {
            inner.ignored = rule.ignored.clone();
        }
        root.finish();
        rule
    }

    /// The rule of a file with a fault that leaves nothing to be read.
    fn nothing(&self, file: &str) -> Rule {
        let (info, condition) = (self.info(self.stem.to_owned()), Condition::Finds(Vec::new()));
        let (places, file) = (Where::default(), file.to_owned());
        Rule { info, file, line: 1, condition, places, context: None, ignored: Arc::default(), examples: Examples::default() }
    }

    /// The words of `[context]` are about every number that the rule, or a condition in it (from `begins` on), looks for.
    fn give_context(&mut self, table: Table, rule: &mut Rule, begins: usize) {
        let of = |inner: &Rule| matches!(inner.condition, Condition::Finds(_) | Condition::Pattern(_));
        let mut numbers: Vec<usize> = if of(rule) { vec![self.index] } else { Vec::new() };
        numbers.extend((begins..self.inner.len()).filter(|n| of(&self.inner[*n])).map(|n| self.names.len() + n));
        if numbers.is_empty() {
            return table.fault(table.line(), "`[context]` belongs to a rule that finds numbers", "leave it out");
        }
        let context = self.context(table, &numbers);
        for number in numbers {
            match number.checked_sub(self.names.len()) {
                Some(inner) => self.inner[inner].context = Some(context),
                None => rule.context = Some(context),
            }
        }
    }

    fn info(&self, name: String) -> RuleInfo {
        RuleInfo { title: name.clone(), explain: String::new(), name: name.into(), phone: false, strip: false, points: 0 }
    }

    /// The table `[rule]` itself.
    fn head(&mut self, rule: Table) -> (RuleInfo, Where, Option<Condition>) {
        let name = rule.required_text("name", &format!("\"{}\"", self.stem));
        if let Some(Located { value, line }) = &name
            && value != self.stem
        {
            rule.fault(*line, format!("the rule is called `{value}` but its file `{}.toml`", self.stem), "give both the same name");
        }
        let mut info = self.info(name.map_or_else(|| self.stem.to_owned(), |n| n.value));
        if let Some(title) = rule.required_text("title", "\"Burgerservicenummer\"") {
            info.title = title.value;
        }
        info.explain = rule.text("explain").map_or_else(|| format!("Het bericht bevat: {}.", info.title), |e| e.value);
        info.strip = rule.boolean("strip").is_some_and(|b| b.value);
        info.phone = rule.boolean("phone").is_some_and(|b| b.value);
        if let Some(Located { value, line }) = rule.integer("points") {
            match u32::try_from(value).ok().filter(|points| (1..=MOST_POINTS).contains(points)) {
                Some(points) => info.points = points,
                None => rule.fault(line, format!("`points` can't be {value}"), format!("write a number from 1 to {MOST_POINTS}")),
            }
        }
        let places = places(&rule);
        let condition = self.condition(&rule, places);
        for (word, on) in [("strip", info.strip), ("phone", info.phone)] {
            if on && !matches!(condition, Some(Condition::Terms("word" | "text")) | None) {
                rule.fault(rule.line(), format!("`{word}` belongs to a rule with `word`"), "leave it out");
            }
        }
        rule.finish();
        (info, places, condition)
    }

    fn context(&mut self, table: Table, rules: &[usize]) -> ContextWords {
        for (word, wanted) in [("near", true), ("not_near", false)] {
            for term in table.texts(word) {
                let joined = joined(&term.value).map(|value| Located { value, line: term.line });
                for (term, rule) in [Some(term), joined].iter().flatten().flat_map(|term| rules.iter().map(move |rule| (term, *rule))) {
                    self.term(&table, term, Stars::AnyEnding, Spelling::default(), Use::Label { rule, wanted });
                }
            }
        }
        let window = table.text("near_within").map_or_else(Window::default, |text| {
            window(&text.value).unwrap_or_else(|| {
                table.fault(text.line, format!("`{}` is no distance", text.value), "write \"60 before, 40 after\", each at most 1000");
                Window::default()
            })
        });
        let person = table.boolean("person").is_some_and(|b| b.value);
        table.finish();
        ContextWords { window, person }
    }

    fn ignored(&self, table: Table) -> Ignored {
        let mut values: HashSet<String> = table.texts("values").iter().map(|v| bare(&v.value)).collect();
        for name in table.texts("files") {
            if let Some((_, text)) = self.file(&table, &name) {
                values.extend(list::entries(&text).map(|(_, value)| bare(value)));
            }
        }
        let regions = table.texts("in").into_iter().fold(Regions::default(), |regions, Located { value, line }| {
            regions.with(&value).unwrap_or_else(|| {
                let remedy = match did_you_mean(&value, region::WORDS) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("known: {}", region::WORDS.join(", ")),
                };
                table.fault(line, format!("\"{value}\" is no part of a text that can be left out"), remedy);
                regions
            })
        });
        table.finish();
        Ignored { values, regions }
    }
}

fn places(rule: &Table) -> Where {
    let words = rule.texts("where");
    if words.is_empty() {
        if rule.is_texts("where") {
            rule.fault(rule.line(), "`where` is empty", "name a place or leave it out");
        }
        return Where::default();
    }
    words.into_iter().fold(Where::NOWHERE, |places, Located { value, line }| {
        places.with(&value).unwrap_or_else(|| {
            let remedy = match did_you_mean(&value, WORDS) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("known: {}", WORDS.join(", ")),
            };
            rule.fault(line, format!("unknown place \"{value}\""), remedy);
            places
        })
    })
}

fn types(rule: &Table) -> Vec<Type> {
    let mut types = Vec::new();
    for Located { value, line } in rule.texts("finds") {
        let found = match value.as_str() {
            "bsn" => Some(Type::Bsn),
            "iban" => Some(Type::Iban),
            other => Kind::of(other).map(Type::Other),
        };
        match found {
            Some(found) if types.contains(&found) => rule.fault(line, format!("the type \"{value}\" is named twice"), "leave one out"),
            Some(found) => types.push(found),
            None if NO_TYPES.contains(&value.as_str()) => {
                let remedy = if value == "phone" { "use phone_mobile" } else { "write a rule with `list` or `text`" };
                rule.fault(line, format!("\"{value}\" is no type"), remedy);
            }
            None => {
                let known = || ["bsn", "iban"].into_iter().chain(Kind::ids());
                let remedy = match did_you_mean(&value, known().chain(NO_TYPES)) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("known: {}", known().collect::<Vec<_>>().join(", ")),
                };
                rule.fault(line, format!("unknown type \"{value}\""), remedy);
            }
        }
    }
    types
}

/// `60 before, 40 after`.
fn window(text: &str) -> Option<Window> {
    // A label further away than this is no neighbour, and looking for one would cost more than linear time.
    const MOST: usize = 1000;
    let number = |part: &str, side: &str| part.trim().strip_suffix(side)?.trim().parse().ok().filter(|n| *n <= MOST);
    let (before, after) = text.split_once(',')?;
    Some(Window { before: number(before, "before")?, after: number(after, "after")? })
}

/// A number without what stands between its digits and letters.
fn bare(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
