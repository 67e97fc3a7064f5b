#!/usr/bin/env python3
"""What zegel promises about memory, large mails, many recipients and latency, measured on loopback before Postfix's smtp-sink.

    benches/bounds.py target/release/zegel [archives]

Prints a line a promise: the figure, and the goal beside it. Changes nothing and judges nothing: figures of a busy machine are no verdict.
"""
import base64, glob, io, os, random, re, resource, shutil, socket, subprocess, sys, tempfile, threading, time, zipfile

SINK, GATE, PORTAL = 24811, 24812, 24813
MIB = 1 << 20
resource.setrlimit(resource.RLIMIT_NOFILE, (min(32768, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)


def wait_for(port):
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                if s.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.1)
    sys.exit("nothing answers on port %d" % port)


class Client:
    """The least that can send a mail, octets as they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.reply()
        self.says(b"EHLO client.example\r\n")

    def reply(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return line

    def says(self, octets, replies=1):
        self.socket.sendall(octets)
        return [self.reply() for _ in range(replies)]

    def mail(self, wire, recipients=1):
        """Seconds from the final dot's sending to its reply."""
        to = b"".join(b"RCPT TO:<b%d@post.example>\r\n" % n for n in range(recipients))
        replies = self.says(b"MAIL FROM:<a@voorbeeld.example>\r\n" + to + b"DATA\r\n", recipients + 2)
        assert replies[-1].startswith(b"354"), replies[-1]
        self.socket.sendall(wire[:-3])
        begin = time.monotonic()
        reply, = self.says(wire[-3:])
        assert reply.startswith(b"250"), reply
        return time.monotonic() - begin


def text_mail(size):
    head = b"From: <a@voorbeeld.example>\r\nTo: <b@post.example>\r\nSubject: Verslag\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    line = b"De commissie heeft het verslag van de vorige vergadering vastgesteld.\r\n"
    return head + line * ((size - len(head)) // len(line)) + b".\r\n"


def file_mail(size):
    """One attachment of a type that is looked into."""
    head = (b"From: <a@voorbeeld.example>\r\nTo: <b@post.example>\r\nSubject: Verslag\r\nMIME-Version: 1.0\r\nContent-Type: text/csv; name=x.csv\r\n"
            b"Content-Disposition: attachment; filename=x.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    line = base64.b64encode(b"Naam;Plaats;Bedrag;Jansen;Ede;12,50;Bakker;Putten;9,95\r\n") + b"\r\n"
    return head + line * ((size - len(head)) // len(line)) + b".\r\n"


def nested(texts):
    """ZIPs, five in each other, around these texts; what is packed once packs no further."""
    members = [("tekst%d.txt" % n, text) for n, text in enumerate(texts)]
    for depth in range(5):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
            for name, octets in members:
                z.writestr(name, octets)
        members = [("map%d.zip" % depth, file.getvalue())]
    return members[0][1]


def packed_text(size, word, end, noise=15):
    """Text that a ZIP packs to a third; the more noise, the less."""
    dice = random.Random(size)
    letters = bytes.maketrans(b"0123456789", b"ghijklmnop")
    line = lambda: word + b" " + dice.randbytes(noise).hex().encode().translate(letters) + b" in het verslag." + end
    block = b"".join(line() for _ in range(16384))
    shift = lambda n: bytes.maketrans(b"abcdefghijklmnop", bytes(b"abcdefghijklmnop"[(i + n) % 16] for i in range(16)))
    text = b"".join(block.translate(shift(n)) for n in range(16))
    return (text * (size // len(text) + 1))[:size]


def zip_mail(archive):
    head = (b"From: <a@voorbeeld.example>\r\nTo: <b@post.example>\r\nSubject: Verslag\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=x.zip\r\n"
            b"Content-Disposition: attachment; filename=x.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    return head + base64.encodebytes(archive).replace(b"\n", b"\r\n") + b".\r\n"


class Gate:
    def __init__(self, binary):
        self.work = tempfile.mkdtemp()
        self.sink = subprocess.Popen(["smtp-sink", "-u", "nobody", "-c", "127.0.0.1:%d" % SINK, "4096"], stdout=subprocess.DEVNULL)
        with open(self.work + "/zegel.toml", "w") as f:
            f.write('[organisation]\nname = "Gemeente Voorbeeld"\ndomains = ["voorbeeld.example"]\n[smtp]\nlisten = ["127.0.0.1:%d"]\n'
                    'next_hop = "smtp://127.0.0.1:%d"\nallow = ["127.0.0.0/8"]\n[portal]\nlisten = ["127.0.0.1:%d"]\nurl = "http://127.0.0.1:%d"\n'
                    '[store]\npath = "data"\n[sms]\nprovider = "file"\n' % (GATE, SINK, PORTAL, PORTAL))
        wait_for(SINK)
        self.log = open(self.work + "/log", "w")
        self.zegel = subprocess.Popen([binary, "run", "--config", self.work + "/zegel.toml"], stderr=self.log, env=dict(os.environ, ZEGEL_LOG="zegel=warn"))
        wait_for(GATE)

    def memory(self, what="VmRSS"):
        with open("/proc/%d/status" % self.zegel.pid) as f:
            return int(re.search(what + r":\s+(\d+)", f.read())[1]) / 1024

    def forget_peak(self):
        with open("/proc/%d/clear_refs" % self.zegel.pid, "w") as f:
            f.write("5")

    def held(self):
        """MiB of zegel and its readers together, what they share counted once."""
        total = 0
        for pid in [str(self.zegel.pid)] + [p for f in glob.glob("/proc/%d/task/*/children" % self.zegel.pid) for p in open(f).read().split()]:
            try:
                with open("/proc/%s/smaps_rollup" % pid) as f:
                    total += int(re.search(r"Pss:\s+(\d+)", f.read())[1])
            except (OSError, TypeError):
                pass
        return total / 1024

    def cpu(self):
        with open("/proc/%d/stat" % self.zegel.pid) as f:
            return sum(map(int, f.read().rsplit(") ", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        for process in (self.zegel, self.sink):
            process.terminate()
            process.wait()
        shutil.rmtree(self.work)


def idle(gate):
    before = gate.memory()
    clients = [Client(GATE) for _ in range(10_000)]
    after = gate.memory()
    print("10 000 idle sessions: %.0f MiB, %.1f KiB each (goal: 100 MiB)" % (after, (after - before) * 1024 / len(clients)))
    for client in clients:
        client.socket.close()


def large(gate, count, make, name, goal):
    wire = make(50 * MIB - 4096)
    base = gate.memory()
    gate.forget_peak()
    took = []

    def send():
        took.append(Client(GATE).mail(wire))
    threads = [threading.Thread(target=send) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(took) == count, "%d of %d mails were taken" % (len(took), count)
    print("%d %s of 50 MiB at once: %.0f MiB above %.0f at idle (goal: %d); the last one acknowledged %.2f s after its dot"
          % (count, name, gate.memory("VmHWM") - base, base, goal, max(took)))


def archives():
    """A gateway of its own for each: what one leaves to the allocator is not the next one's."""
    wide = "\u00e9\u00e9n \u00fcber".encode()
    shapes = [("15 texts of 4 MiB", [packed_text(4 * MIB, b"een" * (n + 1), b"\n") for n in range(15)]),
              ("a text of 57 MiB", [packed_text(57 * MIB, b"een", b"\n", 10)]),
              ("a text of 57 MiB, accents and CRLF", [packed_text(57 * MIB, wide, b"\r\n")]),
              ("the same in windows-1252", [packed_text(57 * MIB, wide.decode().encode("cp1252"), b"\r\n")])]
    for name, texts in shapes:
        wire = zip_mail(nested(texts))
        gate = Gate(sys.argv[1])
        try:
            held, done = [gate.held()], threading.Event()

            def look():
                while not done.is_set():
                    held.append(gate.held())
            thread = threading.Thread(target=look)
            thread.start()
            took = Client(GATE).mail(wire)
            done.set()
            thread.join()
        finally:
            gate.end()
        print("%.0f MB of ZIPs, five in each other, around %s: %.0f MiB for gateway and readers (goal: 300), acknowledged %.2f s after its dot"
              % (len(wire) * 0.74 / 1e6, name, max(held), took))


def one_large():
    for make, name in ((text_mail, "text"), (file_mail, "a file")):
        wire = make(50 * MIB - 4096)
        direct, through = (sorted(Client(port).mail(wire) for _ in range(5))[2] for port in (SINK, GATE))
        print("50 MiB of %s acknowledged %.2f s after its dot, %.2f s without zegel (goal: 0.5 s more)" % (name, through, direct))


def recipients(gate):
    wire, client = text_mail(3000), Client(GATE)
    client.mail(wire, 1000)
    before = gate.cpu()
    for _ in range(20):
        client.mail(wire, 1000)
    print("1000 recipients in a transaction: %.1f us CPU each (goal: 20)" % ((gate.cpu() - before) / 20_000 * 1e6))


def latency():
    wire = text_mail(5000)
    clients = {port: Client(port) for port in (SINK, GATE)}
    took = {port: [] for port in clients}
    for n in range(600):
        began = time.monotonic()
        port = (SINK, GATE)[n % 2]
        begin = time.monotonic()
        clients[port].mail(wire)
        took[port].append(time.monotonic() - begin)
        time.sleep(max(0, 0.025 - (time.monotonic() - began)))
    at = lambda port, part: sorted(took[port])[int(len(took[port]) * part)] * 1000
    print("20 mails/s, from MAIL to the last 250: p50 %.2f ms, p99 %.2f ms; without zegel %.2f and %.2f (goal: 1 and 10 more)"
          % (at(GATE, 0.5), at(GATE, 0.99), at(SINK, 0.5), at(SINK, 0.99)))


if __name__ == "__main__":
    if sys.argv[2:] == ["archives"]:
        archives()
        sys.exit()
    gate = Gate(sys.argv[1])
    try:
        latency()
        recipients(gate)
        one_large()
        large(gate, 2, text_mail, "texts", 192)
        large(gate, 2, file_mail, "files", 192)
        large(gate, 20, file_mail, "files", 512)
    finally:
        gate.end()
    archives()
    # A fresh process: what large mails left to the allocator is not the sessions'.
    gate = Gate(sys.argv[1])
    try:
        idle(gate)
    finally:
        gate.end()
