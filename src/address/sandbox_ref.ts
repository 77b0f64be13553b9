/** What the label and the port of a preview host can mean. */

const SIGNED_TOKEN = /^[a-z0-9]{16}$/;

/**
 * Whether a host label may be a signed preview token. Daytona's have 16 characters of `[a-z0-9]`, and a sandbox id (a
 * UUID, 36 characters) never looks like one.
 */
export function mayBeSignedToken(label: string): boolean {
  return SIGNED_TOKEN.test(label);
}

/** The port of the daemon in every sandbox, which runs commands and reads and writes files. */
export const TOOLBOX_PORT = 2280;

/** Ports that require a credential even in a public sandbox: toolbox, web terminal, recording dashboard. */
const ALWAYS_PRIVATE_PORTS: ReadonlySet<number> = new Set([
  TOOLBOX_PORT,
  22222,
  33333,
]);

/** Whether a port belongs to one of Daytona's own services, which are never public. */
export function isAlwaysPrivate(port: number): boolean {
  return ALWAYS_PRIVATE_PORTS.has(port);
}
