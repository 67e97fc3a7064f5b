// The scanner of portal.md, section 6: it opens every link before the recipient does, follows what it finds, and presses what can be pressed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

const SECRET = "Het besluit is positief.";
const FILE = "besluit-2026.pdf";

let [world, browser] = [];

before(async () => {
  [world, browser] = await Promise.all([World.start(), launch()]);
});

after(async () => {
  await browser.close();
  await world.stop();
});

/** Within this time a second press sends nothing. A scanner is done within it; here, beside other tests, it may take longer. */
const RESEND_MS = 30_000;

/** Does to a link what a scanner does; gives all that it was answered, and how many mails or SMS it may have caused: one each RESEND_MS. */
async function scan(link) {
  const [answers, began] = [[], Date.now()];
  for (const method of ["HEAD", "GET", "HEAD"]) answers.push(await (await fetch(link, { method })).text());
  const page = await visitor(browser);
  page.on("response", (response) => response.status() !== 303 && answers.push(response.text().catch(() => "")));
  const visit = async (url) => {
    await page.goto(url);
    return page.locator("a[href]").evaluateAll((links) => links.map((a) => a.href));
  };
  for (const found of new Set(await visit(link))) await visit(found);
  // Each form as a script sends it, and each button as a finger presses it; then what that led to, once more.
  for (let round = 0; round < 2; round++) {
    await visit(link);
    const forms = await page.locator("form").count();
    const buttons = await page.locator("button, input[type=submit]").count();
    for (let n = 0; n < forms; n++) await act(page, link, page.locator("form").nth(n), (form) => HTMLFormElement.prototype.submit.call(form));
    for (let n = 0; n < buttons; n++) await act(page, link, page.locator("button, input[type=submit]").nth(n), (button) => button.click());
  }
  await page.context().close();
  return { seen: (await Promise.all(answers)).join("\n"), most: 1 + Math.floor((Date.now() - began) / RESEND_MS) };
}

async function act(page, link, locator, what) {
  await page.goto(link);
  if ((await locator.count()) === 0) return;
  await locator.evaluate(what).catch(() => {});
  await page.waitForLoadState("networkidle");
}

test("level 1: the scanner sees nothing, causes one mail at most, and the recipient opens the message all the same", async () => {
  const to = "gescand1@post.example";
  const notification = await world.notify({ to, subject: "[beveiligd] Uw aanvraag", text: SECRET, files: [{ name: FILE, content: "%PDF-" }] });
  const from = world.sink.mails.length;
  const { seen, most } = await scan(notification.link);
  assert.ok(!seen.includes(SECRET) && !seen.includes(FILE));
  const mails = world.sink.mails.slice(from).filter((m) => m.to.includes(to));
  assert.ok(mails.length <= most, `${mails.length} mails`);

  const page = await visitor(browser, { js: false });
  await page.goto(notification.link);
  const ask = page.getByRole("button", { name: "Stuur mijn wachtwoord" });
  if (await ask.count()) await ask.click();
  // What the scanner was sent lies in the recipient's mailbox, and works.
  await world.sink.wait(to, (m) => m.password, from);
  const { password } = world.sink.mails.findLast((m) => m.to.includes(to) && m.password);
  await page.getByLabel("Voer wachtwoord in").fill(password);
  await page.getByRole("button", { name: "Doorgaan" }).click();
  await page.getByText(SECRET).waitFor();
});

test("level 2: the same, with an SMS", async () => {
  const to = "gescand2@post.example";
  const notification = await world.notify({ to, subject: "#veilig 0612345680 Uw aanvraag", text: SECRET });
  const from = world.sink.mails.length;
  const { seen, most } = await scan(notification.link);
  assert.ok(!seen.includes(SECRET) && !seen.includes("0612345680") && !seen.includes("+31612345680"));
  assert.equal(world.sink.mails.length, from);
  assert.ok(world.messages("+31612345680").length <= most);

  const page = await visitor(browser, { js: false });
  await page.goto(notification.link);
  await page.getByLabel("Voer SMS-code in").fill(world.sms("+31612345680").slice(0, 6));
  await page.getByRole("button", { name: "Doorgaan" }).click();
  await page.getByText(SECRET).waitFor();
});

test("the sender's link: nothing is sent, and the numbers can still be given", async () => {
  const [from, to] = ["gescand@gemeente.example", "gescand3@post.example"];
  const { length } = world.sink.mails;
  await world.send({ from, to, subject: "Uw dossier", text: `${SECRET} BSN: 123456782` });
  const asked = await world.sink.wait(from, () => true, length);
  const { seen } = await scan(asked.link);
  assert.ok(!seen.includes(SECRET));
  assert.equal(world.sink.mails.length, length + 1);
  const page = await visitor(browser, { js: false });
  await page.goto(asked.link);
  await page.getByLabel(`Mobiel nummer van ${to}`).fill("06 12345681");
  await page.getByRole("button", { name: "Opslaan en verzenden" }).click();
  assert.ok((await world.sink.wait(to)).link);
});
