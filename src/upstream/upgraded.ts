import type { Connection } from "./connection.ts";
import { UpstreamError } from "./errors.ts";
import type { UpgradedConnection } from "./types.ts";

/** Turns a connection into a tunnel after a 101; octets that arrived right after the head are read first. */
export function upgradedConnection(connection: Connection): UpgradedConnection {
  connection.becomeTunnel();
  let writes = Promise.resolve();
  return {
    async read(buffer) {
      if (buffer !== undefined && connection.input.length === 0) {
        const count = await connection.readInto(buffer);
        return count === 0 ? null : buffer.subarray(0, count);
      }
      if (connection.input.length === 0 && !await connection.fill()) {
        return null;
      }
      const octets = connection.input.unread.subarray(0, buffer?.length);
      connection.input.consume(octets.length);
      if (buffer === undefined) return octets;
      buffer.set(octets);
      return buffer.subarray(0, octets.length);
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
