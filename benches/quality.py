#!/usr/bin/python3
"""How good detection is: precision and recall per type and family, on texts that are made from a seed.

    benches/quality.py target/release/zegel [--seed 1] [--each 40] [--misses 3] [--write docs/detection-quality.md]

The numbers and texts are made by benches/quality/, which knows the checks by itself. Types are found by the built-in rules; for a type that
none of them looks for, by a rule of its own with `finds` alone. Prints the tables; `--write` puts them into the page between its two marks. Fails when
a figure is below those that the page promises, so that a change for the worse is seen.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "quality"))
import made
import texts

# What is promised at medium or better, as the mean over families: detection.md has the same.
RECALL = collections.defaultdict(lambda: 0.95, bsn=0.99, iban=0.995, credit_card=0.99)
# Account numbers of before IBAN are a hint at most, right behind their label: nothing is promised of them.
RECALL["bank_account_old"] = 0
# What speaks for itself only beside something else is no finding of its own at medium.
EVIDENCE = {"bank_account_old", "postcode_address", "dob", "phone_mobile", "email", "licence_plate"}
# Documents without any of these numbers in which something is found all the same.
FALSE = 0.005
# The families that a promise of their own is made of.
UNLABELLED = "no label, a person near"
RANK = {"low": 0, "medium": 1, "high": 2}
MARKS = ("<!-- benches/quality.py writes from here -->\n", "<!-- to here -->")


def configured(zegel, folder):
    """A configuration with a rule for each type; the types that this zegel knows."""
    subprocess.run([zegel, "init", folder], check=True, capture_output=True)
    present = " ".join(path.read_text() for path in (folder / "rules").glob("*.toml"))
    found = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"^\s*finds\s*=\s*(.*)$", present, re.M))))
    known = []
    for kind in made.TYPES:
        if kind not in found:
            rule = folder / f"rules/only-{kind.replace('_', '-')}.toml"
            rule.write_text(f'[rule]\nname = "{rule.stem}"\ntitle = "{kind}"\nfinds = "{kind}"\nwhere = ["subject", "body"]\n[examples]\nmatch = []\n')
            told = subprocess.run([zegel, "explain", "--jsonl", "--config", folder / "zegel.toml"], input=b"", capture_output=True)
            if told.returncode:
                rule.unlink()
                continue
        known.append(kind)
    return known


def explained(zegel, config, records):
    lines = "".join(json.dumps({"id": at, "text": record["text"]}) + "\n" for at, record in enumerate(records))
    done = subprocess.run([zegel, "explain", "--jsonl", "--config", config], input=lines.encode(), capture_output=True, check=True)
    return [json.loads(line)["findings"] for line in done.stdout.splitlines()]


class Score:
    def __init__(self):
        self.hits = collections.defaultdict(lambda: [0, 0])
        self.wrong = collections.Counter()
        self.decoys = collections.defaultdict(lambda: [0, 0])
        self.misses = collections.defaultdict(list)
        self.kinds = collections.defaultdict(collections.Counter)

    def add(self, record, findings, known):
        findings = [f for f in findings if f["start"] is not None and f["type"] in known]
        for label in record["labels"]:
            kind = record["type"]
            least = 0 if kind in EVIDENCE else 1
            hit = any(f["type"] == kind and RANK[f["confidence"]] >= least and f["start"] < label["end"] and f["end"] > label["start"] for f in findings)
            counts = self.hits[kind, record["family"]]
            counts[0] += hit
            counts[1] += 1
            if not hit:
                self.misses[kind].append((record["family"], record["text"][max(0, label["start"] - 50) : label["end"] + 20]))
        certain = [f for f in findings if f["type"] not in EVIDENCE and RANK[f["confidence"]] >= 1]
        beside = [f for f in certain if not any(f["start"] < l["end"] and f["end"] > l["start"] for l in record["labels"])]
        self.wrong.update(f["type"] for f in beside)
        if record["type"] is None:
            counts = self.decoys[record["family"]]
            counts[0] += bool(beside)
            counts[1] += 1
            self.kinds[record["family"]].update(f["type"] for f in beside)
            self.misses["decoys"] += [(record["family"], record["text"][max(0, f["start"] - 50) : f["end"] + 20]) for f in beside]

    def mean(self, kind, unlabelled=False):
        shares = [hit / of for (k, family), (hit, of) in self.hits.items() if k == kind and (family == UNLABELLED) == unlabelled]
        return sum(shares) / len(shares)

    def tables(self, known):
        lines = ["| type | numbers | recall, mean over families | worst family | precision |", "|---|---|---|---|---|"]
        for kind in known:
            families = {family: counts for (k, family), counts in self.hits.items() if k == kind}
            hits, of = map(sum, zip(*families.values()))
            worst = min(families, key=lambda f: families[f][0] / families[f][1])
            share = families[worst][0] / families[worst][1]
            precision = hits / max(1, hits + self.wrong[kind])
            lines.append(f"| {kind} | {of} | {self.mean(kind):.3f} | {'-' if share == 1 else f'{worst} {share:.2f}'} | {precision:.3f} |")
        lines += ["", "| texts without any | number | with a finding | of what |", "|---|---|---|---|"]
        for family, (wrong, of) in self.decoys.items():
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds[family].most_common())
            lines.append(f"| {family} | {of} | {wrong / of:.3f} | {kinds or '-'} |")
        wrong, of = map(sum, zip(*self.decoys.values()))
        lines += ["", f"BSN without a label, a person near: {self.mean('bsn', True):.3f}. Texts without any, with a finding: {wrong} of {of} = {wrong / of:.4f}."]
        return "\n".join(lines) + "\n"

    def broken(self, known):
        short = [f"{kind}: recall {self.mean(kind):.3f} < {RECALL[kind]}" for kind in known if self.mean(kind) < RECALL[kind]]
        if self.mean("bsn", True) < 0.90:
            short.append(f"bsn without a label: {self.mean('bsn', True):.3f} < 0.90")
        wrong, of = map(sum, zip(*self.decoys.values()))
        return short + ([f"false findings: {wrong / of:.4f} > {FALSE}"] if wrong / of > FALSE else [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zegel")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--misses", type=int, default=0)
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    zegel = pathlib.Path(options.zegel).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "c"
        known = configured(zegel, folder)
        rng = random.Random(options.seed)
        records = [record for kind in known for record in texts.positives(kind, rng, options.each)] + list(texts.decoys(rng, 5 * options.each))
        score = Score()
        for record, findings in zip(records, explained(zegel, folder / "zegel.toml", records), strict=True):
            score.add(record, findings, known)
    tables = score.tables(known)
    print(tables)
    absent = [kind for kind in made.TYPES if kind not in known]
    if absent:
        print("not known to this zegel:", ", ".join(absent))
    for kind, misses in score.misses.items():
        for family, text in random.Random(0).sample(misses, min(options.misses, len(misses))):
            print(f"{kind}, {family}: {text!r}")
    if options.write:
        before, _, rest = options.write.read_text().partition(MARKS[0])
        _, mark, after = rest.partition(MARKS[1])
        options.write.write_text(before + MARKS[0] + tables + mark + after)
    short = score.broken(known)
    print("\n".join(short) or "every promise is kept")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
