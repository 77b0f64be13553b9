/** Connections to the hosted stand-in by its names, which are in no DNS, with trust in its authority. */
import type { Origin } from "../../src/http/origin.ts";
import { dial } from "../../src/upstream/http1/connect.ts";
import { HOSTED_CA } from "./hosted_certificate.ts";

/** Connects to 127.0.0.1 whatever the name of the origin; TLS checks that. */
export function dialHosted(
  origin: Origin,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const address = { hostname: "127.0.0.1", port: origin.port };
  return dial(origin, signal, [HOSTED_CA], address);
}
