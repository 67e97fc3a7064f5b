// Chromium, and what every page is looked at for.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";
import { ROOT } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** WCAG 2.2 AA and what EN 301 549 adds (portal.md, section 8). */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549"];
const PICTURES = path.join(ROOT, "target/browser");
export const [PHONE, DESKTOP] = [390, 1280];
const HEIGHT = 800;

/** How each page is looked at; `width` in CSS pixels. 320 is a wide screen at 400 %. */
const SIGHTS = [
  { name: "light", width: DESKTOP, colorScheme: "light", forcedColors: "none" },
  { name: "dark", width: DESKTOP, colorScheme: "dark", forcedColors: "none" },
  { name: "320", width: 320, colorScheme: "light", forcedColors: "none" },
  { name: "forced", width: DESKTOP, colorScheme: "dark", forcedColors: "active" },
];

const validator = new HtmlValidate({
  extends: ["html-validate:recommended", "html-validate:document"],
  rules: {
    // Style, and what is served from the same place as the page; a button sends its form.
    "no-trailing-whitespace": "off",
    "no-implicit-button-type": "off",
    "require-sri": "off",
    "doctype-style": "off",
    "void-style": "off",
  },
});

/** Mail programs know tables, styles in place, and little else. */
const MAIL_RULES = { "no-inline-style": "off", "no-deprecated-attr": "off", "prefer-tbody": "off" };

/** A browser that reaches this machine only; every other name and address leads to `elsewhere`, a port on loopback. */
export function launch(elsewhere = 9) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
      `--host-resolver-rules=MAP * 127.0.0.1:${elsewhere}, EXCLUDE 127.0.0.1`,
    ],
  });
}

/** A visitor with a browser of his own: no cookies, Dutch unless said otherwise. */
export async function visitor(browser, { js = true, width = DESKTOP, locale = "nl-NL" } = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: js,
    viewport: { width, height: HEIGHT },
    locale,
    timezoneId: "Europe/Amsterdam",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.on("response", (response) => {
    const request = response.request();
    if (request.isNavigationRequest() && request.frame() === page.mainFrame() && response.status() !== 303) page.source = response.text().catch(() => "");
  });
  page.setDefaultTimeout(30_000);
  return page;
}

/** Looks at a page in every sight: axe, no scrolling sideways, valid HTML, and a picture of it for people. */
export async function look(page, name) {
  const faults = [];
  const before = page.viewportSize();
  const html = page.source && (await page.source);
  if (html) faults.push(...(await invalid(html)));
  for (const { name: sight, width, ...media } of SIGHTS) {
    await page.setViewportSize({ width, height: HEIGHT });
    await page.emulateMedia(media);
    faults.push(...(await unfit(page)).map((f) => `${sight}: ${f}`), ...(await inaccessible(page)).map((f) => `${sight}: ${f}`));
    await picture(page, `${name}-${sight}`);
  }
  await page.emulateMedia({ colorScheme: "light", forcedColors: "none" });
  await page.setViewportSize(before);
  assert.deepEqual(faults, [], name);
}

/** Only a picture, and no scrolling sideways: for the same page at another width. */
export async function glance(page, name) {
  assert.deepEqual(await unfit(page), [], name);
  await picture(page, name);
}

async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
}

async function unfit(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return over > 0 ? [`scrolls sideways by ${over} px`] : [];
}

/** A mail's HTML, as a mail program shows it; its text has to say as much. */
export async function lookAtMail(page, mail, name) {
  const faults = (await invalid(mail.html, MAIL_RULES)).map((f) => `${name}: ${f}`);
  await page.goto("about:blank");
  await page.setContent(mail.html);
  for (const [sight, width, colorScheme] of [["light", 640, "light"], ["dark", 640, "dark"], ["320", 320, "light"]]) {
    await page.setViewportSize({ width, height: HEIGHT });
    await page.emulateMedia({ colorScheme, forcedColors: "none" });
    faults.push(...[...(await unfit(page)), ...(await inaccessible(page))].map((f) => `${sight}: ${f}`));
    await picture(page, `mail-${name}-${sight}`);
  }
  const words = (await page.locator("body").innerText()).split(/\s+/).filter((w) => !mail.text.replace(/\s+/g, " ").includes(w));
  assert.deepEqual(faults, [], name);
  assert.deepEqual(words, [], `${name}: words that the text lacks`);
  await page.setViewportSize({ width: DESKTOP, height: HEIGHT });
}

/** What axe finds. Its script is put into the page by the debugger, since the page's own policy would not let it in. */
export async function inaccessible(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run({ runOnly: { type: "tag", values: tags } }), TAGS);
  return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" ")}`);
}

/** What html-validate finds. */
export async function invalid(html, rules = {}) {
  const report = await validator.validateString(html, { rules });
  return report.results.flatMap((r) => r.messages).map((m) => `html:${m.line}: ${m.ruleId}: ${m.message}`);
}
