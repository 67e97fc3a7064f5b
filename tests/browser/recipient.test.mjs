// What a recipient meets, at both levels: with and without JavaScript, on a phone and on a desk; with the keyboard alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DESKTOP, PHONE, glance, launch, look, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

const TEXT = "Het besluit over uw aanvraag is positief.";
const WRONG = { 1: "aaaaaaaaaaaa", 2: "000000" };
const LABELS = {
  1: { ask: "Stuur mijn wachtwoord", enter: "Voer wachtwoord in" },
  2: { ask: "Stuur mijn SMS-code", enter: "Voer SMS-code in" },
};
/** What is sent is dead after so many wrong tries; after LOCK the message is locked. */
const [TRIES, LOCK] = [5, 15];
/** Sent to one recipient within an hour. */
const PER_HOUR = 5;

let [world, browser, people] = [, , 0];

before(async () => {
  [world, browser] = await Promise.all([World.start(), launch()]);
});

after(async () => {
  await browser.close();
  await world.stop();
});

/** A message to somebody new: his notification, how to look up what he was sent, and the labels of his level. */
async function message(level, mail = {}) {
  const number = String(++people).padStart(2, "0");
  const [to, phone] = [`bewoner${number}@post.example`, `06123459${number}`];
  const subject = level === 2 ? `#veilig ${phone} Uw aanvraag` : "[beveiligd] Uw aanvraag";
  const notification = await world.notify({ to, subject, text: TEXT, ...mail });
  const answer = async (from) => (level === 2 ? world.sms(`+316${phone.slice(2)}`).slice(0, 6) : (await world.sink.wait(to, (m) => m.password, from)).password);
  return { level, to, notification, answer, ...LABELS[level] };
}

const press = (page, name) => page.getByRole("button", { name }).click();
const field = (page, m) => page.getByLabel(m.enter);
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

async function answer(page, m, text) {
  await field(page, m).fill(text);
  await press(page, "Doorgaan");
}

/** Each combination of script and width; the first is looked at closely, the others at a glance. */
const WAYS = [
  { js: true, width: DESKTOP },
  { js: true, width: PHONE },
  { js: false, width: DESKTOP },
  { js: false, width: PHONE },
];

for (const way of WAYS) {
  const how = `${way.js ? "script" : "no-script"}-${way.width}`;
  const seen = way === WAYS[0] ? look : (page, name) => glance(page, `${name}-${how}`);

  for (const level of [1, 2]) {
    test(`level ${level}, ${how}: from the link to the message, and out again`, async () => {
      const m = await message(level, { files: [{ name: "besluit één.txt", type: "text/plain", content: "inhoud" }] });
      const page = await visitor(browser, way);
      await page.goto(m.notification.link);
      assert.ok((await page.locator("main").innerText()).includes(/Kenmerk: (\S+)\./.exec(m.notification.text)[1]), "the same reference as in the mail");
      await seen(page, `start-${level}-ask`);
      const from = world.sink.mails.length;
      await press(page, m.ask);
      await field(page, m).waitFor();
      await seen(page, `start-${level}-enter`);

      // A second press a moment later sends nothing.
      await press(page, "Klik hier om een nieuwe te ontvangen");
      await field(page, m).waitFor();
      await answer(page, m, WRONG[level]);
      await page.getByText("U kunt het nog 4 keer proberen.").waitFor();
      assert.equal(await field(page, m).getAttribute("aria-invalid"), "true");
      await seen(page, `start-${level}-wrong`);

      await answer(page, m, ` ${(await m.answer(from)).toUpperCase()} `);
      await page.getByText(TEXT).waitFor();
      assert.match(page.url(), /\/r\/[0-9a-f]+$/, "the link is not in the address of the message");
      await heading(page, "Uw aanvraag");
      await seen(page, `message-${level}`);

      const [file] = await Promise.all([page.waitForEvent("download"), press(page, /Downloaden.*besluit één\.txt/)]);
      assert.equal(readFileSync(await file.path(), "utf8"), "inhoud");
      assert.equal(file.suggestedFilename(), "besluit één.txt");

      const { pathname } = new URL(page.url());
      await press(page, "Sluiten");
      await heading(page, "Bericht gesloten");
      await seen(page, "left");
      await page.goto(world.url + pathname);
      await heading(page, "Open het bericht opnieuw");
      await seen(page, "closed");
      await page.context().close();
    });

    test(`level ${level}, ${how}: wrong answers kill a code, more of them lock the message`, async () => {
      const m = await message(level);
      const page = await visitor(browser, way);
      await page.goto(m.notification.link);
      for (let tries = 1; tries <= LOCK; tries++) {
        if (tries % TRIES === 1) await press(page, m.ask);
        await answer(page, m, WRONG[level]);
        if (tries === TRIES) {
          await page.getByText("te vaak een verkeerd").waitFor();
          await seen(page, `start-${level}-dead`);
        }
      }
      await heading(page, "Bericht tijdelijk op slot");
      await seen(page, `start-${level}-locked`);
      await page.goto(m.notification.link);
      await heading(page, "Bericht tijdelijk op slot");
      assert.equal(await page.getByRole("button").count(), 0);
      await page.context().close();
    });
  }

  test(`${how}: who asks too often hears when he may ask again`, async () => {
    const [first, ...others] = [await message(1)];
    for (let n = 0; n < PER_HOUR; n++) others.push(await world.notify({ to: first.to, subject: "[beveiligd] Nog een", text: TEXT }));
    const page = await visitor(browser, way);
    for (const { link } of [first.notification, ...others]) {
      await page.goto(link);
      await press(page, first.ask);
    }
    await page.getByText("U hebt te vaak een wachtwoord aangevraagd.").waitFor();
    await seen(page, "start-1-limit");
    await page.context().close();
  });

  test(`${how}: links that lead nowhere say what to do`, async () => {
    const page = await visitor(browser, way);
    const pages = {
      home: ["/", "Beveiligde berichten"],
      gone: [`/m/${"A".repeat(43)}`, "Deze link werkt niet"],
      missing: ["/bestaat/niet", "Deze pagina is er niet"],
      "gone-sender": [`/n/${"A".repeat(43)}`, "Deze link werkt niet"],
    };
    for (const [name, [path, title]] of Object.entries(pages)) {
      await page.goto(world.url + path);
      await heading(page, title);
      await seen(page, name);
    }
    await page.context().close();
  });
}

