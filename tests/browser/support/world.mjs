// The real zegel as a process of its own, with a mail server behind it and a browser before it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compose } from "./mail.mjs";
import { Sink, send } from "./smtp.mjs";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const SENDER = "anna@gemeente.example";
const PROGRAM = process.env.ZEGEL ?? path.join(ROOT, "target/debug/zegel");

/** Beside the built-in policies, one for each thing that a sender can be told. The subject says which. */
const POLICIES = ["ask", "quarantine"]
  .map((then) => `[[policy]]\nname = "Proef ${then}"\nwhen = { header = { name = "X-Test", is = "${then}" }, to = "external" }\nthen = "${then}"\n\n`)
  .concat(`[[policy]]\nname = "Proef melding"\nwhen = { header = { name = "X-Test", is = "notify" }, to = "external" }\nthen = "level 1"\nmode = "notify"\n`)
  .concat(`[[policy]]\nname = "Proef bestanden"\nwhen = { file = "wrong-extension", to = { domains = ["bestanden.example"] } }\nthen = "level 1"\nscope = "attachments"\n`)
  .join("");

export class World {
  /** With `clock`, {@link World#later} can move its time. */
  static async start({ clock = false, language = "nl" } = {}) {
    const world = new World();
    world.folder = mkdtempSync(path.join(tmpdir(), "zegel-browser-"));
    // Nothing stays behind, however the tests end.
    process.once("exit", () => (world.process?.kill("SIGKILL"), rmSync(world.folder, { recursive: true, force: true })));
    world.sink = await Sink.start();
    [world.smtp, world.http] = [await freePort(), await freePort()];
    world.url = `http://127.0.0.1:${world.http}`;
    writeFileSync(
      path.join(world.folder, "zegel.toml"),
      `[organisation]\nname = "Gemeente Voorbeeld"\ndomains = ["gemeente.example"]\nlanguage = "${language}"\n` +
        `[smtp]\nlisten = ["127.0.0.1:${world.smtp}"]\nnext_hop = "smtp://127.0.0.1:${world.sink.port}"\nallow = ["127.0.0.0/8"]\n` +
        `[portal]\nlisten = ["127.0.0.1:${world.http}"]\nurl = "${world.url}"\n[store]\npath = "data"\n[sms]\nprovider = "file"\n`,
    );
    const policies = path.join(world.folder, "policies");
    mkdirSync(policies);
    writeFileSync(path.join(policies, "default.toml"), readFileSync(path.join(ROOT, "policies/default.toml")));
    writeFileSync(path.join(policies, "proef.toml"), POLICIES);
    // To see a change of templates/ without building.
    if (process.env.ZEGEL_TEMPLATES) cpSync(path.join(ROOT, "templates"), path.join(world.folder, "templates"), { recursive: true });
    if (clock) world.#fake();
    await world.run();
    return world;
  }

  /** Starts zegel and waits until it is ready. */
  async run() {
    const args = ["run", "--config", path.join(this.folder, "zegel.toml")];
    this.process = spawn(PROGRAM, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...this.faked } });
    this.log = "";
    this.process.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    await this.says("INFO ready");
  }

  /** Waits until the log says `text`. */
  async says(text) {
    while (!this.log.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`zegel ended:\n${this.log}`);
      await once(this.process.stderr, "data", { signal: AbortSignal.timeout(60_000) });
    }
  }

  /** faketime's library, without the program of that name, which would keep our signals to itself. */
  #fake() {
    const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" }).trim();
    this.clock = path.join(this.folder, "clock");
    this.faked = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: this.clock, FAKETIME_NO_CACHE: "1" };
    this.later("+0");
  }

  /** Lets time jump so far from what it really is, the uptime with it, as for a machine that slept: "+8d". */
  later(offset) {
    // By renaming: half a file is no time.
    writeFileSync(`${this.clock}.new`, offset);
    renameSync(`${this.clock}.new`, this.clock);
  }

  async stop() {
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
    this.sink.stop();
  }

  /** Runs another command of zegel beside the one that runs. */
  async command(...args) {
    const child = spawn(PROGRAM, [...args, "--config", path.join(this.folder, "zegel.toml")], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    const [status] = await once(child, "close");
    if (status !== 0) throw new Error(`zegel ${args.join(" ")}: ${said}`);
    return said;
  }

  /** Sends a mail through the gateway. `test` is for POLICIES. */
  async send({ test, notify, ...mail }) {
    const content = (test ? `X-Test: ${test}\n` : "") + compose(mail);
    return send(this.smtp, mail.from ?? SENDER, mail.to, content, notify);
  }

  /** Sends a mail and gives the one that came of it: the notification of its first recipient. */
  async notify(mail) {
    const from = this.sink.mails.length;
    await this.send(mail);
    return this.sink.wait([mail.to].flat()[0], () => true, from);
  }

  /** The texts sent to `phone` by SMS, oldest first. */
  messages(phone) {
    const lines = readFileSync(path.join(this.folder, "data/sms.jsonl"), "utf8").trim().split("\n");
    return lines.map((l) => JSON.parse(l)).filter((m) => m.to === phone).map((m) => m.text);
  }

  /** The newest of them. */
  sms(phone) {
    return this.messages(phone).at(-1);
  }

  /** Takes a message out of its link as a client without a browser would: the cookie and the path of what it opens. */
  async unlock(notification) {
    const [to] = notification.to;
    const from = this.sink.mails.length;
    const page = await (await fetch(notification.link)).text();
    const form = /name="form" value="([^"]+)"/.exec(page)[1];
    const post = (fields) =>
      fetch(notification.link, { method: "POST", body: new URLSearchParams({ form, ...fields }), redirect: "manual" });
    await post({ do: "send" });
    const { password } = await this.sink.wait(to, (m) => m.password, from);
    const answer = await post({ do: "open", answer: password });
    if (answer.status !== 303) throw new Error(`${answer.status}: ${await answer.text()}`);
    const [name, value] = answer.headers.get("set-cookie").split(";")[0].split("=");
    return { cookie: { name, value, url: this.url }, url: this.url + answer.headers.get("location") };
  }
}

/** A port that stays free while zegel starts anew: below those that systems choose for outgoing connections. */
async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = net.createServer();
    const free = await new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (free) return server.close(), port;
  }
}
