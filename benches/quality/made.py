"""Valid numbers of every type, made from a seed by rules written down here a second time, apart from zegel's own.

Sources: the issuing bodies' published checks, as docs/rules.md names them. The numbers are random and valid, so one may belong to somebody: never use them
outside of measuring.
"""
import string

DIGITS = string.digits
UPPER = string.ascii_uppercase


def digits(rng, count):
    return "".join(rng.choice(DIGITS) for _ in range(count))


def until(make, fits):
    """Numbers of a type without a formula for its check digit: made until one fits."""
    while True:
        number = make()
        if fits(number):
            return number


def weighted(number, weights):
    return sum(int(d) * w for d, w in zip(number, weights))


def bsn(rng):
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return until(lambda: digits(rng, 9), lambda n: weighted(n, weights) % 11 == 0 and n[0] in "01234" and len(set(n)) > 2)


def onderwijsnummer(rng):
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return until(lambda: "10" + digits(rng, 7), lambda n: weighted(n, weights) % 11 == 5)


def letters_as_numbers(text):
    return "".join(str(int(c, 36)) for c in text)


def nl_vat(rng):
    # ISO 7064 gives check digits from 02 to 98; the others add up as well, and are not given out.
    return until(lambda: f"NL{digits(rng, 9)}B{digits(rng, 2)}", lambda n: int(letters_as_numbers(n)) % 97 == 1 and 2 <= int(n[-2:]) <= 98)


def nl_vat_bsn(rng):
    return f"NL{bsn(rng)}B0{rng.randint(1, 3)}"


def luhn_digit(number):
    doubled = [sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(number))]
    return str(-sum(doubled) % 10)


def credit_card(rng):
    prefix, length = rng.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("36", 14), ("6011", 16), ("3530", 16)])
    body = prefix + digits(rng, length - len(prefix) - 1)
    return body + luhn_digit(body)


IBAN = {"NL": (4, 10), "DE": (0, 18), "BE": (0, 12), "FR": (0, 23), "GB": (4, 14), "LU": (0, 16), "ES": (0, 20), "PL": (0, 24), "NO": (0, 11), "MT": (4, 23)}


def iban(rng):
    country = rng.choice(list(IBAN))
    bank, rest = IBAN[country]
    account = "".join(rng.choice(UPPER) for _ in range(bank)) + digits(rng, rest)
    check = 98 - int(letters_as_numbers(account + country + "00")) % 97
    return f"{country}{check:02}{account}"


def bank_account_old(rng):
    return until(lambda: str(rng.randint(1, 9)) + digits(rng, 8), lambda n: weighted(n, range(9, 0, -1)) % 11 == 0)


def nl_passport(rng):
    letters = UPPER.replace("O", "")
    number = rng.choice("NI") + rng.choice(letters) + "".join(rng.choice(letters + DIGITS.replace("0", "")) for _ in range(6))
    return number + str(weighted_icao(number))


def weighted_icao(number):
    return sum(int(c, 36) * (7, 3, 1)[i % 3] for i, c in enumerate(number)) % 10


def a_number(rng):
    def fits(n):
        return n[0] != "0" and all(a != b for a, b in zip(n, n[1:])) and sum(map(int, n)) % 11 in (0, 5) and sum(int(d) << i for i, d in enumerate(n)) % 11 == 0

    return until(lambda: digits(rng, 10), fits)


def licence_plate(rng):
    form = rng.choice(["XX-99-99", "99-99-XX", "99-XX-99", "XX-99-XX", "XX-XX-99", "99-XX-XX", "99-XXX-9", "9-XXX-99", "XX-999-X", "X-999-XX"])
    return "".join(rng.choice("BDFGHJKLNPRSTVXZ") if c == "X" else rng.choice(DIGITS) if c == "9" else c for c in form)


def date(rng):
    return rng.randint(1, 28), rng.randint(1, 12), rng.randint(1935, 2022)


def be_rrn(rng):
    day, month, year = date(rng)
    body = f"{year % 100:02}{month:02}{day:02}{rng.randint(1, 997):03}"
    return body + f"{97 - int(('2' if year >= 2000 else '') + body) % 97:02}"


def de_idnr(rng):
    def fits(n):
        return n[0] != "0" and sorted(n.count(d) for d in set(n)) in ([1] * 8 + [2], [1] * 7 + [3]) and not any(d * 3 in n for d in DIGITS)

    body = until(lambda: digits(rng, 10), fits)
    product = 10
    for d in body:
        total = (int(d) + product) % 10 or 10
        product = 2 * total % 11
    return body + str((11 - product) % 10)