test("a message with HTML, pictures and many files; one that is too complex; one without text", async () => {
  const page = await visitor(browser);
  const gif = Buffer.from("R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=", "base64");
  const html = `<h1>Uw aanvraag</h1><p>${TEXT} <img src="cid:logo" width="20" height="20"></p><table border="1"><tr><td>Bedrag</td><td>€ 1.234,56</td></tr></table><p>${"Een lange alinea. ".repeat(40)}</p>`;
  const files = ["besluit.pdf", "een bestand met een heel erg lange naam die nergens op een regel van een telefoon past en geen einde lijkt te hebben.docx", "x".repeat(90)];
  const kinds = {
    "message-html": { html, text: TEXT, files: [{ name: "logo.gif", type: "image/gif", id: "logo", content: gif }, ...files.map((name) => ({ name, content: name }))] },
    "message-complex": { html: "<div>".repeat(400) + TEXT, text: TEXT },
    "message-empty": { text: "", files: [{ name: "besluit.pdf", content: "%PDF-" }] },
  };
  for (const [name, mail] of Object.entries(kinds)) {
    const m = await message(1, mail);
    const { cookie, url } = await world.unlock(m.notification);
    await page.context().addCookies([cookie]);
    await page.goto(url);
    await look(page, name);
    if (mail.html === html) {
      assert.equal(await page.frameLocator("iframe").getByText(TEXT).count(), 1);
      await page.goto(`${url}/text`);
      await glance(page, "message-html-text");
    }
  }
  await page.context().close();
});

test("a form without its token, and a method that is not known, get a page", async () => {
  const page = await visitor(browser);
  const m = await message(1);
  await page.goto(m.notification.link);
  await page.locator("input[name=form]").evaluateAll((inputs) => inputs.forEach((i) => (i.value = "x")));
  await press(page, m.ask);
  await heading(page, "Dit formulier werkt niet meer");
  await look(page, "refused-form");
  await page.context().close();
});

test("English, by the switch on every page, and it stays", async () => {
  const page = await visitor(browser);
  const m = await message(1);
  await page.goto(m.notification.link);
  await page.getByRole("link", { name: "English" }).click();
  await page.getByRole("button", { name: "Send my password" }).click();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await look(page, "start-1-enter-en");
  await page.context().close();
});

test("level 1 with the keyboard alone", async () => {
  const page = await visitor(browser);
  const m = await message(1);
  const focused = () => page.evaluate(() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim());
  /** Tab until the element with this text has the focus, which must be seen. */
  const tabTo = async (text) => {
    for (let n = 0; n < 20; n++) {
      await page.keyboard.press("Tab");
      if ((await focused()).startsWith(text)) {
        const { outline, top, bottom } = await page.evaluate(() => {
          const { top, bottom } = document.activeElement.getBoundingClientRect();
          return { outline: getComputedStyle(document.activeElement).outlineStyle, top, bottom };
        });
        assert.ok(outline !== "none" && top >= 0 && bottom <= 800, `the focus on “${text}” is seen`);
        return;
      }
    }
    assert.fail(`Tab never comes to “${text}”`);
  };
  await page.goto(m.notification.link);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Naar de inhoud", "the first stop skips what is on every page");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.goto(m.notification.link);
  await tabTo(m.ask);
  const from = world.sink.mails.length;
  await page.keyboard.press("Enter");
  await field(page, m).waitFor();
  assert.equal(await focused(), m.enter, "the cursor stands in the field");
  await page.keyboard.type(await m.answer(from));
  await page.keyboard.press("Enter");
  await page.getByText(TEXT).waitFor();
  await tabTo("Sluiten");
  await page.keyboard.press("Space");
  await heading(page, "Bericht gesloten");
  await page.context().close();
});
