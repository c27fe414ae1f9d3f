import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentOptions, runAgent } from "./agent.ts";
import { BEHAVIOURS, dyingAt } from "./behaviour.ts";
import {
  createUser,
  type LifecycleEvent,
  type LiveInstance,
  listEvents,
  listInstances,
  request,
} from "./client.ts";
import { ControlPlane } from "./control-plane.ts";
import { freePort, prepare, readAdminToken, start, stop, untilReady } from "./server.ts";

/**
 * `npm run demo`: a fresh local server on which an hour passes in a minute, a fleet of eight, a control plane that can
 * stop and delete some of them, and a live table. Ends by itself after three minutes, with 0 only if everything that
 * it promises to show was seen; `--keep` keeps it.
 */

const SPEED = 60;
const DURATION_MS = 180_000;
const keep = process.argv.includes("--keep");
const stateDirectory = join(import.meta.dirname, "..", ".wrangler", "demo");
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
if (!keep) setTimeout(() => end.abort(), DURATION_MS).unref();

try {
  await untilReady(server);
  const adminToken = await readAdminToken(secretsFile);
  const user = await createUser(server.url, adminToken, "Demo");
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
  const seen = await watch(user.token, adminToken);
  await Promise.all(agents);
  process.exitCode = printOutcome(seen) ? 0 : 1;
} finally {
  await stop(server);
  await plane.stop();
}

/** Shows the fleet every second until the end. Gives back the first event that keeps each promise. */
async function watch(userToken: string, adminToken: string): Promise<Map<string, LifecycleEvent>> {
  const seen = new Map<string, LifecycleEvent>();
  const startedAt = Date.now();
  let frame = 0;
  while (!end.signal.aborted) {
    const [instances, events] = await Promise.all([
      listInstances(server.url, userToken),
      listEvents(server.url, userToken),
    ]);
    for (const [words, keeps] of PROMISES) {
      const event = events.findLast(keeps);
      if (event !== undefined && !seen.has(words)) seen.set(words, event);
    }
    if (frame > 0 && frame % CLEANUP_EVERY_FRAMES === 0) {
      await request(`${server.url}/api/admin/cleanup`, "POST", adminToken);
    }
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
    `Look: ${server.url} in a browser. Sign in with this token, which the commands below use too:`,
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
  for (const [words] of PROMISES) {
    const event = seen.get(words);
    console.log(event ? `  yes  ${words}: ${event.instance_id}, "${event.message}"` : `  NO   ${words}`);
  }
  return PROMISES.every(([words]) => seen.has(words));
}

/** A duration of the server's clock, as life would have it. */
function spoken(durationMs: number): string {
  const seconds = Math.max(0, Math.round((durationMs * SPEED) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}
