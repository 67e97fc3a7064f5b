"""Texts that hold numbers, and texts that hold none of them: templates of our own, filled from a seed."""
import made

NAMES = ["Fatima el Amrani", "J. de Boer", "mevrouw Hendriks", "Pieter-Jan van Dijk", "dhr. Yilmaz", "Sanne Visser", "A. Kowalska", "Daan Smit"]
STREETS = ["Dorpsstraat", "Kerkweg", "Molenlaan", "Stationsplein", "Nieuwe Gracht"]
TOWNS = ["Ede", "Zwolle", "Heerlen", "Assen", "Goes"]

OPENINGS = ["Geachte heer, mevrouw,", "Beste collega,", "Hallo Karin,", "Dear sir,", "Goedemiddag,"]
FILLERS = [
    "Morgen om half tien bespreken we dit in de grote zaal.",
    "De bijlage heb ik vorige week al gestuurd, maar ik stuur hem voor de zekerheid nog een keer mee.",
    "Kunt u mij laten weten of dit zo akkoord is?",
    "We verwachten de stukken voor 1 december.",
    "In verband met de feestdagen is het loket gesloten van 24 tot en met 27 december.",
    "Please find the minutes of our last meeting attached.",
    "Het overleg duurt ongeveer 45 minuten en gaat over punt 3 van de agenda.",
    "Bel gerust als er iets niet duidelijk is.",
]
CLOSINGS = ["Met vriendelijke groet,\nKarin", "Groeten,\nTeam Burgerzaken", "Kind regards,\nJohn", "Hoogachtend,\nhet college"]

# How a label and its number stand in a sentence: families of their own.
LABELLED = {
    "colon": "{label}: {number}",
    "sentence": "Het {label} van {name} is {number}.",
    "nothing between": "{name}, {label} {number}, woont in {town}.",
    "in brackets": "{name} ({label} {number}) heeft zich gemeld.",
    "behind": "{number} is het {label} dat wij van {name} hebben.",
    "next line": "{label}\n{number}",
    "question": "Klopt het dat {name} als {label} {number} heeft?",
    "english": "The {label} of {name}: {number}, please check.",
}

UNLABELLED = {
    "bare": "Graag verwerken: {number}",
    "in a sentence": "U kunt het overmaken op {number} ten name van {name}.",
    "list": "- {name}\n- {number}\n- {town}",
}

# Types whose numbers mean something only beside something else.
OWN = {
    "postcode_address": {
        "one line": "{name}, {street} {house}, {number} {town}",
        "two lines": "{name}\n{street} {house}\n{number} {town}",
        "in a sentence": "Hij verhuisde naar de {street} {house} te {number} {town}.",
    },
    # Behind a label and a colon only: a word that stands somewhere near one is no password.
    "password": {
        "colon": "{label}: {number}",
        "in a sentence": "De bijlage is beveiligd. {label}: {number} (graag niet doorsturen)",
        "list": "gebruiker: jansen\n{label}: {number}",
    },
    "secret": {
        "bare": "De sleutel is\n{number}\nBewaar hem goed.",
        "assignment": "export TOKEN={number}",
        "behind a colon": "token: {number}",
    },
    "phone_mobile": {"bare": "Bel {number}", "in a sentence": "U bereikt {name} op {number}.", "signature": "{name}\nM {number}"},
    "email": {"bare": "{number}", "in a sentence": "Stuur het naar {number}.", "in angle brackets": "{name} <{number}>"},
}


def filled(template, rng, **more):
    return template.format(name=rng.choice(NAMES), town=rng.choice(TOWNS), street=rng.choice(STREETS), house=rng.randint(1, 180), **more)


def around(core, rng):
    """A mail's text with `core` somewhere in it."""
    fillers = [rng.choice(FILLERS) for _ in range(rng.randint(0, 4))]
    fillers.insert(rng.randint(0, len(fillers)), core)
    return "\n\n".join([rng.choice(OPENINGS), *fillers, rng.choice(CLOSINGS)])


def record(kind, family, text, numbers):
    """Offsets are code points; every number stands in the text once."""
    labels = []
    for number in numbers:
        start = text.index(number)
        labels.append({"type": kind.upper(), "start": start, "end": start + len(number)})
    return {"text": text, "labels": labels, "family": family, "type": kind}


def positives(kind, rng, each):
    """`each` texts of every family of a type."""
    make, labels = made.TYPES[kind]
    families = OWN.get(kind) or (LABELLED if labels else UNLABELLED)
    for family, template in families.items():
        for _ in range(each):
            number, spelling = made.spell(kind, make(rng), rng)
            core = filled(template, rng, label=rng.choice(labels or [""]), number=number)
            name = family if spelling == "plain" else f"{family}, {spelling}"
            yield record(kind, name, around(core, rng), [number])
    if labels and kind not in OWN:
        yield from tables(kind, rng, each)
    if kind == "bsn":
        for _ in range(each):
            number = made.bsn(rng)
            core = f"Betreft {rng.choice(['mevrouw', 'de heer', 'cliënt', 'patiënt'])} {rng.choice(NAMES).split()[-1]}, geboren {made.dob(rng)}, {number}."
            yield record(kind, "no label, a person near", around(core, rng), [number])


