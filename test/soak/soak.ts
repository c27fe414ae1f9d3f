import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listInstances } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { freePort } from "../../scripts/server.ts";
import { Answers } from "./answers.ts";
import { judgeMemory, MEMORY_BOUND, type MemorySample } from "./checks/memory.ts";
import { SoakFleet, SPEED } from "./fleet.ts";
import { actAsOwners } from "./owner.ts";
import { drawPlan } from "./plan.ts";
import { Receiver } from "./receiver.ts";
import { prepareReleases } from "./release.ts";
import { Seeded } from "./seeded.ts";
import { SoakServer } from "./server.ts";
import { readHistory, readLeftovers } from "./storage.ts";
import { Troubles } from "./troubles.ts";
import {
  type Finding,
  findAlerts,
  findAnswers,
  findBreaches,
  findHeartbeats,
  findLeftovers,
  findOrders,
} from "./verdict.ts";

/** One soak, from the building of the releases to what was found. */

export interface SoakOptions {
  readonly minutes: number;
  readonly instances: number;
  readonly users: number;
  readonly seed: number;
  readonly keep: boolean;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** At the end nothing goes wrong any more, and everything comes to its end. */
const CALM_MS = 3 * MINUTE_MS;
/** First the agents go on for a while. */
const CALM_BEATS_MS = 30 * SECOND_MS;
/** What has failed for long, a message or the word of it to its fleet, is tried again after minutes. */
const REST_LIMIT_MS = 8 * MINUTE_MS;
/** All is told when nothing has come for so long: longer than a digest waits. */
const QUIET_MS = 110 * SECOND_MS;

const MEGABYTE = 2 ** 20;

export async function soak(options: SoakOptions): Promise<Finding[]> {
  const directory = await mkdtemp(join(tmpdir(), "dumont-soak-"));
  const stateDirectory = join(directory, "state");
  await mkdir(stateDirectory);
  const log = logger();
  const plane = await ControlPlane.start();
  const receiver = new Receiver();
  const receiverUrl = await receiver.start();
  const adminToken = randomBytes(32).toString("base64url");
  const server = new SoakServer(
    {
      stateDirectory,
      port: await freePort(),
      vars: {
        DEPLOYED: "false",
        SIMULATION_SPEED: String(SPEED),
        ALLOW_LOOPBACK_URLS: "true",
        TOKEN_KEY: randomBytes(32).toString("base64url"),
        SEAL_KEY: randomBytes(32).toString("base64url"),
        ADMIN_TOKEN: adminToken,
      },
    },
    join(directory, "server.log"),
  );
  const answers = new Answers(server.url);
  const fleet = new SoakFleet({
    url: server.url,
    adminToken,
    plane,
    receiver: { url: receiverUrl, secret: receiver.secret },
    answers,
    seed: options.seed,
  });
  const stop = new AbortController();
  try {
    log("builds two releases");
    const releases = await prepareReleases(directory);
    await server.start(releases.former);
    log(`registers ${options.instances} instances of ${options.users} users`);
    await fleet.create(options.users, options.instances);

    const chance = new Seeded(options.seed);
    const troubledMs = options.minutes * MINUTE_MS - CALM_MS;
    const plan = drawPlan(troubledMs, chance);
    const startedAt = Date.now();
    const samples: MemorySample[] = [];
    fleet.live(stop.signal);
    const owners = actAsOwners({ fleet, plane, answers, adminToken, chance }, stop.signal);
    const watching = watch(
      server,
      samples,
      startedAt,
      () => progress(fleet, answers, receiver, log),
      stop.signal,
    );
    const troubles = new Troubles({ server, releases, plane, receiver, answers, chance, log });
    await Promise.race([troubles.happen(plan, startedAt, stop.signal), owners]);
    await sleep(Math.max(0, startedAt + troubledMs + CALM_BEATS_MS - Date.now()));
    log("all agents fall silent");
    stop.abort();
    await Promise.all([owners, watching, fleet.atRest()]);
    await rest(server, fleet, receiver, stateDirectory);
    await server.stop();

    log("reads what is stored");
    const history = await readHistory(stateDirectory);
    return [
      ...findHeartbeats(fleet, history),
      findAlerts(fleet, history, receiver),
      findOrders(fleet, history, plane),
      ...findAnswers(answers),
      findMemory(samples, troubledMs),
      findBreaches(history),
      findLeftovers(history, await readLeftovers(stateDirectory)),
    ];
  } finally {
    stop.abort();
    await server.kill();
    await Promise.all([plane.stop(), receiver.stop()]);
    if (options.keep) log(`kept in ${directory}`);
    else await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function logger(): (what: string) => void {
  const startedAt = Date.now();
  return (what) => console.log(`${((Date.now() - startedAt) / MINUTE_MS).toFixed(1).padStart(6)}  ${what}`);
}

async function watch(
  server: SoakServer,
  samples: MemorySample[],
  startedAt: number,
  tell: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const memory = await server.memory();
    if (memory !== null) samples.push({ ...memory, atMs: Date.now() - startedAt });
    if (turn % 12 === 0) tell();
    await sleep(5 * SECOND_MS, undefined, { signal }).catch(() => undefined);
  }
}

function progress(fleet: SoakFleet, answers: Answers, receiver: Receiver, log: (what: string) => void): void {
  const beats = fleet.agents.reduce((sum, agent) => sum + agent.acknowledged.length, 0);
  const statuses = [...answers.byStatus].map(([status, count]) => `${status}: ${count}`).join(", ");
  log(`${beats} heartbeats, ${receiver.messages.length} messages; answers ${statuses}`);
}

/** Waits until nothing more is told, no order is under way, and nothing waits to be tried again. */
async function rest(
  server: SoakServer,
  fleet: SoakFleet,
  receiver: Receiver,
  stateDirectory: string,
): Promise<void> {
  const from = Date.now();
  receiver.lastCallAt = Math.max(receiver.lastCallAt, from);
  while (Date.now() < from + REST_LIMIT_MS) {
    await sleep(5 * SECOND_MS);
    if (Date.now() < receiver.lastCallAt + QUIET_MS) continue;
    const lists = await Promise.all(fleet.users.map(({ token }) => listInstances(server.url, token)));
    const isUnderWay = lists
      .flat()
      .some(({ status }) => /ing$/.test(status) && status !== "running" && status !== "pending");
    if (!isUnderWay && (await readLeftovers(stateDirectory)).length === 0) return;
  }
}

function findMemory(samples: readonly MemorySample[], durationMs: number): Finding {
  const promise = `memory beyond ${MEMORY_BOUND} of the first third`;
  const verdict = judgeMemory(samples, durationMs);
  if (verdict === null)
    return { promise, of: `${samples.length} samples`, broken: ["there are too few samples"] };
  const megabytes = (bytes: number) => `${Math.round(bytes / MEGABYTE)} MB`;
  const of = `${megabytes(verdict.firstBytes)} in the first third, ${megabytes(verdict.lastBytes)} in the last`;
  return { promise, of, broken: verdict.isLevel ? [] : [of] };
}
