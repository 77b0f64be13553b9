/** Terminals in a fake sandbox: a WebSocket carries input and output, HTTP requests resize and end them. */
import { type Files, HOME } from "./daemon_files.ts";
import {
  type DaemonSocket,
  errorResponse,
  type Routes,
  type SocketRoutes,
} from "./daemon_routes.ts";
import {
  createLineQueue,
  createShell,
  runCommandLine,
  type TerminalSize,
} from "./daemon_shell.ts";

/** A terminal with a shell in it. */
interface Pty {
  readonly id: string;
  size: TerminalSize;
  readonly attached: Set<DaemonSocket>;
  /** Takes typed input, echoes it, and passes it on line by line. */
  type(data: Uint8Array): void;
  /** Runs the lines until one of them is `exit`. */
  run(): Promise<void>;
  /** Ends it, and notifies all attached clients. */
  end(exitCode: number): void;
}

/** The subprotocol that requests a message with the exit code before the close frame. */
const EXIT_CONTROL = "X-Daytona-Pty-Exit-Control";

/** The exit code of a shell that was killed by SIGKILL. */
const KILLED = 137;

/** The endpoints for terminals. */
export function ptyRoutes(
  files: Files,
): { readonly routes: Routes; readonly sockets: SocketRoutes } {
  const ptys = new Map<string, Pty>();

  const routes: Routes = {
    "GET /process/pty"() {
      return Response.json({ sessions: [...ptys.values()].map(infoOf) });
    },

    "GET /process/pty/{id}"({ params: { id = "" } }) {
      const pty = ptys.get(id);
      return pty === undefined ? noPty(id) : Response.json(infoOf(pty));
    },

    async "POST /process/pty/{id}/resize"({ request, params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) return noPty(id);
      pty.size = await request.json();
      return Response.json(infoOf(pty));
    },

    "DELETE /process/pty/{id}"({ params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) return noPty(id);
      pty.end(KILLED);
      return Response.json({ message: "PTY session deleted" });
    },
  };

  const sockets: SocketRoutes = {
    "/process/pty/create-connect"(socket, { search }) {
      const id = search.get("id") ?? "";
      if (ptys.has(id)) {
        return refuse(socket, `PTY session ${id} already exists`);
      }
      const pty = createPty(id, {
        files,
        size: {
          cols: Number(search.get("cols") ?? 80),
          rows: Number(search.get("rows") ?? 24),
        },
        onEnd: () => ptys.delete(id),
      });
      ptys.set(id, pty);
      attach(socket, pty);
      pty.run();
    },

    "/process/pty/{id}/connect"(socket, { params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) refuse(socket, `PTY session ${id} not found`);
      else attach(socket, pty);
    },
  };
  return { routes, sockets };
}

function attach(socket: DaemonSocket, { attached, type }: Pty): void {
  attached.add(socket);
  socket.on("message", type);
  socket.on("close", () => attached.delete(socket));
  socket.send(JSON.stringify({ type: "control", status: "connected" }));
}

function refuse(socket: DaemonSocket, error: string): void {
  socket.send(JSON.stringify({ type: "control", status: "error", error }));
  socket.close(1008, JSON.stringify({ error }));
}

interface PtyOptions {
  readonly files: Files;
  readonly size: TerminalSize;
  readonly onEnd: () => void;
}

function createPty(id: string, { files, size, onEnd }: PtyOptions): Pty {
  const input = createLineQueue();
  const decoder = new TextDecoder();
  let typed = "";

  function show(text: string): void {
    // A terminal needs CR LF to go to the start of the next line.
    const bytes = new TextEncoder().encode(text.replaceAll("\n", "\r\n"));
    pty.attached.forEach((socket) => socket.send(bytes));
  }

  const pty: Pty = {
    id,
    size,
    attached: new Set(),
    type(data) {
      const text = decoder.decode(data, { stream: true }).replaceAll(
        "\r",
        "\n",
      );
      show(text);
      const lines = (typed + text).split("\n");
      typed = lines.pop() ?? "";
      lines.forEach(input.push);
    },
    end(exitCode) {
      for (const socket of pty.attached) {
        if (socket.protocol === EXIT_CONTROL) {
          socket.send(
            JSON.stringify({ type: "control", status: "exited", exitCode }),
          );
        }
        socket.close(1000, JSON.stringify({ exitCode }));
      }
      onEnd();
    },
    async run() {
      const shell = createShell({
        files,
        readLine: input.next,
        write: (_, text) => show(text),
        terminalSize: () => pty.size,
      });
      let outcome;
      do {
        show("$ ");
        outcome = await runCommandLine(await input.next(), shell);
      } while (!outcome.exited);
      pty.end(outcome.exitCode);
    },
  };
  return pty;
}

function infoOf({ id, size }: Pty): Record<string, unknown> {
  return {
    id,
    ...size,
    active: true,
    cwd: HOME,
    envs: {},
    createdAt: "2026-01-01T00:00:00Z",
    lazyStart: false,
  };
}

function noPty(id: string): Response {
  return errorResponse({
    statusCode: 404,
    code: "PROCESS_NOT_FOUND",
    message: `PTY session ${id} not found`,
  });
}
