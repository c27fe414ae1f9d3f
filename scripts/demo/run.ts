import { rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { z } from "zod";
import { type AgentOptions, runAgent } from "../agent.ts";
import { BEHAVIOURS, dyingAt } from "../behaviour.ts";
import {
  createSignInLink,
  createUser,
  type LifecycleEvent,
  listEvents,
  listInstances,
  request,
} from "../client.ts";
import { ControlPlane } from "../control-plane.ts";
import { freePort, prepare, readAdminToken, start, stop, untilReady } from "../server.ts";
import { asInLife } from "./as-in-life.ts";
import { screenOf } from "./screen.ts";

/**
 * `npm run demo`: a fresh local server on which an hour passes in a minute, a fleet of eight, a control plane that can
 * stop and delete some of them, and a live table. After three minutes it says what it has shown. In a terminal it then
 * goes on until it is interrupted; elsewhere it ends. It ends with 0 only if everything that it promises was seen.
 */

const SPEED = 60;
const DURATION_MS = 180_000;
const OUTCOME_SHOWN_MS = 20_000;
const LINK_MINUTES = 24 * 60;
const ROOT = join(import.meta.dirname, "..", "..");
const stateDirectory = join(ROOT, ".wrangler", "demo");
const tokenFile = join(stateDirectory, "token");
const isWatched = process.stdout.isTTY;
const secretsFile = join(stateDirectory, "secrets");

/** They die one after the other: many at once would be a mass outage, in which nothing is done. */
const FLEET: readonly Pick<AgentOptions, "instanceId" | "name" | "behaviour" | "provider" | "policy">[] = [
  { instanceId: "rig-1", name: "ML training", behaviour: BEHAVIOURS.busy },
  { instanceId: "rig-2", name: "Forgotten notebook", behaviour: BEHAVIOURS.idle },
  { instanceId: "rig-3", name: "Bursty worker", behaviour: BEHAVIOURS.bursty },
  { instanceId: "rig-4", name: "Crashed", behaviour: dyingAt(15), provider: "webhook" },
  { instanceId: "rig-5", name: "Stubborn", behaviour: BEHAVIOURS.dying, provider: "webhook" },
  {
    instanceId: "rig-6",
    name: "Abandoned",
    behaviour: dyingAt(30),
    provider: "webhook",
    // Not even a demo lasts seven days.
    policy: {
      orphan: {
        hibernate_after_seconds: 600,
        force_hibernate_after_seconds: 1200,
        delete_after_days: 0.03,
      },
    },
  },
  { instanceId: "rig-7", name: "Batch job", behaviour: BEHAVIOURS.batch },
  { instanceId: "rig-8", name: "Cut off for a while", behaviour: BEHAVIOURS.recovering },
];

/** What the demo promises to show: the words for it, and the event that tells it. */
const PROMISES: readonly (readonly [string, (event: LifecycleEvent) => boolean])[] = [
  ["warned of idleness, with a countdown", ({ kind }) => kind === "idle"],
  [
    "hibernated for idleness, as told",
    ({ kind, message }) => kind === "hibernated" && /low usage/.test(message),
  ],
  ["saved by work that came back", ({ kind }) => kind === "busy"],
  ["orphaned after 5 min of silence", ({ kind }) => kind === "orphaned"],
  ["second alert after 30 min", ({ kind }) => kind === "silent"],
  [
    "hibernated for silence, by its provider",
    ({ kind, instance_id }) => kind === "hibernated" && instance_id === "rig-4",
  ],
  ["critical alert: its provider refuses", ({ kind }) => kind === "hibernate_failed"],
  ["critical alert after 2 h", ({ kind, instance_id }) => kind === "abandoned" && instance_id === "rig-5"],
  ["force-hibernated", ({ kind, instance_id }) => kind === "hibernated" && instance_id === "rig-5"],
  [
    "deleted by the cleanup, after a snapshot",
    ({ kind, message }) => kind === "deleted" && /snap-rig-6/.test(message),
  ],
  ["recovered", ({ kind }) => kind === "recovered"],
  ["kept alive by hand", ({ kind }) => kind === "kept_alive"],
];

/** The daily cleanup, which no cron starts here, runs this often. */
const CLEANUP_EVERY_FRAMES = 20;

await rm(stateDirectory, { recursive: true, force: true });
console.log("Preparing a fresh database and starting the server ...");
await prepare({ stateDirectory, secretsFile });
const port = Number(process.env.PORT ?? (await freePort(8787)));
const server = start({
  port,
  stateDirectory,
  secretsFile,
  vars: { SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" },
  output: "ignore",
});
const plane = await ControlPlane.start();
// It stops this one by force alone.
plane.interventions.set("rig-5", ({ kind }) =>
  kind === "hibernate" ? { status: 400, body: { error: "the machine does not react" } } : undefined,
);
const end = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end.abort());
if (!isWatched) setTimeout(() => end.abort(), DURATION_MS).unref();

try {
  await untilReady(server);
  const adminToken = await readAdminToken(secretsFile);
  const user = await createUser(server.url, adminToken, "Demo");
  await writeFile(tokenFile, user.token, { mode: 0o600 });
  await request(`${server.url}/api/agent/providers/webhook`, "PUT", user.token, {
    url: plane.url,
    secret: plane.secret,
  });
  const agents = FLEET.map((instance) =>
    runAgent({
      ...instance,
      url: server.url,
      userToken: user.token,
      speed: SPEED,
      signal: end.signal,
      onError: (error) => console.error(String(error)),
    }),
  );
  const signInUrl = await createSignInLink(server.url, adminToken, user.id, LINK_MINUTES);
  const seen = await watch(user.token, adminToken, signInUrl);
  await Promise.all(agents);
  if (!isWatched) printOutcome(seen);
  process.exitCode = isAllSeen(seen) ? 0 : 1;
} finally {
  await stop(server);
  await plane.stop();
}

/** Shows the fleet every second until the end. Gives back the first event that keeps each promise. */
async function watch(
  userToken: string,
  adminToken: string,
  signInUrl: string,
): Promise<Map<string, LifecycleEvent>> {
  const seen = new Map<string, LifecycleEvent>();
  const startedAt = Date.now();
  let isTold = false;
  for (let frame = 0; !end.signal.aborted; frame++) {
    const [instances, events, savedDollars] = await Promise.all([
      listInstances(server.url, userToken),
      listEvents(server.url, userToken),
      savedBy(userToken),
    ]);
    for (const [words, keeps] of PROMISES) {
      const event = events.findLast(keeps);
      if (event !== undefined && !seen.has(words)) seen.set(words, event);
    }
    if (frame > 0 && frame % CLEANUP_EVERY_FRAMES === 0) {
      await request(`${server.url}/api/admin/cleanup`, "POST", adminToken);
    }
    const elapsedMs = Date.now() - startedAt;
    if (isWatched && !isTold && elapsedMs >= DURATION_MS) {
      isTold = true;
      printOutcome(seen);
      console.log("\nIt goes on until Ctrl-C. The fleet is shown again in twenty seconds.");
      await pause(OUTCOME_SHOWN_MS);
      continue;
    }
    // Where nobody watches, a table now and then is enough.
    if (isWatched || frame % 15 === 0) {
      const lines = screenOf(
        {
          url: server.url,
          signInUrl,
          tokenFile: relative(ROOT, tokenFile),
          speed: SPEED,
          elapsedSeconds: elapsedMs / 1000,
          secondsLeft: isTold ? null : (DURATION_MS - elapsedMs) / 1000,
          instances,
          events,
          savedDollars,
        },
        (style, text) => styleText(style, text),
      );
      console.log((isWatched ? "\x1b[2J\x1b[H" : "\n") + lines.join("\n"));
    }
    await pause(1000);
  }
  return seen;
}

async function pause(durationMs: number): Promise<void> {
  await sleep(durationMs, undefined, { signal: end.signal }).catch(() => undefined);
}

/** Dollars that hibernation has saved, by the service's own clock. */
async function savedBy(userToken: string): Promise<number> {
  const answer = await request(`${server.url}/api/agent/savings?limit=1`, "GET", userToken);
  return z.object({ in_all: z.object({ saved_total: z.number() }) }).parse(answer).in_all.saved_total;
}

function isAllSeen(seen: ReadonlyMap<string, LifecycleEvent>): boolean {
  return PROMISES.every(([words]) => seen.has(words));
}

function printOutcome(seen: ReadonlyMap<string, LifecycleEvent>): void {
  console.log(`\n${styleText("bold", "Seen, each by its event:")}`);
  for (const [words] of PROMISES) {
    const event = seen.get(words);
    console.log(
      event === undefined
        ? styleText("red", `  NO   ${words}`)
        : `  ${styleText("green", "yes")}  ${words}\n       ${styleText("dim", `${event.instance_id}: ${asInLife(event.message, SPEED)}`)}`,
    );
  }
}
