/** A WebSocket whose app sends more in one message than passes. */
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

/** Bytes that pass in a message, by default. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The page reads from the close code that the message was too long, and not that the way there broke. */
export const longMessage: Scenario = {
  name: "an app's message that is too long closes the page's WebSocket as such",
  async run(stage) {
    await using app = serveOnLoopback((request) => {
      if (!request.headers.has("upgrade")) {
        return new Response(
          '<!doctype html><link rel="icon" href="data:,"><h1>Messages</h1>',
          { headers: { "content-type": "text/html" } },
        );
      }
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => {
        socket.send("short");
        socket.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
      };
      return response;
    });
    const page = await stage.open();
    stage.listen("demo", app.port, app.port);
    await page.goto(stage.url(`${app.port}-demo`));
    await page.shows("h1", "Messages");
    const seen = await page.evaluate<readonly unknown[]>(
      `new Promise((resolve) => {
        const seen = [];
        const socket = new WebSocket(location.origin.replace("http", "ws"));
        socket.onmessage = ({ data }) => seen.push(data);
        socket.onclose = ({ code }) => resolve([...seen, code]);
      })`,
    );
    assert.deepEqual(seen, ["short", 1009]);
  },
};
