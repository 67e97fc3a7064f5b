// Hundreds of ways to make a mail act, through the gateway and opened in Chromium: no script, no request, no navigation. Looked at twice: the page
// as it is, and its text without frame and policies, where the sanitiser stands alone. And the vectors as they were, which shows that we would see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visitor } from "./support/browser.mjs";
import { Shelf, Trap } from "./support/trap.mjs";
import { World } from "./support/world.mjs";
import { CHARSETS, CLASSES, filled } from "./vectors.mjs";

/** So many vectors in a mail. */
const GROUP = 12;
/** Ends what a vector may have left open, so that it does not swallow the next. */
const END = `<!---->"'></script></style></title></textarea></noscript></noembed></noframes></xmp></template></select></iframe></svg></math></table>`;
/** So many mails are looked at side by side. */
const HANDS = 3;
const [SETTLE_MS, PATIENCE_MS] = [150, 10_000];

// Classes share a few.
const VECTORS = [...new Set(Object.values(CLASSES).flat())].map(filled);
const GROUPS = Array.from({ length: Math.ceil(VECTORS.length / GROUP) }, (_, g) => VECTORS.slice(g * GROUP, (g + 1) * GROUP).join(END));

let [world, trap, shelf, browser] = [];

before(async () => {
  [world, trap, shelf] = await Promise.all([World.start(), Trap.start(), Shelf.start()]);
  browser = await launch(trap.port);
});

after(async () => {
  await browser.close();
  trap.stop();
  shelf.stop();
  await world.stop();
});

/** A page that remembers whatever acts on it. */
async function watched() {
  const page = await visitor(browser);
  page.seen = [];
  const see = (what) => page.seen.push(what);
  page.on("dialog", (dialog) => (see(`script ${dialog.message()}`), dialog.dismiss().catch(() => {})));
  page.on("console", (message) => /Content Security|Trusted|Refused|sandbox/i.test(message.text()) && see(`blocked: ${message.text()}`));
  page.on("popup", (popup) => see(`window ${popup.url()}`));
  page.on("download", (file) => see(`download ${file.url()}`));
  page.on("request", (request) => /\/evil\//.test(request.url()) && see(`request ${request.url()}`));
  return page;
}

/** Opens an address and gives what acted, after its handlers were set off. */
async function open(page, url) {
  page.seen.length = 0;
  await page.goto(url).catch((e) => page.seen.push(`navigation ${e.message}`));
  const addresses = page.frames().map((f) => f.url());
  for (const frame of page.frames()) page.seen.push(...(await atMost(frame.evaluate(touch))));
  // Nothing tells that nothing will happen any more: time for what comes behind the load event.
  await page.waitForTimeout(SETTLE_MS);
  const then = page.frames().map((f) => f.url());
  if (page.url() !== url || then.join() !== addresses.join()) page.seen.push(`navigation ${addresses} to ${then}`);
  return page.seen;
}

/** What is found, unless the frame is gone or says nothing. */
async function atMost(found) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, ["left: a frame does not answer"])));
  return Promise.race([found.catch((e) => [`left: ${e.message}`]), late]).finally(() => clearTimeout(timer));
}

/** Within a document: sets off every handler, and tells what would act when somebody clicks. */
function touch() {
  const found = [];
  // Our own pages have an icon that is none, so that nobody asks for one.
  for (const element of document.querySelectorAll(':not(link[rel=icon][href="data:,"])')) {
    for (const { name } of element.attributes) if (name.startsWith("on")) element.dispatchEvent(new Event(name.slice(2)));
    for (const name of ["href", "src", "action", "formaction", "xlink:href", "data", "background", "poster"]) {
      const value = element.getAttribute(name);
      // The browser's own reading decides, not a pattern.
      const link = Object.assign(document.createElement("a"), { href: value ?? "" });
      const harmless = ["http:", "https:", "mailto:", "tel:"].includes(link.protocol) || (element.localName !== "a" && /^data:image\/(png|jpeg|gif|webp)/.test(value));
      if (value !== null && !harmless) found.push(`acts: <${element.localName} ${name}=${value}>`);
    }
  }
  return found;
}

