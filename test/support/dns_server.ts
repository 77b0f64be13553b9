/** A DNS server on 127.0.0.1 (RFC 1035), for what this runtime's resolver makes of its answers. */

/** Response codes (RFC 1035 section 4.1.1). */
const CODES = { noError: 0, serverFailure: 2, noSuchName: 3, refused: 5 };

const TYPES = { CNAME: 5, SOA: 6, TXT: 16 };

/** What it answers to a question. */
export interface DnsAnswer {
  readonly code?: keyof typeof CODES;
  /** The data of its records, all of the type that was asked for. */
  readonly records?: readonly Uint8Array[];
}

/** A running server. */
export interface DnsServer extends AsyncDisposable {
  readonly nameServer: { readonly ipAddr: string; readonly port: number };
}

/** The data of a TXT record. */
export function txtData(...strings: readonly string[]): Uint8Array {
  return joined(strings.map(lengthFirst));
}

/** That of a CNAME record. */
export function cnameData(name: string): Uint8Array {
  return joined([...name.split(".").map(lengthFirst), new Uint8Array(1)]);
}

/** That of an SOA record, which begins a zone. */
export function soaData(server: string): Uint8Array {
  return joined([cnameData(server), cnameData(server), new Uint8Array(20)]);
}

/** Starts one that answers by UDP; `answerOf` is given such as `TXT www.shop.test`. */
export function startDns(
  answerOf: (question: string) => DnsAnswer,
): DnsServer {
  const hostname = "127.0.0.1";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  async function serve(): Promise<void> {
    for await (const [query, from] of socket) {
      await socket.send(replyTo(query, answerOf), from);
    }
  }
  const serving = serve();
  return {
    nameServer: { ipAddr: hostname, port },
    async [Symbol.asyncDispose]() {
      socket.close();
      await serving;
    },
  };
}

function replyTo(
  query: Uint8Array,
  answerOf: (question: string) => DnsAnswer,
): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (let length; (length = query[at] ?? 0) > 0; at += 1 + length) {
    const label = query.subarray(at + 1, at + 1 + length);
    labels.push(new TextDecoder().decode(label));
  }
  const question = query.subarray(12, at + 5);
  const type = Object.entries(TYPES)
    .find(([, number]) => number === query[at + 2])?.[0];
  const name = labels.join(".");
  const { code = "noError", records = [] } = answerOf(`${type} ${name}`);
  const header = [0x81, 0x80 | CODES[code], 0, 1, 0, records.length, 0, 0];
  return joined([
    query.subarray(0, 2),
    new Uint8Array([...header, 0, 0]),
    question,
    ...records.flatMap((data) => [
      new Uint8Array([0xc0, 12]), // the name of the question
      question.subarray(-4),
      new Uint8Array([0, 0, 0, 0, data.length >> 8, data.length & 255]),
      data,
    ]),
  ]);
}

function lengthFirst(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return joined([new Uint8Array([bytes.length]), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
