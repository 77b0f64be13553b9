import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { resolveName } from "../../scripts/doctor/world.ts";

/** Record types (RFC 1035 section 3.2.2). */
const A = 1;
const CNAME = 5;

const TARGET = "\x02gw\x04test\x00";

/** A resource record of class IN with a TTL of one minute (RFC 1035 section 4.1.3). */
function record(name: string, type: number, data: string): string {
  return `${name}\0${String.fromCharCode(type)}\0\x01\0\0\0\x3c\0${
    String.fromCharCode(data.length)
  }${data}`;
}

/** The response to a query: every name below `preview.test` is an alias of a host with one IPv4 address. */
function reply(query: string): string {
  const end = query.indexOf("\0", 12) + 1;
  const name = query.slice(12, end);
  const type = query.charCodeAt(end + 1);
  const records = name.endsWith("\x07preview\x04test\0")
    ? [
      record(name, CNAME, TARGET),
      ...type === A ? [record(TARGET, A, "\xc0\x00\x02\x07")] : [],
    ]
    : [];
  const flags = records.length > 0 ? "\x81\x80" : "\x81\x83";
  const counts = `\0\x01\0${String.fromCharCode(records.length)}\0\0\0\0`;
  return query.slice(0, 2) + flags + counts + query.slice(12, end + 4) +
    records.join("");
}

Deno.test("resolveName() follows aliases, and knows no address of a name that does not exist", async () => {
  const server = createSocket("udp4");
  server.on("message", (message, { address, port }) => {
    const answer = reply(message.toString("latin1"));
    server.send(
      Uint8Array.from(answer, (byte) => byte.charCodeAt(0)),
      port,
      address,
    );
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const nameServer = { ipAddr: "127.0.0.1", port: server.address().port };
  try {
    assert.deepEqual(await resolveName("3000-x.preview.test", { nameServer }), [
      "192.0.2.7",
    ]);
    assert.deepEqual(await resolveName("none.test", { nameServer }), []);
  } finally {
    server.close();
    await once(server, "close");
  }
});
