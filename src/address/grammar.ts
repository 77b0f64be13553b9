/** What the label and the port of a preview host can mean, and the grammar of ids, which confines a request to a sandbox. */

/** The id of a sandbox or snapshot, or a signed preview token, as the source of a regular expression. */
export const SANDBOX_REF = "[A-Za-z0-9_-]{1,64}";

/** What of that fits into a label of a host name behind a port (RFC 1035 section 2.3.4), in lower case. */
export const LABEL = "[a-z0-9_-]{1,57}";

const WHOLE_REF = new RegExp(`^${SANDBOX_REF}$`);

/** Whether the text can be the id of a sandbox or snapshot, or a signed preview token. */
export function isSandboxRef(text: string): boolean {
  return WHOLE_REF.test(text);
}

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
