#!/usr/bin/env python3
"""An independent reader of a zegel store: what a thief of the disk and the keys can open, and what the holder of a link can.

    decoder.py DATA KEYS             tries every key of the machine on everything; prints JSON: what it opened
    decoder.py DATA KEYS TOKEN       opens the message of that link; prints JSON: its card and its parts

Written from docs/format.md alone, in another language than zegel, so that the two agree only if the document is right.
Needs the `cryptography` package (Debian: python3-cryptography).
"""
import base64, hashlib, hmac, json, os, sqlite3, struct, sys
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PART, CARD, WRAP, OUTER, FIELD, LETTER, SESSION, BUCKET, CANARY = range(1, 10)
CHUNK, TAG, HEADER = 65536, 16, 80


def hkdf(secret, salt, info, length):
    prk = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    out = block = b""
    for n in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([n]), hashlib.sha256).digest()
        out += block
    return out[:length]


def derive(label, *secrets):
    return hkdf(b"".join(secrets), b"", label.encode(), 32)


def unseal(key, kind, generation, names, sealed):
    """The plain text, or None: another key, another place, or damage."""
    if len(sealed) < HEADER + TAG or sealed[:8] != b"zegel/1\n" or sealed[8] != kind or sealed[9] != 1:
        return None
    info = b"zegel/1 seal" + bytes([kind]) + struct.pack(">I", generation) + b"".join(struct.pack(">H", len(n)) + n for n in names)
    keys = hkdf(key, sealed[16:48], info, 64)
    if not hmac.compare_digest(keys[32:], sealed[48:80]):
        return None
    aead, header, body, text = AESGCM(keys[:32]), sealed[:HEADER], sealed[HEADER:], b""
    count = max(1, -(-len(body) // (CHUNK + TAG)))
    for n in range(count):
        nonce = bytes(3) + struct.pack(">Q", n) + bytes([n == count - 1])
        try:
            text += aead.decrypt(nonce, body[n * (CHUNK + TAG):(n + 1) * (CHUNK + TAG)], header)
        except InvalidTag:
            return None
    return text


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Store:
    def __init__(self, data, keys):
        database = sqlite3.connect(os.path.join(data, "zegel.db"))
        self.records = {k: json.loads(v) for k, v in database.execute("SELECT key, value FROM record")}
        self.blobs = {}
        for folder, _, names in os.walk(os.path.join(data, "blobs")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.blobs[name] = f.read()
        self.files = {}
        for name in os.listdir(keys):
            if not name.startswith("."):
                with open(os.path.join(keys, name), "rb") as f:
                    self.files[name] = f.read()
        self.master = bytes.fromhex(self.files["master-1"].decode().strip())
        self.buckets = {}
        for name, content in self.files.items():
            if name[0].isdigit():
                self.buckets[name] = unseal(derive("zegel/1 bucket", self.master), BUCKET, 1, [name.encode()], content)

    def under(self, prefix):
        return [(k, v) for k, v in self.records.items() if k.startswith(prefix)]

    def inner(self, lookup, record):
        """The inner layer of a wrap: the machine's own keys take off the outer one."""
        message = bytes.fromhex(record["message"])
        day = self.records["message/" + record["message"]]["expires"]
        outer = derive("zegel/1 outer", self.master, self.buckets[day])
        return unseal(outer, OUTER, 1, [message, bytes.fromhex(lookup), day.encode()], unbase64(record["wrap"]))

    def content(self, message, key):
        """Everything that a content key opens."""
        record, name = self.records["message/" + message], bytes.fromhex(message)
        sealed = unbase64(record["sealed_card"]) if "sealed_card" in record else self.blobs[record["card"]]
        card = unseal(key, CARD, 0, [name, bytes.fromhex(record["card"])], sealed)
        if card is None:
            return None
        card = json.loads(card)
        parts = [p for p in [card["text"], card["html"], *card["files"]] if p]
        opened = {}
        for n, p in enumerate(parts):
            if "content" in p:
                opened[n] = p["content"]
            else:
                opened[n] = unseal(key, PART, 0, [name, bytes.fromhex(p["blob"])], self.blobs[p["blob"]]).decode("utf-8", "replace")
        return {"card": card, "parts": opened}

    def machine_keys(self):
        """Every key that the disk and the key folder give, and some that are wrongly used."""
        labels = ["field", "queue", "bucket", "canary", "code", "address", "seen", "link", "lookup", "outer", "session", "form"]
        keys = [self.master, bytes(32), *(b for b in self.buckets.values() if b)]
        keys += [derive("zegel/1 " + label, k) for label in labels for k in list(keys)]
        keys += [derive("zegel/1 outer", self.master, b) for b in self.buckets.values() if b]
        return keys

    def steal(self):
        """What can be opened without any link."""
        keys, result = self.machine_keys(), {"messages": [], "letters": [], "outer_layers": 0, "grants": 0, "blobs_tried": len(self.blobs)}
        result.update(reminders=[], openly=len(self.under("openly/")), by_letters=[])
        for prefix in ("grant/", "approval/"):
            for key, record in self.under(prefix):
                result["grants"] += 1
                inner = self.inner(key.split("/")[1], record)
                result["outer_layers"] += inner is not None
                names = [bytes.fromhex(record["message"]), bytes.fromhex(key.split("/")[1])]
                found = [c for k in keys if (c := unseal(k, WRAP, 0, names, inner))]
                result["messages"] += [record["message"] for c in found if self.content(record["message"], c)]
        for key, record in self.under("message/"):
            if record["state"] != "gone" and any(self.content(key.split("/")[1], k) for k in keys):
                result["messages"].append(key)
        for prefix, name in (("outbox/", "letters"), ("reminder/", "reminders")):
            for key, record in self.under(prefix):
                letter = unseal(derive("zegel/1 queue", self.master), LETTER, 1, [bytes.fromhex(key.split("/")[2])], unbase64(record["letter"]))
                result[name].append(letter is not None)
                result["by_letters"] += self.follow(letter and json.loads(letter))
        result["by_letters"] = sorted(set(result["by_letters"]))
        return result

    def follow(self, letter):
        """The messages that the link in a letter opens: one that waits to be sent still has it."""
        said = next(iter(letter.values())) if letter else {}
        if "token" not in said:
            return []
        secret = unbase64(said["token"])
        lookup = derive("zegel/1 lookup", secret)[:16].hex()
        wraps = [self.records[p + lookup] for p in ("grant/", "approval/") if p + lookup in self.records]
        wraps += [{"message": k.split("/")[1], "wrap": record["wrap"]} for k, record in self.under("openly/")]
        opened = []
        for record in wraps:
            inner = self.inner(lookup, record)
            names = [bytes.fromhex(record["message"]), bytes.fromhex(lookup)]
            key = inner and unseal(derive("zegel/1 link", secret), WRAP, 0, names, inner)
            opened += [record["message"]] if key and self.content(record["message"], key) else []
        return opened

    def open(self, token):
        secret = unbase64(token)
        lookup = derive("zegel/1 lookup", secret)[:16].hex()
        record = self.records["grant/" + lookup]
        names = [bytes.fromhex(record["message"]), bytes.fromhex(lookup)]
        key = unseal(derive("zegel/1 link", secret), WRAP, 0, names, self.inner(lookup, record))
        return self.content(record["message"], key)


if __name__ == "__main__":
    store = Store(sys.argv[1], sys.argv[2])
    print(json.dumps(store.open(sys.argv[3]) if len(sys.argv) > 3 else store.steal()))
