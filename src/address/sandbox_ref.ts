/** The shapes of what a preview host can name. */

const SIGNED_TOKEN = /^[a-z0-9]{16}$/;

/**
 * Whether a host label may be a signed preview token: Daytona makes them of 16 characters `[a-z0-9]`, and a sandbox
 * id (a UUID, 36 characters) never looks like one.
 */
export function mayBeSignedToken(label: string): boolean {
  return SIGNED_TOKEN.test(label);
}

/** The port of the daemon in every sandbox: it runs commands, and reads and writes files. */
export const TOOLBOX_PORT = 2280;

/** Ports that need a credential even on a public sandbox: toolbox, web terminal, recording dashboard. */
const ALWAYS_PRIVATE_PORTS: ReadonlySet<number> = new Set([
  TOOLBOX_PORT,
  22222,
  33333,
]);

/** Whether a port is one of Daytona's own services, which are never public. */
export function isAlwaysPrivate(port: number): boolean {
  return ALWAYS_PRIVATE_PORTS.has(port);
}
