import { z } from "zod";
import { issueUserToken, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { type Line, lineSchema } from "../../src/backup/lines.ts";
import { toSample } from "../../src/history/sample.ts";
import { heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import type { DayCosts } from "../../src/lifecycle/model/ledger.ts";
import { MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import type { ServerWorld } from "../server/world.ts";

/** Instances that have been heard for a week: they are exported, put back by so much, and taken in again as another user's. */

export interface Past {
  readonly instance_id: string;
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Left out: nobody knows. */
  readonly hourly_cost?: number;
  readonly hibernated_hourly_cost?: number;
  /** Left out: its agent's own. */
  readonly provider?: string;
  readonly policy?: unknown;
  /** What its GPU did in a minute of the week. */
  readonly gpuPercent: (minute: number) => number;
  /** What it cost on the days before today, oldest first, which it still keeps itself. Left out: nothing. */
  readonly lastDays?: readonly DayCosts[];
  /** As a former release kept it: without what else was in use. */
  readonly isOfFormerRelease?: boolean;
}

export const WEEK_MINUTES = 7 * 24 * 60;

const HEARTBEATS_PER_CHUNK = 30;
const LINES_PER_CALL = 150;

/** The user with this id, of whom nobody may know yet. `more`: what else is taken in. */
export async function userWithPast(
  world: ServerWorld,
  id: string,
  pasts: readonly Past[],
  more: readonly Line[] = [],
): Promise<User> {
  const origin = await world.newUser("Ada");
  for (const { gpuPercent, isOfFormerRelease: _, lastDays: __, ...registration } of pasts) {
    const answer = await request(`${world.url}/api/agent/instances`, "POST", origin.token, registration);
    const { token } = z.object({ token: z.string() }).parse(answer);
    await sendHeartbeat(world.url, token, {
      instance_id: registration.instance_id,
      gpu_utilization: gpuPercent(WEEK_MINUTES),
    });
  }
  const admin = await world.adminToken();
  const now = Date.now();
  const exported = await exportOf(world, admin, origin);
  const lines = [
    ...exported.map((line) => putBack(line, now - WEEK_MINUTES * MINUTE_MS, pasts)),
    ...pasts.flatMap((past) => weekOf(past, now)),
    ...more,
  ];
  for (let taken = 0; taken < lines.length; taken += LINES_PER_CALL) {
    await request(`${world.url}/api/admin/users/${id}/import`, "POST", admin, {
      from_user_id: origin.id,
      exported_at: now,
      lines: lines.slice(taken, taken + LINES_PER_CALL),
    });
  }
  return { id, token: await issueUserToken(world.url, admin, id) };
}

async function exportOf(world: ServerWorld, admin: string, { id }: User): Promise<Line[]> {
  const pageSchema = z.object({ lines: z.array(lineSchema), next_cursor: z.string().nullable() });
  const lines: Line[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `?cursor=${cursor}`;
    const answer = await request(`${world.url}/api/admin/users/${id}/export${query}`, "GET", admin);
    const page = pageSchema.parse(answer);
    lines.push(...page.lines);
    cursor = page.next_cursor;
  }
  return lines;
}

const stateSchema = z.looseObject({
  profile: z.looseObject({ registeredAt: z.number() }),
  ledger: z.looseObject({ days: z.array(z.unknown()) }),
});

/** As if its instances had been registered then. */
function putBack(line: Line, registeredAt: number, pasts: readonly Past[]): Line {
  switch (line.type) {
    case "instance": {
      const state = stateSchema.parse(line.state?.state);
      const profile = { ...state.profile, registeredAt };
      const lastDays = pasts.find(({ instance_id }) => instance_id === line.instance_id)?.lastDays ?? [];
      const ledger = { ...state.ledger, days: [...lastDays, ...state.ledger.days] };
      return { ...line, state: { ...line.state, state: { ...state, profile, ledger } } };
    }
    case "event":
      return line.kind === "registered" ? { ...line, at: registeredAt } : line;
    default:
      return line;
  }
}

/** A heartbeat each minute, up to the last one before now. */
function weekOf({ instance_id, gpuPercent, isOfFormerRelease = false }: Past, now: number): Line[] {
  const lines: Line[] = [];
  for (let first = 0; first < WEEK_MINUTES; first += HEARTBEATS_PER_CHUNK) {
    const heartbeats = Array.from({ length: HEARTBEATS_PER_CHUNK }, (_, index) => {
      const minute = first + index;
      return {
        ...heartbeatFrom(
          { gpu_utilization: gpuPercent(minute) },
          now - (WEEK_MINUTES - minute) * MINUTE_MS,
          minute + 1,
        ),
        use: isOfFormerRelease
          ? undefined
          : { gpuMaxPercent: gpuPercent(minute), sources: [], unread: [], preparation: null },
      };
    });
    lines.push({
      type: "heartbeats",
      instance_id,
      first_at: heartbeats[0]?.at ?? now,
      first_sequence: first + 1,
      last_at: heartbeats.at(-1)?.at ?? now,
      samples: JSON.stringify(heartbeats.map(toSample)),
    });
  }
  return lines;
}
