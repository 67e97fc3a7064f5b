// What a sender meets who wants to know what has become of his message, and what its recipients meet when he takes it back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, PHONE, glance, launch, look, lookAtMail, visitor } from "./support/browser.mjs";
import { World } from "./support/world.mjs";

const BSN = "Het BSN van onze cliënt is 123456782.";
const FILES = [{ name: "besluit één.txt", type: "text/plain", content: "inhoud" }, { name: "een-lange-naam-".repeat(8) + "van-een-bijlage.txt", type: "text/plain", content: "x" }];

let [world, browser, people] = [, , 0];

before(async () => {
  [world, browser] = await Promise.all([World.start(), launch()]);
});

after(async () => {
  await browser.close();
  await world.stop();
});

/** An employee and two citizens that no other test has, with a number for each. */
function somebody() {
  const number = String(++people).padStart(2, "0");
  const phone = (n) => `1${n}34${String(people).padStart(4, "0")}`;
  return { from: `status${number}@gemeente.example`, to: [`een${number}@status.example`, `twee${number}@status.example`], phones: [phone(1), phone(2)] };
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const row = (page, address) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: address }) });

/** Sends a mail that needs numbers and gives them: the page behind that, and the first recipient's link. */
async function sent(page, mail) {
  let from = world.sink.mails.length;
  await world.send({ ...mail, subject: "Uw dossier", text: BSN, files: FILES });
  await page.goto((await world.sink.wait(mail.from, () => true, from)).link);
  for (const [n, to] of mail.to.entries()) await page.getByLabel(`Mobiel nummer van ${to}`).fill(`06 ${mail.phones[n]}`);
  from = world.sink.mails.length;
  await press(page, "Opslaan en verzenden");
  await heading(page, "Je bericht is verzonden");
  return (await world.sink.wait(mail.to[0], () => true, from)).link;
}

/** Opens a message by SMS and fetches its first file. */
async function reads(reader, link, phone) {
  await reader.goto(link);
  await press(reader, "Stuur mijn SMS-code");
  await reader.getByLabel("Voer SMS-code in").fill(world.sms(`+316${phone}`).slice(0, 6));
  await press(reader, "Doorgaan");
  await reader.getByText(BSN).waitFor();
  const download = reader.waitForEvent("download");
  await reader.getByRole("button", { name: /Downloaden.*besluit één/ }).click();
  await download;
}

for (const js of [true, false]) {
  for (const width of [DESKTOP, PHONE]) {
    const how = `${js ? "script" : "no-script"}-${width}`;
    const seen = js && width === DESKTOP ? look : (page, name) => glance(page, `${name}-${how}`);

    test(`status, ${how}: who read what, another number and day, blocked, released, recalled`, async () => {
      const mail = somebody();
      const [page, reader] = [await visitor(browser, { js, width }), await visitor(browser, { js, width })];
      const link = await sent(page, mail);
      await page.getByRole("link", { name: "Bekijk de status van je bericht" }).click();
      await heading(page, "Status van je bericht");
      await page.getByText("Nog niemand heeft het bericht gelezen.").first().waitFor();
      await seen(page, "status-fresh");
      await reads(reader, link, mail.phones[0]);
      await page.reload();
      await page.getByText("Eén van de 2 ontvangers heeft het bericht gelezen.").first().waitFor();
      assert.match(await row(page, mail.to[0]).innerText(), /besluit één\.txt\s+geopend of gedownload/);
      assert.match(await row(page, mail.to[1]).innerText(), /besluit één\.txt\s+nog niet/);
      await seen(page, "status-read");

      await row(page, mail.to[1]).getByText("Nummer wijzigen").click();
      await page.getByLabel(`Mobiel nummer van ${mail.to[1]}`).fill("020 1234567");
      await row(page, mail.to[1]).getByRole("button", { name: "Nummer opslaan" }).click();
      await page.getByText("Op dit nummer komt geen sms aan.").waitFor();
      await seen(page, "status-number-wrong");
      await page.getByLabel(`Mobiel nummer van ${mail.to[1]}`).fill("06 87654321");
      await row(page, mail.to[1]).getByRole("button", { name: "Nummer opslaan" }).click();
      await page.getByText("+31 6 ••••• 321").waitFor();

      const day = new Date(Date.now() + 60 * 24 * 3600 * 1000).toISOString().slice(0, 10);
      await page.getByLabel("Laatste dag waarop het te lezen is").fill(day);
      await press(page, "Dag opslaan");
      await heading(page, "Status van je bericht");
      assert.equal(await page.getByLabel("Laatste dag waarop het te lezen is").inputValue(), day);

      await press(page, "Bericht blokkeren");
      await page.getByText("Je hebt dit bericht geblokkeerd.").waitFor();
      await seen(page, "status-blocked");
      await reader.goto(link);
      await heading(reader, "U kunt dit bericht nu niet lezen");
      await seen(reader, "withdrawn");
      await press(page, "Bericht weer vrijgeven");
      await page.getByText("Je bericht is verzonden.").waitFor();
      await reader.goto(link);
      await heading(reader, "Beveiligd bericht");

      await page.getByLabel("Ik weet dat dit niet terug kan").check();
      await press(page, "Bericht intrekken en wissen");
      await page.getByText("niemand kan het meer lezen").waitFor();
      await page.getByText("Eén van de 2 ontvangers heeft het bericht gelezen.").waitFor();
      assert.equal(await page.getByRole("button").count(), 0);
      await seen(page, "status-recalled");
      await reader.goto(link);
      await heading(reader, "U kunt dit bericht nu niet lezen");
      await page.context().close();
      await reader.context().close();
    });
  }
}

