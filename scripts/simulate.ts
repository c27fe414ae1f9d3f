import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runAgent } from "./agent.ts";
import { BEHAVIOURS } from "./behaviour.ts";
import { createUser, listInstances } from "./client.ts";
import { readAdminToken } from "./server.ts";

/** `npm run simulate`: acts as many agents of mixed behaviour against a running server, until interrupted. */

const HELP = `Usage: npm run simulate -- [--url URL] [--instances N] [--speed S] [--token USER_TOKEN]

  --url        the server; http://127.0.0.1:8787 if left out
  --instances  how many agents to act as; 20 if left out
  --speed      how much faster than life they live: the server's SIMULATION_SPEED; 1 if left out
  --token      the user to act for; if left out, a new user of the local server (by .dev.vars)
`;

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:8787" },
    instances: { type: "string", default: "20" },
    speed: { type: "string", default: "1" },
    token: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const instances = Number(values.instances);
const speed = Number(values.speed);
if (values.help || !Number.isInteger(instances) || instances < 1 || !(speed > 0)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 1);
}

/** Most of a fleet works; every other behaviour has its share. */
const MIX = [
  BEHAVIOURS.busy,
  BEHAVIOURS.idle,
  BEHAVIOURS.busy,
  BEHAVIOURS.dying,
  BEHAVIOURS.busy,
  BEHAVIOURS.flapping,
  BEHAVIOURS.busy,
  BEHAVIOURS.batch,
  BEHAVIOURS.bursty,
  BEHAVIOURS.recovering,
];

const url = values.url.replace(/\/+$/, "");
const userToken = values.token ?? (await newLocalUser());
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const run = Date.now().toString(36);
let refused = 0;
const agents = Array.from({ length: instances }, async (_, index) => {
  const behaviour = MIX[index % MIX.length] ?? BEHAVIOURS.busy;
  // Spread over a minute of theirs, as agents that were started at different times are.
  await sleep((index / instances) * (60_000 / speed));
  return runAgent({
    url,
    userToken,
    instanceId: `sim-${run}-${index + 1}`,
    name: `${behaviour.name} ${index + 1}`,
    behaviour,
    speed,
    signal: stop.signal,
    onError: (error) => {
      refused += 1;
      if (refused <= 3) console.error(String(error));
    },
  });
});
const report = setInterval(() => void printStatuses(), 10_000);
await Promise.all(agents).finally(() => clearInterval(report));

async function newLocalUser(): Promise<string> {
  const adminToken = await readAdminToken(join(import.meta.dirname, "..", ".dev.vars"));
  const { token } = await createUser(url, adminToken, "Simulation");
  console.log(`Watch it at ${url}, with this user token: ${token}`);
  return token;
}

async function printStatuses(): Promise<void> {
  const counts = new Map<string, number>();
  for (const { status } of await listInstances(url, userToken)) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const summary = [...counts].map(([status, count]) => `${status} ${count}`).join(", ");
  console.log(`${new Date().toISOString().slice(11, 19)}  ${summary}; heartbeats refused: ${refused}`);
}
