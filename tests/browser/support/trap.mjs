// The rest of the internet: where every name leads that is not this machine. Nobody is to come here.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

export class Trap {
  /** What came: the beginning of each connection, or nothing where nothing was said. */
  caught = [];

  static async start() {
    const trap = new Trap();
    trap.server = net.createServer((socket) => {
      const visit = { said: "" };
      trap.caught.push(visit);
      socket.on("error", () => socket.destroy());
      socket.on("data", (octets) => {
        visit.said += octets.toString("latin1");
        // Both may come in pieces: the first record of TLS, which says the name, and the head of a request.
        const whole = visit.said.startsWith("\x16")
          ? visit.said.length >= 5 + Buffer.from(visit.said, "latin1").readUInt16BE(3)
          : visit.said.includes("\r\n\r\n");
        if (!whole) return;
        socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: 15\r\nConnection: close\r\n\r\nalert('loaded')");
      });
    });
    trap.server.listen(0, "127.0.0.1");
    await once(trap.server, "listening");
    trap.port = trap.server.address().port;
    return trap;
  }

  /** Which names were asked since the last look, without those that the browser asks for itself. */
  take() {
    // In a greeting of TLS the name's length stands before it; what follows may look like more of it (RFC 8701: two letters of the same).
    const greeted = (said) => {
      const name = /[a-z0-9-]{3,}(\.[a-z0-9-]+)*\.[a-z]{3,}/.exec(said);
      return name && name[0].slice(0, said.charCodeAt(name.index - 1));
    };
    const named = (said) => (said.startsWith("\x16") ? greeted(said) : /(?<=^Host: ).*$/im.exec(said)?.[0]);
    const names = this.caught.splice(0).map((v) => named(v.said) ?? JSON.stringify(v.said));
    return names.filter((name) => !/(^|\.)(google|googleapis|gvt1)\.com$/.test(name));
  }

  stop() {
    this.server.close();
  }
}

/** Shows documents without any policy: what a browser makes of them when nothing else protects it. */
export class Shelf {
  #documents = new Map();

  static async start() {
    const shelf = new Shelf();
    shelf.server = http.createServer((request, response) => {
      const found = shelf.#documents.get(request.url);
      response.writeHead(found ? 200 : 404, { "content-type": found?.type ?? "text/plain" }).end(found?.content ?? "");
    });
    shelf.server.listen(0, "127.0.0.1");
    await once(shelf.server, "listening");
    return shelf;
  }

  put(content, type = "text/html; charset=utf-8") {
    const path = `/${this.#documents.size}`;
    this.#documents.set(path, { content, type });
    return `http://127.0.0.1:${this.server.address().port}${path}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
