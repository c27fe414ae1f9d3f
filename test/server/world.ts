import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUser, request, type User } from "../../scripts/client.ts";
import type { ControlPlane } from "../../scripts/control-plane.ts";
import * as current from "../../scripts/server.ts";
import {
  freePort,
  makeSecrets,
  readAdminToken,
  type Server,
  stop,
  untilReady,
} from "../../scripts/server.ts";
import { makeState } from "./migrated.ts";

/** How a version of the service is started: by its own `scripts/server.ts`. */
export type Version = Pick<typeof current, "prepare" | "start">;

/** A real server process with a state of its own, which outlives its restarts. */
export class ServerWorld {
  readonly #directory: string;
  readonly #port: number;
  readonly #vars: Readonly<Record<string, string>>;
  #server: Server | null = null;

  private constructor(directory: string, port: number, vars: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#port = port;
    this.#vars = vars;
  }

  /** `keysOf`: the world whose secrets it shares. */
  static async create(
    vars: Readonly<Record<string, string>> = {},
    version: Version = current,
    keysOf: ServerWorld | null = null,
  ): Promise<ServerWorld> {
    const directory = await mkdtemp(join(tmpdir(), "dumont-"));
    const world = new ServerWorld(directory, await freePort(), vars);
    if (keysOf !== null) await copyFile(keysOf.#paths.secretsFile, world.#paths.secretsFile);
    if (version === current) {
      await makeState(world.#paths.stateDirectory);
      await makeSecrets(world.#paths.secretsFile);
      await world.start();
    } else {
      await world.deploy(version);
    }
    return world;
  }

  /** Migrates the database, and starts this version. */
  async deploy(version: Version): Promise<void> {
    await version.prepare(this.#paths);
    await this.start(version);
  }

  get #paths() {
    return { stateDirectory: join(this.#directory, "state"), secretsFile: join(this.#directory, "secrets") };
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get stateDirectory(): string {
    return this.#paths.stateDirectory;
  }

  async start(version: Version = current): Promise<void> {
    this.#server = version.start({
      ...this.#paths,
      port: this.#port,
      vars: this.#vars,
      output: "ignore",
    });
    await untilReady(this.#server, 240_000);
  }

  /** Ends the server and the runtime below it at once, as a power cut does. */
  async kill(): Promise<void> {
    if (this.#server !== null) await stop(this.#server, "SIGKILL");
    this.#server = null;
  }

  async end(): Promise<void> {
    if (this.#server !== null) await stop(this.#server);
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  adminToken(): Promise<string> {
    return readAdminToken(this.#paths.secretsFile);
  }

  /** A user whose provider `webhook` is this control plane. */
  async newOwner(plane: ControlPlane): Promise<User> {
    const user = await this.newUser("Ada");
    const { url, secret } = plane;
    await request(`${this.url}/api/agent/providers/webhook`, "PUT", user.token, { url, secret });
    return user;
  }

  async newUser(name: string): Promise<User> {
    return createUser(this.url, await this.adminToken(), name);
  }
}
