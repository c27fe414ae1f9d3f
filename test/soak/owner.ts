import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane } from "../../scripts/control-plane.ts";
import type { SoakAgent } from "./agent.ts";
import type { Answers } from "./answers.ts";
import type { SoakFleet } from "./fleet.ts";
import type { Seeded } from "./seeded.ts";

/** What people do meanwhile: owners wake what was stopped, and look at their fleets; the operator's daily job runs. */

const SECOND_MS = 1_000;
const READ_EVERY_MS = 2 * SECOND_MS;
const LOOK_EVERY_MS = SECOND_MS;
const ASK_AGAIN_MS = 15 * SECOND_MS;
const CLEAN_EVERY_MS = 40 * SECOND_MS;

export interface OwnerOptions {
  readonly fleet: SoakFleet;
  readonly plane: ControlPlane;
  readonly answers: Answers;
  readonly adminToken: string;
  readonly chance: Seeded;
}

export async function actAsOwners(options: OwnerOptions, signal: AbortSignal): Promise<void> {
  const { fleet, answers, adminToken, chance } = options;
  const reads = [
    "/instances?limit=50",
    "/events?limit=50",
    "/savings",
    "/costs?by=instance",
    "/channels",
  ] as const;
  const repeat = async (everyMs: number, act: () => Promise<unknown>) => {
    while (!signal.aborted) {
      await act();
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const wakeAt = new Map<SoakAgent, number>();
  await Promise.all([
    repeat(READ_EVERY_MS, async () => {
      const user = fleet.users[Math.floor(chance.next() * fleet.users.length)];
      if (user !== undefined) await answers.ask("GET", `/api/agent${chance.pick(reads)}`, user.token);
    }),
    repeat(CLEAN_EVERY_MS, () => answers.ask("POST", "/api/admin/cleanup", adminToken)),
    repeat(LOOK_EVERY_MS, () => wakeStopped(options, wakeAt)),
  ]);
}

async function wakeStopped(
  { fleet, plane, answers, chance }: OwnerOptions,
  wakeAt: Map<SoakAgent, number>,
): Promise<void> {
  const now = Date.now();
  const due: SoakAgent[] = [];
  for (const agent of fleet.agents) {
    if (plane.machines.get(agent.id) !== "stopped" || agent.isForgotten) {
      wakeAt.delete(agent);
      continue;
    }
    const at = wakeAt.get(agent) ?? now + chance.between(5, 60) * SECOND_MS;
    wakeAt.set(agent, at > now ? at : now + ASK_AGAIN_MS);
    if (at <= now) due.push(agent);
  }
  await Promise.all(
    due.map((agent) => {
      agent.wokenAt.push(now);
      return answers.ask("POST", `/api/agent/instances/${agent.id}/wake`, agent.userToken);
    }),
  );
}