def tables(kind, rng, each):
    """A column under a header; a key in JSON and XML."""
    make, labels = made.TYPES[kind]
    for _ in range(each):
        label, sign = rng.choice(labels), rng.choice([";", ",", "\t"])
        rows = [(rng.choice(NAMES), make(rng), rng.choice(TOWNS)) for _ in range(rng.randint(2, 6))]
        if any(sign in number for _, number, _ in rows):
            sign = "\t"
        table = "\n".join([sign.join(["Naam", label, "Plaats"])] + [sign.join(row) for row in rows])
        yield record(kind, "column under a header", around(table, rng), [number for _, number, _ in rows])
        number, words = make(rng), "".join(c if c.isalnum() else " " for c in label.lower()).split()
        whose = rng.choice(["", "", "partner", "client"])
        key = rng.choice(["".join(words), "_".join([whose, *words]).strip("_"), "".join([whose, *(word.capitalize() for word in words)])])
        markup = rng.choice(['{{"naam": "x", "{key}": "{number}"}}', "<persoon><naam>x</naam><{key}>{number}</{key}></persoon>"])
        yield record(kind, "key in JSON or XML", markup.format(key=key, number=number), [number])


def shaped(rng):
    """Numbers that are something else, many of them in a form that passes some check."""
    n = made.digits
    return {
        "order number that passes the 11-proef": f"Uw ordernummer is {made.bsn(rng)}.",
        "case number that passes the 11-proef": f"Zaaknummer {made.bsn(rng)}, graag vermelden.",
        "customer number": f"Klantnummer: {made.bsn(rng)}",
        "invoice": f"Factuur {made.bsn(rng)} van 12-03-2026, bedrag EUR {rng.randint(10, 999)}.{n(rng, 2)}",
        "chamber of commerce": f"KvK {n(rng, 8)}, RSIN {made.bsn(rng)}",
        "parcel": f"Track & trace 3S{n(rng, 13)}, zending {n(rng, 14)}",
        "landline": f"T 0{rng.choice(['318', '38', '45', '592'])}-{n(rng, 6)}",
        "service line": f"Bel 088 {n(rng, 3)} {n(rng, 4)} of 14 0318",
        "amounts": f"{n(rng, 3)}.{n(rng, 3)}.{n(rng, 3)},00 en {rng.randint(1, 9)}.{n(rng, 3)}.{n(rng, 3)},50",
        "hash": "".join(rng.choice("0123456789abcdef") for _ in range(40)),
        "identifier": "-".join("".join(rng.choice("0123456789abcdef") for _ in range(k)) for k in (8, 4, 4, 4, 12)),
        "time stamps": f"epoch {n(rng, 10)}, build 20{n(rng, 10)}, 2026-11-{rng.randint(10, 28)}T{rng.randint(10, 23)}:14:{n(rng, 2)}.{n(rng, 6)}Z",
        "web address": f"https://www.voorbeeld.example/zaken/{made.bsn(rng)}/stukken?id={made.bsn(rng)}",
        "ISBN": f"ISBN 978-90-{n(rng, 3)}-{n(rng, 4)}-{n(rng, 1)}",
        "IBAN with a wrong check": wrong(made.iban(rng), rng),
        "card with a wrong check": wrong(made.credit_card(rng), rng),
        "BSN with a wrong check": f"BSN {wrong_bsn(rng)}",
        "log": "\n".join(f"2026-11-25 08:{n(rng, 2)}:{n(rng, 2)} pid={n(rng, 5)} bytes={n(rng, 9)} id={n(rng, 10)}" for _ in range(8)),
        "coordinates": f"52.{n(rng, 6)}, 5.{n(rng, 6)}; RD {n(rng, 6)} {n(rng, 6)}",
        "base64": "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") for _ in range(300)),
        "meeting": f"Meeting-ID: {n(rng, 3)} {n(rng, 4)} {n(rng, 4)}, toegangscode {n(rng, 6)}",
        "disclaimer": "Dit bericht is vertrouwelijk en alleen bestemd voor de geadresseerde. Bent u dat niet, verwijder het dan en meld het ons. Aan dit bericht kunnen geen rechten worden ontleend.",
        "signature": f"Gemeente Voorbeeld | Postbus {n(rng, 3)}, {rng.randint(1000, 9999)} AB Voorbeeld | KvK {n(rng, 8)} | www.voorbeeld.example",
        "nothing": rng.choice(FILLERS),
    }


def wrong(number, rng):
    """One digit of its end changed: no check lets that pass."""
    last = int(number[-1])
    return number[:-1] + str((last + rng.randint(1, 9)) % 10)


def wrong_bsn(rng):
    return wrong(made.bsn(rng), rng)


def decoys(rng, each):
    for _ in range(each):
        for family, core in shaped(rng).items():
            yield {"text": around(core, rng), "labels": [], "family": family, "type": None}
