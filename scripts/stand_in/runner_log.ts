/** What the fake runner streams by itself: the logs of builds, and of commands that a client follows without a WebSocket. */
import type { ServerResponse } from "node:http";
import type { LocalTarget } from "./runner_forward.ts";

const STREAM = { "Content-Type": "application/octet-stream" };

/** Sends a log part by part. */
export async function sendLog(
  response: ServerResponse,
  log: AsyncIterable<string>,
): Promise<void> {
  response.writeHead(200, STREAM);
  response.flushHeaders();
  for await (const part of log) response.write(part);
  response.end();
}

const FOLLOWED_LOG = /^\/process\/session\/[^/]+\/command\/[^/]+\/logs\?/;

/** True if a target of the daemon's is a log that is to be followed. */
export function isFollowedLog(method: string, target: string): boolean {
  return method === "GET" && FOLLOWED_LOG.test(target) &&
    new URL(target, "http://daemon").searchParams.get("follow") === "true";
}

/** Follows a log by a WebSocket to the daemon, and passes its messages on as one stream. */
export function followLog(
  response: ServerResponse,
  { localPort, target }: LocalTarget,
): void {
  const socket = new WebSocket(`ws://127.0.0.1:${localPort}${target}`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    response.writeHead(200, STREAM);
    response.flushHeaders();
  };
  socket.onmessage = ({ data }) => {
    response.write(typeof data === "string" ? data : new Uint8Array(data));
  };
  socket.onclose = () => response.end();
  response.once("close", () => socket.close());
}
