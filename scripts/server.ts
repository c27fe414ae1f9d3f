import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { requireRightVars } from "./vars.ts";

/** A local server, as `npm run dev`, the demo and the end-to-end tests start it. */

export interface ServerOptions {
  readonly port: number;
  /** Where databases and objects are kept. */
  readonly stateDirectory: string;
  /** File with the secrets; it is made on the first run. */
  readonly secretsFile: string;
  /** Vars in place of those of wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>;
  readonly output: "inherit" | "ignore" | "pipe";
}

export interface Server {
  readonly url: string;
  readonly process: ChildProcess;
}

const ROOT = resolve(import.meta.dirname, "..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const ENVIRONMENT = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" };

/** Makes secrets and database where they are missing. Safe to repeat. */
export async function prepare(options: Pick<ServerOptions, "stateDirectory" | "secretsFile">): Promise<void> {
  await mkdir(options.stateDirectory, { recursive: true });
  await makeSecrets(options.secretsFile);
  await promisify(execFile)(
    process.execPath,
    [WRANGLER, "d1", "migrations", "apply", "DB", "--local", "--persist-to", resolve(options.stateDirectory)],
    { cwd: ROOT, env: ENVIRONMENT },
  );
}

/** Makes the file of the secrets, unless it is there. */
export async function makeSecrets(file: string): Promise<void> {
  const secret = () => randomBytes(32).toString("base64url");
  const text = `TOKEN_KEY=${secret()}\nSEAL_KEY=${secret()}\nADMIN_TOKEN=${secret()}\n`;
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

export async function readAdminToken(secretsFile: string): Promise<string> {
  const token = /^ADMIN_TOKEN=(.+)$/m.exec(await readFile(secretsFile, "utf8"))?.[1];
  if (token === undefined) throw new Error(`no ADMIN_TOKEN in ${secretsFile}`);
  return token;
}

/** What a local server sets beside its own vars: it may simulate, and call this machine. */
const LOCAL_VARS = { DEPLOYED: "false" };

/** Starts `wrangler dev`; `prepare` must have run. Throws if a var is wrong. */
export function start(options: ServerOptions): Server {
  const vars = { ...LOCAL_VARS, ...options.vars };
  requireRightVars(vars);
  const child = spawn(
    process.execPath,
    [
      WRANGLER,
      "dev",
      "--ip",
      "127.0.0.1",
      "--port",
      String(options.port),
      // Any that is free: servers that start at once would all take the same one.
      "--inspector-port",
      "0",
      "--persist-to",
      resolve(options.stateDirectory),
      "--env-file",
      resolve(options.secretsFile),
      ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
      "--show-interactive-dev-session=false",
    ],
    {
      cwd: ROOT,
      env: ENVIRONMENT,
      stdio: ["ignore", options.output, options.output],
      // A group of its own, so that the runtime that wrangler starts ends with it.
      detached: true,
    },
  );
  return { url: `http://127.0.0.1:${options.port}`, process: child };
}

/** Resolves once the server answers. Throws when it ends or does not answer in time. */
export async function untilReady(server: Server, timeoutMs = 60_000): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (Date.now() < giveUpAt) {
    if (server.process.exitCode !== null) throw new Error("the server ended before it answered");
    const answers = await fetch(`${server.url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) return;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  throw new Error(`the server did not answer within ${timeoutMs} ms`);
}

/** Ends the server and all that it started, and waits for it. */
export async function stop(server: Server, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  const { pid, exitCode } = server.process;
  if (pid === undefined || exitCode !== null) return;
  const ended = new Promise((done) => server.process.once("exit", done));
  process.kill(-pid, signal);
  await ended;
}

/**
 * Below the ports that the system gives to whoever asks for any, so that nobody gets one before it is listened at; and above the last
 * one that fetch refuses (10080, https://fetch.spec.whatwg.org/#bad-port).
 */
const PORTS = { from: 10_081, to: 32_768 } as const;

/** A port of this machine where nobody listens: `preferred` if it is such a one. */
export async function freePort(preferred = randomInt(PORTS.from, PORTS.to)): Promise<number> {
  return new Promise((found) => {
    const probe = createServer();
    probe.once("error", () => found(freePort()));
    probe.listen(preferred, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => found(address !== null && typeof address === "object" ? address.port : preferred));
    });
  });
}
