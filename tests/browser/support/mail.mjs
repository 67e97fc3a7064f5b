// Reading the mails that zegel writes, and writing those that it gets.

/** A mail as it arrived. Octets are kept as latin1 characters, one each. */
export class Mail {
  constructor(to, octets) {
    this.to = to;
    this.octets = octets;
    this.parts = [...leaves(octets)];
    this.subject = words(header(octets, "subject"));
    this.from = words(header(octets, "from"));
    this.text = this.#body("text/plain");
    this.html = this.#body("text/html");
  }

  #body(type) {
    return this.parts.find((p) => p.type === type)?.text ?? "";
  }

  /** The portal's link in the text. */
  get link() {
    return /https?:\/\/\S+\/[mns]\/\S+/.exec(this.text)?.[0];
  }

  /** The password in a password mail: a line of its own. */
  get password() {
    return /^[a-z2-9]{12}$/m.exec(this.text.replaceAll("\r", ""))?.[0];
  }
}

function header(octets, name) {
  const head = octets.slice(0, octets.indexOf("\r\n\r\n")).replace(/\r\n(?=[ \t])/g, "");
  return new RegExp(`^${name}:\\s*(.*)$`, "im").exec(head)?.[1] ?? "";
}

function* leaves(octets) {
  const type = header(octets, "content-type") || "text/plain";
  const body = octets.slice(octets.indexOf("\r\n\r\n") + 4);
  const boundary = /boundary="?([^";]+)/i.exec(type)?.[1];
  if (/^multipart\//i.test(type) && boundary) {
    for (const part of body.split(`--${boundary}`).slice(1, -1)) yield* leaves(part.replace(/^\r\n/, ""));
    return;
  }
  const octetsOf = { base64: (b) => Buffer.from(b, "base64"), "quoted-printable": unquoted }[header(octets, "content-transfer-encoding").toLowerCase()];
  const text = (octetsOf ? octetsOf(body) : Buffer.from(body, "latin1")).toString("utf8");
  yield { type: type.split(";")[0].trim().toLowerCase(), text };
}

function unquoted(body) {
  const joined = body.replace(/=[ \t]*\r\n/g, "");
  return Buffer.from(joined.replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), "latin1");
}

/** Encoded words (RFC 2047). */
function words(value) {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?[^?]+\?([bq])\?([^?]*)\?=/gi, (_, kind, text) =>
      (kind.toLowerCase() === "b" ? Buffer.from(text, "base64") : unquoted(text.replaceAll("_", " "))).toString("utf8"),
    );
}

let number = 0;

/** A mail to send. `files` are `{ name, type, content, id }`; `charset` is what the HTML part says it is in (its octets are UTF-8). */
export function compose({ from = "anna@gemeente.example", name = "Anna de Vries", to, subject, text, html, files = [], charset = "utf-8" }) {
  const word = (s) => (/^[ -~]*$/.test(s) && !/[<>"\\=]/.test(s) ? s : [...chunks(s)].map((c) => `=?utf-8?B?${Buffer.from(c).toString("base64")}?=`).join("\n "));
  const part = (type, content, more = "") => `Content-Type: ${type}\n${more}Content-Transfer-Encoding: base64\n\n${lines(content)}\n`;
  const bodies = [];
  if (text !== undefined) bodies.push(part("text/plain; charset=utf-8", text));
  if (html !== undefined) bodies.push(part(`text/html; charset=${charset}`, html));
  const attached = files.map((f) =>
    part(
      f.type ?? "application/octet-stream",
      f.content,
      `Content-Disposition: ${f.id ? "inline" : "attachment"}; filename*=utf-8''${encodeURIComponent(f.name)}\n${f.id ? `Content-ID: <${f.id}>\n` : ""}`,
    ),
  );
  const all = [...(bodies.length > 1 ? [`Content-Type: multipart/alternative; boundary=of\n\n--of\n${bodies.join("--of\n")}--of--\n`] : bodies), ...attached];
  return [
    `From: ${word(name)} <${from}>\nTo: <${[to].flat().join(">, <")}>\nSubject: ${word(subject)}\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <browser-${process.pid}-${++number}@gemeente.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=and\n\n--and\n${all.join("--and\n")}--and--\n`,
  ].join("\n");
}

function* chunks(text) {
  let chunk = "";
  for (const letter of text) {
    if (Buffer.byteLength(chunk + letter) > 40) yield chunk, (chunk = "");
    chunk += letter;
  }
  yield chunk;
}

function lines(content) {
  return Buffer.from(content).toString("base64").replace(/.{76}/g, "$&\n");
}
