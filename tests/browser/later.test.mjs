// What people meet when time has gone by: mails about what was late, and links that are over.
import { after, before, test } from "node:test";
import { launch, look, lookAtMail, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

let [world, browser] = [];

before(async () => {
  [world, browser] = await Promise.all([World.start({ clock: true }), launch()]);
});

after(async () => {
  await browser.close();
  await world.stop();
});

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

test("what the organisation refuses is told within a minute", async () => {
  const page = await visitor(browser);
  const from = world.sink.mails.length;
  await world.send({ from: "geweigerd@gemeente.example", to: "een@post.example", subject: "Uw dossier", text: "Geheim", test: "quarantine" });
  await world.sink.wait("geweigerd@gemeente.example", () => true, from);
  const row = (await world.command("quarantine", "list")).split("\n").find((line) => line.includes("geweigerd@"));
  await world.command("quarantine", "refuse", /[0-9a-f]{32}/.exec(row)[0], "--reason", "Gebruik het portaal");
  world.later("+1m");
  await lookAtMail(page, await world.sink.wait("geweigerd@gemeente.example", (m) => m.text.includes("Gebruik het portaal"), from), "told-refused");
  await page.context().close();
});

test("time goes by: delayed, not sent, not released, and links that are over", async () => {
  const page = await visitor(browser);
  const notSent = (mail) => mail.subject.startsWith("Niet verzonden");
  const [numbers, quarantine, late] = ["nummers", "quarantaine", "laat"].map((name) => `${name}@gemeente.example`);
  await world.send({ from: numbers, to: "een@post.example", subject: "Uw dossier", text: "Het BSN van onze cliënt is 123456782." });
  const asked = await world.sink.wait(numbers);
  await world.send({ from: quarantine, to: "een@post.example", subject: "Uw dossier", text: "Geheim", test: "quarantine" });
  const kept = await world.notify({ to: "twee@post.example", subject: "[beveiligd] Uw aanvraag", text: "Geheim" });
  await world.send({ from: late, to: "wacht@post.example", subject: "[beveiligd] Uw aanvraag", text: "Geheim", notify: "DELAY" });
  await world.says("later tries=1");

  let from = world.sink.mails.length;
  world.later("+5h");
  await lookAtMail(page, await world.sink.wait(late, (m) => m.subject.startsWith("Nog niet aangekomen"), from), "delayed");

  from = world.sink.mails.length;
  world.later("+8d");
  await lookAtMail(page, await world.sink.wait(numbers, notSent, from), "not-sent");
  await lookAtMail(page, await world.sink.wait(quarantine, notSent, from), "told-expired");
  await page.goto(asked.link);
  await heading(page, "Je bericht is niet verzonden");
  await look(page, "numbers-late");

  world.later("+40d");
  await page.goto(kept.link);
  await heading(page, "Deze link werkt niet");
  await page.context().close();
});
