// German and French, whose words are the longest: every kind of page at 320 px and in every other sight, the mails, and the page for who doubts one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look, lookAtMail, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

const LANGUAGES = {
  de: {
    locale: "de-DE",
    send: "Mein Passwort senden",
    enter: "Passwort eingeben",
    go: "Weiter",
    reply: "Antworten",
    reference: /Kennzeichen: ([A-Z2-9]{4}-[A-Z2-9]{4})\./,
    check: "Prüfen, ob eine E-Mail echt ist",
    field: "Kennzeichen aus der E-Mail",
    ask: "Prüfen",
    known: (r) => `Das Kennzeichen ${r} ist von Gemeente Voorbeeld.`,
    unknown: "kennen wir nicht",
    numbers: "Handynummer eingeben",
  },
  fr: {
    locale: "fr-FR",
    send: "Envoyer mon mot de passe",
    enter: "Saisissez le mot de passe",
    go: "Continuer",
    reply: "Répondre",
    reference: /Référence\u00a0: ([A-Z2-9]{4}-[A-Z2-9]{4})\./,
    check: "Vérifier si un e-mail est authentique",
    field: "Référence de l’e-mail",
    ask: "Vérifier",
    known: (r) => `La référence ${r} vient de Gemeente Voorbeeld.`,
    unknown: "Nous ne connaissons pas la référence",
    numbers: "Saisir le numéro de portable",
  },
};

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`a recipient, a doubter and a sender, in ${language}`, async (t) => {
    const world = await World.start({ language });
    t.after(() => world.stop());
    const page = await visitor(browser, { locale: words.locale });
    const to = "buerger@post.example";
    const notification = await world.notify({ to, subject: "[beveiligd] Uw aanvraag", text: "Het besluit over uw aanvraag is positief." });
    const reference = words.reference.exec(notification.text)[1];
    assert.ok(notification.html.includes(`<html lang="${language}">`));
    await lookAtMail(page, notification, `notification-${language}`);

    await page.goto(notification.link);
    assert.equal(await page.locator("html").getAttribute("lang"), language);
    await look(page, `start-${language}`);
    await page.getByRole("button", { name: words.send }).click();
    const password = await world.sink.wait(to, (m) => m.password, 0);
    await lookAtMail(page, password, `password-${language}`);
    await page.goto(notification.link);
    await page.getByLabel(words.enter).fill("aaaaaaaaaaaa");
    await page.getByRole("button", { name: words.go }).click();
    await page.getByRole("alert").waitFor();
    await look(page, `wrong-${language}`);
    await page.getByLabel(words.enter).fill(password.password);
    await page.getByRole("button", { name: words.go }).click();
    await page.getByText(words.reply, { exact: true }).first().click();
    await look(page, `message-${language}`);

    await page.goto(world.url);
    await look(page, `home-${language}`);
    await page.getByRole("link", { name: words.check }).click();
    await look(page, `check-${language}`);
    const ask = async (typed) => {
      await page.getByLabel(words.field).fill(typed);
      await page.getByRole("button", { name: words.ask, exact: true }).click();
    };
    await ask(` ${reference.toLowerCase()}`);
    await page.getByText(words.known(reference)).waitFor();
    await look(page, `check-known-${language}`);
    await ask("AAAA-AAAA");
    await page.getByText(words.unknown).waitFor();
    await look(page, `check-unknown-${language}`);
    await ask("0");
    await page.getByRole("alert").waitFor();
    await look(page, `check-faulty-${language}`);

    const asked = world.sink.mails.length;
    await world.send({ to: "noch@post.example", subject: "Dossier", text: "Het BSN is 111222333." });
    const number = await world.sink.wait("anna@gemeente.example", () => true, asked);
    await lookAtMail(page, number, `number-${language}`);
    await page.goto(number.link);
    await page.getByRole("heading", { name: words.numbers }).waitFor();
    await look(page, `numbers-${language}`);
  });
}
