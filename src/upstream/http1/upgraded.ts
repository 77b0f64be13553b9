import { UpstreamError } from "../upstream_error.ts";
import type { Connection } from "./connection.ts";
import type { UpgradedConnection } from "./types.ts";

/** Turns a connection into a tunnel after a 101; octets that arrived right after the head are read first. */
export function upgradedConnection(connection: Connection): UpgradedConnection {
  connection.becomeTunnel();
  let writes = Promise.resolve();
  return {
    async read() {
      if (connection.input.length === 0 && !await connection.fill()) {
        return null;
      }
      const octets = connection.input.unread;
      connection.input.consume(octets.length);
      return octets;
    },
    write(bytes) {
      // A failed write fails all later ones: they would leave a gap in the stream.
      writes = writes.then(() => connection.write(bytes));
      writes.catch(() => {});
      return writes;
    },
    close() {
      connection.fail(
        new UpstreamError("closed", "upgraded connection closed"),
      );
    },
  };
}