test("a recipient says that the number is not his, and the mail about it leads to where it is changed", async () => {
  const mail = somebody();
  const [page, reader] = [await visitor(browser), await visitor(browser)];
  const link = await sent(page, mail);
  await reader.goto(link);
  await reader.getByText("Klopt dit nummer niet?").click();
  await look(reader, "wrong-number");
  await reader.getByLabel("Dit is niet mijn nummer").check();
  const from = world.sink.mails.length;
  await press(reader, "Laat het de afzender weten");
  await reader.getByText("aan de afzender gevraagd om het nummer te wijzigen").waitFor();
  await look(reader, "wrong-number-told");
  const told = await world.sink.wait(mail.from, () => true, from);
  await lookAtMail(page, told, "wrong-number");
  await page.goto(told.link);
  await page.getByLabel(`Mobiel nummer van ${mail.to[0]}`).fill("06 87654399");
  await row(page, mail.to[0]).getByRole("button", { name: "Nummer opslaan" }).click();
  await page.getByText("+31 6 ••••• 399").waitFor();
  await reader.goto(link);
  await reader.getByText("+31 6 ••••• 399").waitFor();
  await page.context().close();
  await reader.context().close();
});

test("a message that waits is not sent after all, and one that did not arrive says so", async () => {
  const page = await visitor(browser);
  const mail = somebody();
  let from = world.sink.mails.length;
  await world.send({ ...mail, subject: "Uw dossier", text: BSN });
  const asked = await world.sink.wait(mail.from, () => true, from);
  await page.goto(asked.link.replace("/n/", "/s/"));
  await page.getByText("Je bericht is nog niet aan iedereen verzonden.").waitFor();
  await look(page, "status-held");
  await page.getByLabel("Ik weet dat dit niet terug kan").check();
  await press(page, "Niet verzenden en wissen");
  await page.getByText("voordat het verzonden was").waitFor();
  await look(page, "status-cancelled");
  await page.goto(asked.link);
  await page.getByText("voordat het verzonden was").waitFor();

  const lost = somebody();
  from = world.sink.mails.length;
  await world.send({ ...lost, to: "weg@post.example", subject: "[beveiligd] Uw aanvraag", text: "Geheim" });
  await page.goto((await world.sink.wait(lost.from, () => true, from)).link);
  await page.getByText("Niet aangekomen").waitFor();
  await look(page, "status-failed");
  await page.context().close();
});

test("with the keyboard alone a message is recalled, and an empty box is said beside it", async () => {
  const page = await visitor(browser);
  const mail = somebody();
  let from = world.sink.mails.length;
  await world.send({ ...mail, to: "weg@post.example", subject: "[beveiligd] Uw aanvraag", text: "Geheim" });
  await page.goto((await world.sink.wait(mail.from, () => true, from)).link);
  // As a browser does that does not know `required`.
  await page.evaluate(() => document.querySelectorAll("form").forEach((form) => (form.noValidate = true)));
  await page.getByRole("button", { name: "Bericht intrekken en wissen" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Zet eerst een vinkje.").waitFor();
  await look(page, "status-not-sure");
  await page.getByLabel("Ik weet dat dit niet terug kan").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("niemand kan het meer lezen").waitFor();
  await page.context().close();
});
