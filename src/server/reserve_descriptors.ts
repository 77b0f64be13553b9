/** A reserve of file descriptors for who has to be refused (see lib/descriptors.ts). */
import { keepDescriptors } from "../lib/descriptors.ts";
import type { Logger } from "../observability/log.ts";

/** Keeps it, until disposed, and says in the log when it is used up: sockets that nobody sends anything to. */
export function reserveDescriptors(log: Logger): Disposable {
  const socket = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  return keepDescriptors(() => Deno.listenDatagram(socket), (isShort) => {
    if (!isShort) return log.info("there are enough file descriptors again");
    log.error(
      "out of file descriptors: requests are refused until there are more; raise `ulimit -n`, or lower MAX_TUNNELS",
    );
  });
}
