/** A fake of a sandbox's shell: it knows few commands, and starts no processes. */
import { resolve } from "node:path/posix";

/** The base of relative paths. */
export const HOME = "/home/daytona";

/** Contents by absolute path; a folder exists as long as it is not empty. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** An output stream of a command. */
export type OutputStream = "stdout" | "stderr";

/** A terminal's size, in characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** The environment of a command line. */
export interface Shell {
  cwd: string;
  readonly env: Map<string, string>;
  readonly files: Files;
  write(stream: OutputStream, text: string): void;
  /** Reads the next line of input, without its terminator. */
  readLine(): Promise<string>;
  /** Undefined if there is no terminal. */
  terminalSize(): TerminalSize | undefined;
}

/** The result of a command line. */
export interface Outcome {
  readonly exitCode: number;
  /** True if it ended with `exit`. */
  readonly exited: boolean;
}

/** Input lines, which readers can wait for. */
export class LineQueue {
  readonly #lines: string[] = [];
  readonly #readers: ((line: string) => void)[] = [];

  push(line: string): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#lines.push(line);
    else reader(line);
  }

  next(): Promise<string> {
    const line = this.#lines.shift();
    return line === undefined
      ? new Promise((resolve) => this.#readers.push(resolve))
      : Promise.resolve(line);
  }
}

/** The initial state of a shell. */
export type ShellOptions =
  & Pick<Shell, "files" | "write">
  & Partial<Pick<Shell, "cwd" | "readLine" | "terminalSize">>
  & { readonly env?: Readonly<Record<string, string>> | undefined };

/** Creates a shell, by default in the home folder and without input or terminal. */
export function createShell({ env = {}, ...given }: ShellOptions): Shell {
  return {
    cwd: HOME,
    readLine: () => Promise.resolve(""),
    terminalSize: () => undefined,
    ...given,
    env: new Map(Object.entries(env)),
  };
}

/** Runs commands separated by `;`; the exit code is that of the last one, or of `exit`. */
export async function runCommandLine(
  line: string,
  shell: Shell,
): Promise<Outcome> {
  let exitCode = 0;
  for (const words of parse(line)) {
    const [name, ...operands] = words.map((word) => expand(word, shell));
    if (name === undefined) continue;
    if (name === "exit") {
      return { exitCode: Number(operands[0] ?? 0), exited: true };
    }
    const command = COMMANDS.get(name);
    if (command === undefined) {
      shell.write("stderr", `sh: ${name}: not found\n`);
    }
    exitCode = await command?.(operands, shell) ?? 127;
  }
  return { exitCode, exited: false };
}

interface Word {
  readonly text: string;
  /** True if it was in single quotes. */
  readonly literal: boolean;
}

const TOKEN = /'([^']*)'|"([^"]*)"|;|[^\s;'"]+/g;

function parse(line: string): Word[][] {
  let words: Word[] = [];
  const commands = [words];
  for (const [plain, single, double] of line.matchAll(TOKEN)) {
    if (plain === ";") {
      words = [];
      commands.push(words);
    } else {
      words.push({
        text: single ?? double ?? plain,
        literal: single !== undefined,
      });
    }
  }
  return commands;
}

function expand({ text, literal }: Word, { env }: Shell): string {
  return literal
    ? text
    : text.replaceAll(/\$(\w+)/g, (_, name: string) => env.get(name) ?? "");
}

type Command = (
  operands: readonly string[],
  shell: Shell,
) => number | Promise<number>;

const COMMANDS = new Map<string, Command>(Object.entries({
  echo(words, { write }) {
    write("stdout", `${words.join(" ")}\n`);
    return 0;
  },

  pwd(_, { cwd, write }) {
    write("stdout", `${cwd}\n`);
    return 0;
  },

  cd([folder = HOME], shell) {
    shell.cwd = resolve(shell.cwd, folder);
    return 0;
  },

  cat(paths, { cwd, files, write }) {
    let exitCode = 0;
    for (const path of paths) {
      const bytes = files.get(resolve(cwd, path));
      if (bytes === undefined) {
        write("stderr", `cat: ${path}: No such file or directory\n`);
        exitCode = 1;
      } else {
        write("stdout", new TextDecoder().decode(bytes));
      }
    }
    return exitCode;
  },

  async read([name = "REPLY"], { env, readLine }) {
    env.set(name, await readLine());
    return 0;
  },

  /** `stty size`: rows and columns. */
  stty(_, { terminalSize, write }) {
    const size = terminalSize();
    if (size === undefined) {
      write(
        "stderr",
        "stty: 'standard input': Inappropriate ioctl for device\n",
      );
      return 1;
    }
    write("stdout", `${size.rows} ${size.cols}\n`);
    return 0;
  },
}));
