import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runAgent } from "./agent.ts";
import { BEHAVIOURS, type Behaviour } from "./behaviour.ts";
import { createUser, type LifecycleEvent, type LiveInstance, listEvents, listInstances } from "./client.ts";
import { prepare, readAdminToken, start, stop, untilReady } from "./server.ts";

/**
 * `npm run demo`: a fresh local server on which an hour passes in a minute, a fleet of eight, and a live table. Ends
 * by itself after three minutes, with 0 only if everything that it promises to show was seen; `--keep` keeps it.
 */

const SPEED = 60;
const DURATION_MS = 180_000;
const keep = process.argv.includes("--keep");
const stateDirectory = join(import.meta.dirname, "..", ".wrangler", "demo");
const secretsFile = join(stateDirectory, "secrets");

const FLEET: readonly (readonly [string, string, Behaviour])[] = [
  ["rig-1", "ML training", BEHAVIOURS.busy],
  ["rig-2", "Inference", BEHAVIOURS.busy],
  ["rig-3", "Forgotten notebook", BEHAVIOURS.idle],
  ["rig-4", "Bursty worker", BEHAVIOURS.bursty],
  ["rig-5", "Crashed", BEHAVIOURS.dying],
  ["rig-6", "Bad network", BEHAVIOURS.flapping],
  ["rig-7", "Batch job", BEHAVIOURS.batch],
  ["rig-8", "Cut off for a while", BEHAVIOURS.recovering],
];

/** What the demo promises to show: the event that tells it, and the words for it. */
const PROMISES = [
  ["idle", "warned of idleness, with a countdown"],
  ["hibernated", "hibernated for idleness, as told"],
  ["busy", "saved by work that came back"],
  ["orphaned", "orphaned after 5 min of silence"],
  ["silent", "second alert after 30 min"],
  ["abandoned", "critical alert after 2 h"],
  ["recovered", "recovered"],
  ["kept_alive", "kept alive by hand"],
] as const;

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
const end = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end.abort());
if (!keep) setTimeout(() => end.abort(), DURATION_MS).unref();

try {
  await untilReady(server);
  const user = await createUser(server.url, await readAdminToken(secretsFile), "Demo");
  const agents = FLEET.map(([instanceId, name, behaviour]) =>
    runAgent({
      url: server.url,
      userToken: user.token,
      instanceId,
      name,
      behaviour,
      speed: SPEED,
      signal: end.signal,
      onError: (error) => console.error(String(error)),
    }),
  );
  const seen = await watch(user.token);
  await Promise.all(agents);
  process.exitCode = printOutcome(seen) ? 0 : 1;
} finally {
  await stop(server);
}

/** Shows the fleet every second until the end. Gives back the first event of each kind. */
async function watch(userToken: string): Promise<Map<string, LifecycleEvent>> {
  const seen = new Map<string, LifecycleEvent>();
  const startedAt = Date.now();
  let frame = 0;
  while (!end.signal.aborted) {
    const [instances, events] = await Promise.all([
      listInstances(server.url, userToken),
      listEvents(server.url, userToken),
    ]);
    for (const event of events.toReversed()) if (!seen.has(event.kind)) seen.set(event.kind, event);
    // Where nobody watches, a table now and then is enough.
    if (process.stdout.isTTY || frame % 15 === 0) {
      const clear = process.stdout.isTTY ? "\x1b[2J\x1b[H" : "\n";
      const elapsedMs = Date.now() - startedAt;
      console.log(
        clear + [...header(userToken, elapsedMs), "", ...table(instances), "", ...latest(events)].join("\n"),
      );
    }
    frame += 1;
    await sleep(1000, undefined, { signal: end.signal }).catch(() => undefined);
  }
  return seen;
}

function header(userToken: string, elapsedMs: number): string[] {
  const authorization = '-H "Authorization: Bearer $TOKEN"';
  const left = keep ? "until Ctrl-C" : `${Math.max(0, Math.round((DURATION_MS - elapsedMs) / 1000))} s left`;
  return [
    `Dumont Agent System on ${server.url} (${left})`,
    `${spoken(elapsedMs)} so far: a second stands for a minute, in the table too; messages count true seconds.`,
    "",
    "Try, from another terminal:",
    `  TOKEN=${userToken}`,
    `  curl ${server.url}/api/agent/instances ${authorization}`,
    `  curl ${server.url}/api/agent/instances/rig-5/events ${authorization}`,
    `  curl -X POST ${server.url}/api/agent/instances/rig-5/keep-alive ${authorization}`,
    `  curl ${server.url}/openapi.json`,
  ];
}

function table(instances: readonly LiveInstance[]): string[] {
  const rows = instances.map((instance) => [
    instance.instance_id,
    instance.name,
    instance.status,
    instance.health,
    instance.seconds_since_heartbeat === null ? "" : spoken(instance.seconds_since_heartbeat * 1000),
    instance.gpu_utilization === null ? "" : `${instance.gpu_utilization} %`,
    `$${instance.cost_today.toFixed(2)}`,
    nextStep(instance),
  ]);
  const head = ["instance", "name", "status", "health", "silent for", "GPU", "today", "next step"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
}

function nextStep({ lifecycle, keep_alive_until }: LiveInstance): string {
  if (keep_alive_until !== null) return "kept alive";
  if (lifecycle.next_step === null || lifecycle.in_seconds === null) return "";
  const when = `${lifecycle.next_step} in ${spoken(lifecycle.in_seconds * 1000)}`;
  return lifecycle.blocked_by === null ? when : `${when} (${lifecycle.blocked_by})`;
}

function latest(events: readonly LifecycleEvent[]): string[] {
  return events
    .slice(0, 8)
    .map(
      ({ instance_id, severity, kind, message }) =>
        `  ${instance_id}  ${severity.padEnd(8)}  ${kind}: ${message}`,
    );
}

function printOutcome(seen: ReadonlyMap<string, LifecycleEvent>): boolean {
  console.log("\nSeen:");
  for (const [kind, words] of PROMISES) {
    const event = seen.get(kind);
    console.log(event ? `  yes  ${words}: ${event.instance_id}, "${event.message}"` : `  NO   ${words}`);
  }
  return PROMISES.every(([kind]) => seen.has(kind));
}

/** A duration of the server's clock, as life would have it. */
function spoken(durationMs: number): string {
  const seconds = Math.max(0, Math.round((durationMs * SPEED) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}

/** `preferred` if nobody listens there, else any free port. */
async function freePort(preferred: number): Promise<number> {
  return new Promise((found) => {
    const probe = createServer();
    probe.once("error", () => found(freePort(0)));
    probe.listen(preferred, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => found(address !== null && typeof address === "object" ? address.port : preferred));
    });
  });
}