def fr_nir(rng):
    _, month, year = date(rng)
    body = f"{rng.randint(1, 2)}{year % 100:02}{month:02}{rng.randint(1, 95):02}{rng.randint(1, 990):03}{rng.randint(1, 999):03}".replace("20", "21", 0)
    return body + f"{97 - int(body) % 97:02}"


def es_nif(rng):
    number = digits(rng, 8)
    return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def pl_pesel(rng):
    day, month, year = date(rng)
    body = f"{year % 100:02}{month + (20 if year >= 2000 else 0):02}{day:02}{digits(rng, 4)}"
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def se_pn(rng):
    day, month, year = date(rng)
    body = f"{year % 100:02}{month:02}{day:02}{digits(rng, 3)}"
    return f"{body[:6]}-{body[6:]}{luhn_digit(body)}"


def it_cf(rng):
    day, month, year = date(rng)
    consonants = "BCDFGLMNPRSTVZ"
    body = "".join(rng.choice(consonants) for _ in range(6)) + f"{year % 100:02}{'ABCDEHLMPRST'[month - 1]}{day:02}{rng.choice('ABCDEFGHIL')}{digits(rng, 3)}"
    odd = dict(zip(DIGITS + UPPER, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] + [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]))
    even = {c: int(c) if c in DIGITS else ord(c) - ord("A") for c in DIGITS + UPPER}
    return body + UPPER[sum(odd[c] if i % 2 == 0 else even[c] for i, c in enumerate(body)) % 26]


