// What a sender meets: the page that asks for numbers, the page that asks how; and the mails that zegel writes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, PHONE, glance, launch, look, lookAtMail, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

const BSN = "Het BSN van onze cliënt is 123456782.";

let [world, browser, people] = [, , 0];

before(async () => {
  [world, browser] = await Promise.all([World.start(), launch()]);
});

after(async () => {
  await browser.close();
  await world.stop();
});

/** An employee and two citizens that no other test has. */
function somebody() {
  const number = String(++people).padStart(2, "0");
  return { from: `collega${number}@gemeente.example`, to: [`een${number}@post.example`, `twee${number}@post.example`] };
}

/** The mail that a sender gets after his own. */
async function told(mail, wanted) {
  const from = world.sink.mails.length;
  await world.send({ text: "Zie hieronder.", ...mail });
  return world.sink.wait(mail.from, wanted, from);
}

const press = (page, name) => page.getByRole("button", { name }).click();
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

for (const js of [true, false]) {
  for (const width of [DESKTOP, PHONE]) {
    const how = `${js ? "script" : "no-script"}-${width}`;
    const seen = js && width === DESKTOP ? look : (page, name) => glance(page, `${name}-${how}`);

    test(`numbers, ${how}: what is wrong is said beside it, what is right sends the message`, async () => {
      const mail = somebody();
      const asked = await told({ ...mail, subject: "Uw dossier", text: BSN });
      const page = await visitor(browser, { js, width });
      await page.goto(asked.link);
      await heading(page, "Mobiel nummer invullen");
      await seen(page, "numbers");
      const field = (to) => page.getByLabel(`Mobiel nummer van ${to}`);
      await field(mail.to[0]).fill("020 1234567");
      await field(mail.to[1]).fill("<b>06</b>");
      await press(page, "Opslaan en verzenden");
      await page.getByText("2 nummers kloppen nog niet.").waitFor();
      assert.equal(await field(mail.to[1]).inputValue(), "<b>06</b>", "what was typed stays");
      await seen(page, "numbers-wrong");
      const phone = `1234${String(people).padStart(4, "0")}`;
      await field(mail.to[0]).fill(`06 ${phone}`);
      await field(mail.to[1]).fill(`+31 6 ${phone}`);
      const from = world.sink.mails.length;
      await press(page, "Opslaan en verzenden");
      await heading(page, "Je bericht is verzonden");
      await seen(page, "numbers-done");
      const { link } = await world.sink.wait(mail.to[0], () => true, from);
      await page.goto(link);
      await press(page, "Stuur mijn SMS-code");
      await page.getByLabel("Voer SMS-code in").fill(world.sms(`+316${phone}`).slice(0, 6));
      await press(page, "Doorgaan");
      await page.getByText(BSN).waitFor();
      await page.context().close();
    });

    test(`choice, ${how}: with a password it goes at once, with a code it asks for numbers first`, async () => {
      const page = await visitor(browser, { js, width });
      for (const [label, title] of [["Verzenden met wachtwoord", "Je bericht is verzonden"], ["Verzenden met sms-code", "Mobiel nummer invullen"]]) {
        const mail = somebody();
        const asked = await told({ ...mail, subject: "Uw dossier", test: "ask" });
        await page.goto(asked.link);
        await heading(page, "Hoe moet je bericht verzonden worden?");
        await seen(page, "decide");
        const from = world.sink.mails.length;
        await press(page, label);
        await heading(page, title);
        if (title === "Mobiel nummer invullen") continue;
        await seen(page, "decide-done");
        await world.sink.wait(mail.to[1], () => true, from);
      }
      await page.context().close();
    });

    test(`choice, ${how}: without protection it goes by a second press, on a page that says to whom`, async () => {
      const page = await visitor(browser, { js, width });
      const mail = somebody();
      const asked = await told({ ...mail, subject: "Uw dossier", test: "ask" });
      await page.goto(asked.link);
      const from = world.sink.mails.length;
      await page.getByLabel("Waarom kan het zonder beveiliging?").fill('De burger vroeg er\n"zelf" om.');
      await press(page, "Zonder beveiliging verzenden");
      await heading(page, "Zonder beveiliging verzenden?");
      for (const to of mail.to) await page.getByText(to).waitFor();
      await seen(page, "openly");
      await page.getByRole("link", { name: "Terug: kies anders" }).click();
      await heading(page, "Hoe moet je bericht verzonden worden?");
      assert.ok(!world.sink.mails.slice(from).some((m) => m.to.includes(mail.to[0])), "nothing has left");
      await page.getByLabel("Waarom kan het zonder beveiliging?").fill("De burger vroeg erom.");
      await press(page, "Zonder beveiliging verzenden");
      await press(page, "Ja, zonder beveiliging verzenden");
      await heading(page, "Je bericht is verzonden");
      await world.sink.wait(mail.to[0], () => true, from);
      await page.context().close();
    });
  }
}

test("every mail can be read: narrow, wide, light and dark", async () => {
  const page = await visitor(browser);
  const seen = (mail, name) => lookAtMail(page, mail, name);
  const [recipient] = somebody().to;
  const notification = await world.notify({ to: recipient, subject: "[beveiligd] Uw aanvraag", text: "Geheim" });
  await seen(notification, "notification-1");
  await world.unlock(notification);
  await seen(await world.sink.wait(recipient, (m) => m.password), "password");
  await seen(await world.notify({ to: "mobiel@post.example", subject: "#veilig 0612345720 Uw aanvraag", text: "Geheim" }), "notification-2");
  await seen(await told({ ...somebody(), subject: "Uw dossier", text: BSN }), "number");
  const files = [{ name: "besluit.pdf", type: "application/pdf", content: "Dit is gewone tekst." }];
  const html = "<!doctype html><html lang=\"nl\"><head><title>Uw aanvraag</title></head><body style=\"font-family:Georgia\"><p>Beste heer Bakker,</p><p>Hierbij <b>het besluit</b>.</p></body></html>";
  const text = "Beste heer Bakker,\n\nHierbij het besluit.";
  const both = await world.notify({ to: "burger@bestanden.example", subject: "Uw aanvraag", text, html, files });
  assert.ok(both.text.includes("Hierbij het besluit.") && both.text.includes("Bestanden downloaden"), both.text);
  await seen(both, "files");
  await seen(await world.notify({ to: "burger@bestanden.example", subject: "Uw aanvraag", text, files }), "files-text");
  await seen(await told({ ...somebody(), subject: "Uw dossier", test: "ask" }), "ask");
  await seen(await told({ ...somebody(), subject: "Uw dossier", test: "notify" }), "told-noticed");

  await seen(await told({ ...somebody(), subject: "Uw dossier", test: "quarantine" }), "told-quarantined");
  await seen(await told({ ...somebody(), to: "weg@post.example", subject: "[beveiligd] Uw aanvraag" }), "not-notified");
  await seen(await told({ ...somebody(), subject: "[beveiligd] Uw aanvraag", notify: "SUCCESS" }), "relayed");

  const locking = { ...somebody(), subject: "[beveiligd] Uw aanvraag", text: "Geheim" };
  await page.goto((await world.notify(locking)).link);
  for (let tries = 0; tries < 15; tries++) {
    if (tries % 5 === 0) await press(page, "Stuur mijn wachtwoord");
    await page.getByLabel("Voer wachtwoord in").fill("aaaaaaaaaaaa");
    await press(page, "Doorgaan");
  }
  await seen(await world.sink.wait(locking.from), "locked");
  await page.context().close();
});