/** Does `work` for each of `all`, a few at a time, each hand with a page of its own. */
async function sharedOut(all, work) {
  const queue = all.entries();
  const hand = async () => {
    for (const [number, one] of queue) {
      const page = await watched();
      await work(page, one, number);
      await page.context().close();
    }
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
}

/** Sends a mail, unlocks it and opens it in `page`; gives the address of the message. */
async function opened(page, mail) {
  const notification = await world.notify({ to: mail.to, subject: "[beveiligd] Proef", ...mail });
  const { cookie, url } = await world.unlock(notification);
  await page.context().addCookies([cookie]);
  return url;
}

const PICTURE = { name: "logo.gif", type: "image/gif", id: "logo", content: Buffer.from("R0lGODlhAQABAAAAACw=", "base64") };

test("there are more than 300 vectors", () => assert.ok(VECTORS.length > 300));

test("as they came, they act: we would see it", async () => {
  let [scripts, acting] = [new Set(), 0];
  trap.take();
  await sharedOut(GROUPS, async (page, html) => {
    for (const what of await open(page, shelf.put(`<!doctype html><body>${html}`))) {
      if (what.startsWith("script")) scripts.add(what);
      if (what.startsWith("acts")) acting++;
    }
  });
  const loaded = new Set(trap.take());
  console.log(`raw: ${scripts.size} scripts ran, ${loaded.size} hosts were asked, ${acting} addresses act`);
  assert.ok(scripts.size > 150 && loaded.size > 80 && acting > 150, `${scripts.size} ${loaded.size} ${acting}`);
});

test("on the message page nothing acts, nor without its frame and policies", async () => {
  const faults = [];
  trap.take();
  await sharedOut(GROUPS, async (page, html, number) => {
    const url = await opened(page, { to: `groep${number}@post.example`, html, files: [PICTURE] });
    faults.push(...(await open(page, url)));
    assert.deepEqual(page.frames().map((f) => f.url()), [url, `${url}/text`], "the text is shown in its frame");
    faults.push(...(await open(page, `${url}/text`)));
    faults.push(...(await open(page, shelf.put(await page.source))));
  });
  assert.deepEqual([...new Set(faults)], []);
  assert.deepEqual(trap.take(), []);
});

test("nor in another charset, nor as plain text", async () => {
  const faults = [];
  trap.take();
  const charsets = CHARSETS.map(([charset, html], n) => ({ charset, html: Buffer.from(filled(html, n), charset === "utf-16le" ? "utf16le" : "latin1") }));
  await sharedOut([...charsets, { text: GROUPS.slice(0, 12).join("\n") }], async (page, mail, number) => {
    const url = await opened(page, { to: `charset${number}@post.example`, ...mail });
    faults.push(...(await open(page, url)));
    if (mail.html) faults.push(...(await open(page, `${url}/text`)), ...(await open(page, shelf.put(await page.source))));
  });
  assert.deepEqual([...new Set(faults)], []);
  assert.deepEqual(trap.take(), []);
});

test("nor in a subject, a name, a file's name, or in the mails about them", async () => {
  const faults = [];
  trap.take();
  const fields = [...CLASSES.handlerShapes, ...CLASSES.scripts.slice(0, 12), "{{ 7 * 7 }}{% include 'pages/start.html' %}", "{ $organisation }"].map(filled);
  await sharedOut(Array.from({ length: 12 }, (_, n) => fields.filter((_, f) => f % 12 === n)), async (page, some, number) => {
    const files = some.map((name) => ({ name: `${name}.html`, type: "text/html", content: name }));
    files.push({ name: "a.svg", type: "image/png", id: "svg", content: `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>` });
    const mail = { to: `veld${number}@post.example`, subject: `[beveiligd] ${some[0].replace(/[\r\n\0]/g, "")}`, name: some[1].replace(/[\r\n\0]/g, "") };
    const url = await opened(page, { ...mail, files, html: "<img src=cid:svg>" });
    faults.push(...(await open(page, url)));
    const notification = await world.sink.wait(mail.to);
    assert.ok(!/>\s*49\s*</.test(notification.html + (await page.source)), "a field is no template");
    faults.push(...(await open(page, notification.link)), ...(await open(page, shelf.put(notification.html))));
  });
  assert.deepEqual([...new Set(faults)], []);
  assert.deepEqual(trap.take(), []);
});
