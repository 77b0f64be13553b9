import type { Connection } from "./connection.ts";
import { UpstreamError } from "./errors.ts";
import type { UpgradedConnection } from "./types.ts";

/** Hands a connection over after a 101; what came right behind the head is read first. */
export function upgradedConnection(connection: Connection): UpgradedConnection {
  connection.becomeTunnel();
  let writes = Promise.resolve();
  return {
    async read(buffer) {
      if (buffer !== undefined && connection.unread.length === 0) {
        const count = await connection.readInto(buffer);
        return count === 0 ? null : buffer.subarray(0, count);
      }
      if (connection.unread.length === 0 && !await connection.fill()) {
        return null;
      }
      const octets = connection.unread.subarray(0, buffer?.length);
      connection.consume(octets.length);
      if (buffer === undefined) return octets;
      buffer.set(octets);
      return buffer.subarray(0, octets.length);
    },
    write(bytes) {
      // A failed write spoils all later ones: they would leave a hole.
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
