/** A proxy in front of the gateway, with the faults that those have. */
import {
  createServer,
  type IncomingMessage,
  request as sendRequest,
} from "node:http";
import { buffer } from "node:stream/consumers";
import {
  listenOnLoopback,
  type Loopback,
} from "../../scripts/stand_in/loopback.ts";

/** What it does wrong; nothing by default. */
export interface FrontFaults {
  /** The Host that it sends instead of the client's. */
  host?: string;
  /** It keeps each response back until that is complete. */
  buffers?: boolean;
  /** It passes no upgrade on. */
  dropsUpgrades?: boolean;
  /** It stores each response, whatever that says, and answers with it from then on. */
  stores?: boolean;
  /** It answers everything by itself, with this status. */
  answers?: number;
}

/** Starts one in front of a port of this machine; its faults can be changed. */
export async function startFaultyFront(
  port: number,
): Promise<Loopback & { faults: FrontFaults }> {
  const front = { faults: {} as FrontFaults };
  const stored = new Map<string, [IncomingMessage, Uint8Array]>();

  function pass(message: IncomingMessage, upgrades: boolean) {
    const { connection: _, upgrade, ...headers } = message.headers;
    return sendRequest({
      host: "127.0.0.1",
      port,
      method: message.method,
      path: message.url,
      agent: false,
      headers: {
        ...headers,
        host: front.faults.host ?? headers.host,
        ...upgrades ? { connection: "Upgrade", upgrade } : {},
      },
    });
  }
  const server = createServer((message, response) => {
    const { answers, buffers, stores } = front.faults;
    const [head, body] = stored.get(message.url ?? "") ?? [];
    if (stores === true && head !== undefined) {
      response.writeHead(head.statusCode ?? 502, head.headers).end(body);
      return;
    }
    if (answers !== undefined) {
      response.writeHead(answers).end("the front's own\n");
      return;
    }
    const outgoing = pass(message, false);
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    outgoing.on("response", async (answer) => {
      answer.on("error", () => response.destroy());
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (stores === true) {
        const body = await buffer(answer);
        stored.set(message.url ?? "", [answer, new Uint8Array(body)]);
        response.end(body);
      } else if (buffers === true) response.end(await buffer(answer));
      else answer.pipe(response);
    });
    message.pipe(outgoing);
  });
  server.on("upgrade", (message, socket) => {
    socket.on("error", () => {});
    const outgoing = pass(message, front.faults.dropsUpgrades !== true);
    outgoing.on("error", () => socket.destroy());
    socket.on("close", () => outgoing.destroy());
    function answerWith({ statusCode, rawHeaders }: IncomingMessage): void {
      const lines = [];
      for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
        lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`);
      }
      socket.write(`HTTP/1.1 ${statusCode} Told\r\n${lines.join("")}\r\n`);
    }
    outgoing.on("upgrade", (answer, upstream) => {
      upstream.on("error", () => socket.destroy());
      answerWith(answer);
      socket.pipe(upstream).pipe(socket);
    });
    outgoing.on("response", (answer) => {
      answer.resume();
      answerWith(answer);
      socket.end();
    });
    outgoing.end();
  });
  return Object.assign(front, await listenOnLoopback(server));
}
