/** Sandboxes with a runner of their own, which nobody else's traffic slows down. */
import { KEYS, RUNNER_ID, type Stack } from "../../scripts/stand_in/stack.ts";

/** Adds a public sandbox, whose runner is a port of 127.0.0.1, and to which all users of the stack but one have access. */
export function addSandbox({ api }: Stack, id: string, port: number): void {
  const url = `http://127.0.0.1:${port}`;
  const runnerId = crypto.randomUUID();
  const known = api.state.runners.get(RUNNER_ID);
  if (known === undefined) throw new TypeError("The stack has no runner");
  api.state.runners.set(runnerId, { ...known, proxyUrl: url, apiUrl: url });
  api.state.sandboxes.set(id, {
    id,
    public: true,
    authToken: `${id}-token`,
    runnerId,
    state: "started",
  });
  api.state.users.get(KEYS.user)?.add(id);
  api.state.subjects.get("alice")?.add(id);
}
