/** The gateway as Deno Deploy starts it: no terminal, nothing to write to, and the platform's variables. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS, type Stack } from "../../scripts/stand_in/stack.ts";
import {
  type GatewayProcess,
  type LogRecord,
  type ProcessOptions,
  startProcess,
} from "./process.ts";

/** The variables that tell the runtime where to listen and whom to trust, and the gateway where it is. */
export const PLATFORM = {
  DENO_DEPLOY: "true",
  DENO_DEPLOYMENT_ID: "deployment-1",
  DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
  DENO_TRUST_PROXY_HEADERS: "1",
} as const;

/** The permissions that it needs there. */
export const NEEDED = ["--allow-net", "--allow-env"] as const;

/** A private sandbox's host. */
export const LOCKED = "3000-locked.proxy.localhost";

/** Starts the entry point in front of a stack; nothing is set that has a default there. */
export async function deploy(
  { environment }: Pick<Stack, "environment">,
  platform: Readonly<Record<string, string>>,
  options: Omit<ProcessOptions, "environment"> = { permissions: NEEDED },
): Promise<GatewayProcess> {
  const { CACHE_URL: _, PROXY_HOST: __, ...configuration } = environment;
  return await startProcess({
    ...options,
    environment: { ...configuration, ...PLATFORM, ...platform },
  });
}

/** Opens a WebSocket to the app of the private sandbox, by its token. */
export async function openEcho(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { host: LOCKED, "x-daytona-preview-token": KEYS.lockedToken },
  });
  await once(socket, "open");
  return socket;
}

/** What the app of the private sandbox sends back. */
export async function echo(port: number, message: string): Promise<string> {
  const socket = await openEcho(port);
  const closed = once(socket, "close");
  const answered = once(socket, "message");
  socket.send(message);
  const [data] = await answered;
  socket.close();
  await closed;
  return new TextDecoder().decode(data);
}

/** The warnings about a first answer of the database that is late. */
const OF_LATE_ANSWERS: ReadonlySet<unknown> = new Set([
  "durable tier failed",
  "not ready: cache",
]);

/** What the log complains about. */
export function complaintsOf({ logs }: GatewayProcess): LogRecord[] {
  return logs.filter(({ level, message }) =>
    level !== "INFO" && !(level === "WARN" && OF_LATE_ANSWERS.has(message))
  );
}
