// Both ends of SMTP that zegel stands between: the mail server behind it, which keeps what it gets, and the one before it, which sends.
import { EventEmitter, once } from "node:events";
import net from "node:net";
import { Mail } from "./mail.mjs";

/** How long a mail may take to come: the runner may be busy with other tests. */
const PATIENCE_MS = 60_000;

/** Keeps what it gets. Who begins with "weg" is refused, and who begins with "wacht" has to wait, but not before the end of DATA:
 * what is said of a recipient to the sender's server is another matter. */
export class Sink {
  mails = [];
  #arrived = new EventEmitter().setMaxListeners(0);

  static async start() {
    const sink = new Sink();
    sink.server = net.createServer((socket) => sink.#serve(socket));
    sink.server.listen(0, "127.0.0.1");
    await once(sink.server, "listening");
    sink.port = sink.server.address().port;
    return sink;
  }

  stop() {
    this.server.close();
  }

  /** The first mail to `to` from number `from` on that `wanted` says yes to. */
  async wait(to, wanted = () => true, from = 0) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.mails.slice(from).find((mail) => mail.to.includes(to) && wanted(mail));
      if (found) return found;
      await once(this.#arrived, "mail", { signal }).catch(() => {
        throw new Error(`no such mail to ${to}; there are: ${this.mails.slice(from).map((m) => `${m.to}: ${m.subject}`).join("; ")}`);
      });
    }
  }

  #serve(socket) {
    let [rest, body, to] = ["", null, []];
    socket.on("error", () => socket.destroy());
    socket.setEncoding("latin1");
    socket.write("220 outside.example\r\n");
    socket.on("data", (chunk) => {
      rest += chunk;
      for (let end; (end = rest.indexOf("\r\n")) >= 0; ) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (body !== null) {
          if (line !== ".") {
            body.push(line.startsWith(".") ? line.slice(1) : line);
            continue;
          }
          const reply = to.some((a) => a.startsWith("weg")) ? "550 5.1.1 no such user" : to.some((a) => a.startsWith("wacht")) ? "451 4.2.2 try later" : "250 2.0.0 kept";
          if (reply.startsWith("2")) this.mails.push(new Mail(to, body.join("\r\n")));
          [body, to] = [null, []];
          socket.write(`${reply}\r\n`);
          this.#arrived.emit("mail");
          continue;
        }
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === "EHLO") socket.write("250-outside.example\r\n250-8BITMIME\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250 SIZE 60000000\r\n");
        else if (verb === "RCPT") to.push(/<([^>]*)>/.exec(line)[1]), socket.write("250 2.1.5 ok\r\n");
        else if (verb === "DATA") body = [], socket.write("354 go on\r\n");
        else if (verb === "QUIT") socket.end("221 2.0.0 bye\r\n");
        else if (verb === "RSET") to = [], socket.write("250 2.0.0 ok\r\n");
        else socket.write("250 2.0.0 ok\r\n");
      }
    });
  }
}

/** Sends one mail, as the organisation's server would; gives the last reply. `notify` is what the sender wants to be told (RFC 3461). */
export async function send(port, from, to, content, notify) {
  const socket = net.connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  const lines = replies(socket);
  const say = async (line, positive) => {
    if (line !== null) socket.write(`${line}\r\n`);
    const reply = await lines();
    if (!reply.startsWith(positive)) throw new Error(`${line?.slice(0, 80)}: ${reply}`);
    return reply;
  };
  try {
    await say(null, "220");
    await say("EHLO mail.gemeente.example", "250");
    await say(`MAIL FROM:<${from}>`, "250");
    for (const one of [to].flat()) await say(`RCPT TO:<${one}>${notify ? ` NOTIFY=${notify}` : ""}`, "250");
    await say("DATA", "354");
    socket.write(Buffer.from(content.replace(/\r?\n/g, "\r\n").replace(/^\./gm, ".."), "latin1"));
    return await say("\r\n.", "250");
  } finally {
    socket.end("QUIT\r\n");
  }
}

/** The replies on a socket, one at a time; of a reply of several lines the last. */
function replies(socket) {
  let rest = "";
  const queue = [];
  const waiting = [];
  socket.on("data", (chunk) => {
    rest += chunk;
    for (let end; (end = rest.indexOf("\r\n")) >= 0; ) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (line[3] === "-") continue;
      const next = waiting.shift();
      if (next) next.resolve(line);
      else queue.push(line);
    }
  });
  const failed = (why) => waiting.splice(0).forEach((w) => w.reject(why));
  socket.on("error", failed);
  socket.on("close", () => failed(new Error("the gateway hung up")));
  return () => (queue.length ? Promise.resolve(queue.shift()) : new Promise((resolve, reject) => waiting.push({ resolve, reject })));
}