def dk_cpr(rng):
    def make():
        day, month, year = date(rng)
        # The seventh digit tells the century; 0-3 is 1900-1999.
        return f"{day:02}{month:02}{year % 100:02}{rng.randint(0, 3)}{digits(rng, 3)}"

    number = until(make, lambda n: weighted(n, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)
    return f"{number[:6]}-{number[6:]}"


def fi_hetu(rng):
    day, month, year = date(rng)
    body, serial = f"{day:02}{month:02}{year % 100:02}", f"{rng.randint(2, 899):03}"
    return body + ("A" if year >= 2000 else "-") + serial + "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(body + serial) % 31]


def pt_nif(rng):
    body = rng.choice("123") + digits(rng, 7)
    check = -weighted(body, range(9, 1, -1)) % 11
    return body + str(0 if check > 9 else check)


def uk_nino(rng):
    letters = "ABCEGHJKLMNPRSTWXYZ"
    prefix = until(lambda: rng.choice(letters) + rng.choice(letters), lambda p: p not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
    return prefix + digits(rng, 6) + rng.choice("ABCD")


def dob(rng):
    day, month, year = date(rng)
    months = "januari februari maart april mei juni juli augustus september oktober november december".split()
    return rng.choice([f"{day:02}-{month:02}-{year}", f"{day}-{month}-{year}", f"{day}/{month}/{year}", f"{day} {months[month - 1]} {year}", f"{year}-{month:02}-{day:02}"])


def phone_mobile(rng):
    number = digits(rng, 8)
    return rng.choice([f"06{number}", f"06-{number}", f"+316{number}", f"+31 6 {number[:4]} {number[4:]}", f"06 {number[:2]} {number[2:4]} {number[4:6]} {number[6:]}"])


def email(rng):
    return f"{rng.choice(['j.jansen', 'bakker', 'p.de.vries', 'info'])}{rng.randint(1, 99)}@{rng.choice(['post', 'zorg', 'kantoor'])}.example"


def secret(rng):
    letters = string.ascii_letters + DIGITS
    word = lambda n, of=letters: "".join(rng.choice(of) for _ in range(n))
    return rng.choice([
        "AKIA" + word(16, UPPER + "234567"),
        "ghp_" + word(36),
        f"xoxb-{digits(rng, 12)}-{digits(rng, 12)}-{word(24)}",
        f"eyJ{word(30)}.eyJ{word(60)}.{word(43)}",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{word(70)}\n{word(70)}\n-----END OPENSSH PRIVATE KEY-----",
    ])


def password(rng):
    return "".join(rng.choice(string.ascii_letters + DIGITS + "!@#%&*") for _ in range(rng.randint(9, 14))) + rng.choice("!#%7")


def postcode_address(rng):
    letters = "ABCDEFGHJKLMNPRSTVWXZ"
    return f"{rng.randint(1000, 9999)} {until(lambda: rng.choice(letters) + rng.choice(letters), lambda p: p not in ('SA', 'SD', 'SS'))}"


def of_length(count):
    return lambda rng: str(rng.randint(1, 9)) + digits(rng, count - 1)


# type: (how a number is made, its labels). A number of a type without labels is found without.
TYPES = {
    "bsn": (bsn, ["BSN", "burgerservicenummer", "Burgerservicenr.", "sofinummer", "BSN-nummer", "bsn nr"]),
    "iban": (iban, []),
    "credit_card": (credit_card, []),
    "nl_vat": (nl_vat, ["btw-nummer", "BTW-id", "VAT number"]),
    "nl_vat_bsn": (nl_vat_bsn, ["btw-nummer", "BTW nr.", "omzetbelastingnummer"]),
    "onderwijsnummer": (onderwijsnummer, ["onderwijsnummer", "Onderwijsnr."]),
    "bank_account_old": (bank_account_old, ["rekeningnummer", "rekeningnr."]),
    "nl_passport": (nl_passport, ["paspoortnummer", "paspoort nr.", "documentnummer paspoort", "nummer identiteitskaart"]),
    "nl_driving_licence": (lambda rng: rng.choice("3456") + digits(rng, 9), ["rijbewijsnummer", "rijbewijs nr."]),
    "agb": (of_length(8), ["AGB-code", "AGB"]),
    "big": (of_length(11), ["BIG-nummer", "BIG-registratienummer"]),
    "v_number": (of_length(10), ["V-nummer", "vreemdelingennummer"]),
    "a_number": (a_number, ["A-nummer", "administratienummer"]),
    "licence_plate": (licence_plate, ["kenteken", "kentekennummer"]),
    "postcode_address": (postcode_address, []),
    "dob": (dob, ["geboortedatum", "geb.", "geboren op", "geb.datum"]),
    "phone_mobile": (phone_mobile, []),
    "email": (email, []),
    "be_rrn": (be_rrn, ["rijksregisternummer", "INSZ"]),
    "de_idnr": (de_idnr, ["Steuer-ID", "Steueridentifikationsnummer", "IdNr."]),
    "fr_nir": (fr_nir, ["numéro de sécurité sociale", "NIR"]),
    "es_nif": (es_nif, ["NIF", "DNI"]),
    "pl_pesel": (pl_pesel, ["PESEL"]),
    "se_pn": (se_pn, ["personnummer"]),
    "it_cf": (it_cf, ["codice fiscale"]),
    "dk_cpr": (dk_cpr, ["CPR-nummer", "CPR nr."]),
    "fi_hetu": (fi_hetu, ["henkilötunnus", "HETU"]),
    "pt_nif": (pt_nif, ["NIF", "contribuinte"]),
    "uk_nino": (uk_nino, ["National Insurance number", "NINO"]),
    "secret": (secret, []),
    "password": (password, ["wachtwoord", "password", "pw", "ww"]),
}


def spell(kind, number, rng):
    """One of the ways in which people write it."""
    groups = {
        "bsn": [[9], [3, 3, 3], [4, 2, 3], [2, 2, 2, 2, 1], [1] * 9],
        "credit_card": [[len(number)], [4, 4, 4, len(number) - 12]] if len(number) == 16 else [[len(number)]],
        "iban": [[len(number)], [4] * (len(number) // 4) + [len(number) % 4]],
        "be_rrn": [[11], [2, 2, 2, 3, 2]],
        "de_idnr": [[11], [2, 3, 3, 3]],
        "fr_nir": [[15], [1, 2, 2, 2, 3, 3, 2]],
        "uk_nino": [[9], [2, 2, 2, 2, 1]],
        "it_cf": [[16]],
        "bank_account_old": [[9], [2, 2, 2, 3]],
    }.get(kind)
    if not groups:
        return number, "plain"
    chosen = [g for g in rng.choice(groups) if g]
    if len(chosen) == 1:
        return number, "plain"
    signs = {"bsn": [" ", ".", "-", "\u00a0"], "bank_account_old": ["."], "be_rrn": [".", " "]}.get(kind, [" "])
    sign = " " if kind == "bsn" and len(chosen) == 9 else rng.choice(signs)
    parts, at = [], 0
    for length in chosen:
        parts.append(number[at : at + length])
        at += length
    names = {" ": "spaces", ".": "dots", "-": "dashes", "\u00a0": "no-break spaces"}
    return sign.join(parts), names[sign]
