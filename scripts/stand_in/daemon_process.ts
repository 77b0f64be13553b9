/** Commands in a fake sandbox: single ones, and sessions whose commands can be followed while they run. */
import { type Endpoints, notFound } from "./daemon_http.ts";
import {
  createShell,
  type Files,
  LineQueue,
  type OutputStream,
  runCommandLine,
  type Shell,
} from "./daemon_shell.ts";
import type { ServerSocket } from "./server_socket.ts";

/** A piece of a command's output. */
interface Output {
  readonly stream: OutputStream;
  readonly text: string;
}

/** A command of a session. */
interface SessionCommand {
  readonly id: string;
  readonly command: string;
  /** Undefined while the command runs. */
  exitCode: number | undefined;
  readonly log: Output[];
  readonly followers: Set<ServerSocket>;
}

/** A shell that keeps its working directory and variables between commands. */
interface Session {
  readonly shell: Omit<Shell, "write">;
  readonly input: LineQueue;
  readonly commands: Map<string, SessionCommand>;
  /** Resolves when the shell is idle; further commands wait for it. */
  idle: Promise<unknown>;
}

/** The endpoints for commands. */
export function processEndpoints(files: Files): Endpoints {
  const sessions = new Map<string, Session>();

  function commandOf(
    { session = "", command = "" }: Readonly<Record<string, string>>,
  ): SessionCommand | undefined {
    return sessions.get(session)?.commands.get(command);
  }

  const routes: Endpoints["routes"] = {
    async "POST /process/execute"({ request }) {
      const { command, cwd, envs }: ExecuteRequest = await request.json();
      const log: Output[] = [];
      const shell = createShell({
        files,
        env: envs,
        write: (stream, text) => log.push({ stream, text }),
        ...cwd !== undefined && { cwd },
      });
      const { exitCode } = await runCommandLine(command, shell);
      return Response.json({ exitCode, result: textOf(log) });
    },

    async "POST /process/session"({ request }) {
      const { sessionId }: { sessionId: string } = await request.json();
      const input = new LineQueue();
      sessions.set(sessionId, {
        shell: createShell({ files, readLine: () => input.next(), write() {} }),
        input,
        commands: new Map(),
        idle: Promise.resolve(),
      });
      return new Response(null, { status: 201 });
    },

    "DELETE /process/session/{session}"({ params: { session = "" } }) {
      return sessions.delete(session)
        ? new Response(null, { status: 204 })
        : notFound("session not found");
    },

    async "POST /process/session/{session}/exec"({ request, params }) {
      const session = sessions.get(params.session ?? "");
      if (session === undefined) return notFound("session not found");
      const { command, runAsync }: SessionExecuteRequest = await request.json();
      const started = start(command, session);
      const { id: cmdId, log } = started.command;
      if (runAsync) return Response.json({ cmdId }, { status: 202 });
      const exitCode = await started.ended;
      return Response.json({ cmdId, exitCode, ...logsOf(log) });
    },

    "GET /process/session/{session}/command/{command}"({ params }) {
      const command = commandOf(params);
      if (command === undefined) return notFound("command not found");
      const { id, command: line, exitCode } = command;
      return Response.json({ id, command: line, exitCode });
    },

    "GET /process/session/{session}/command/{command}/logs"({ params }) {
      const command = commandOf(params);
      return command === undefined
        ? notFound("command not found")
        : Response.json(logsOf(command.log));
    },

    async "POST /process/session/{session}/command/{command}/input"(
      { request, params },
    ) {
      if (commandOf(params) === undefined) return notFound("command not found");
      const { data }: { data: string } = await request.json();
      const lines = data.replace(/\n$/, "").split("\n");
      lines.forEach((line) =>
        sessions.get(params.session ?? "")?.input.push(line)
      );
      return new Response(null, { status: 204 });
    },
  };

  const sockets: Endpoints["sockets"] = {
    /** With `follow=true`: the output so far, and the output until the end. */
    "/process/session/{session}/command/{command}/logs"(socket, { params }) {
      const command = commandOf(params);
      if (command === undefined) return socket.close(1008, "no such command");
      command.log.forEach((output) => socket.send(framed(output)));
      if (command.exitCode !== undefined) return socket.close(1000, "");
      command.followers.add(socket);
      socket.on("close", () => command.followers.delete(socket));
    },
  };
  return { routes, sockets };
}

interface ExecuteRequest {
  readonly command: string;
  readonly cwd?: string;
  readonly envs?: Readonly<Record<string, string>>;
}

interface SessionExecuteRequest {
  readonly command: string;
  readonly runAsync?: boolean;
}

function start(
  line: string,
  session: Session,
): { readonly command: SessionCommand; readonly ended: Promise<number> } {
  const command: SessionCommand = {
    id: crypto.randomUUID(),
    command: line,
    exitCode: undefined,
    log: [],
    followers: new Set(),
  };
  session.commands.set(command.id, command);

  function write(stream: OutputStream, text: string): void {
    const output = { stream, text };
    command.log.push(output);
    command.followers.forEach((follower) => follower.send(framed(output)));
  }
  async function run(): Promise<number> {
    const { exitCode } = await runCommandLine(
      line,
      Object.assign(session.shell, { write }),
    );
    command.exitCode = exitCode;
    command.followers.forEach((follower) => follower.close(1000, ""));
    return exitCode;
  }
  const ended = session.idle.then(run);
  session.idle = ended;
  return { command, ended };
}

/** Each piece of a log stream is prefixed by three bytes that identify its output stream. */
const MARKS = { stdout: 1, stderr: 2 } as const;

function framed({ stream, text }: Output): Uint8Array {
  const mark = MARKS[stream];
  return new Uint8Array([mark, mark, mark, ...new TextEncoder().encode(text)]);
}

function textOf(log: readonly Output[], stream?: OutputStream): string {
  return log.filter((output) =>
    stream === undefined || output.stream === stream
  )
    .map(({ text }) => text).join("");
}

function logsOf(
  log: readonly Output[],
): Record<"output" | OutputStream, string> {
  return {
    output: textOf(log),
    stdout: textOf(log, "stdout"),
    stderr: textOf(log, "stderr"),
  };
}
