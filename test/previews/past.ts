import { env } from "cloudflare:workers";
import { appendChunk } from "../../src/history/append.ts";
import { type Heartbeat, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import { call, DAY, Instance, type newUser, type Reply, setClock } from "../world.ts";

/** Readings of the past, put straight into the history, and previews of it. */

export const PATH = "/api/agent/policy/preview";

const MINUTE = 60_000;
const DAYS = 24 * 60 * MINUTE;

export interface WrittenPast {
  readonly from: number;
  readonly to: number;
  /** Of the GPU, in percent, at so many minutes after `from`. */
  readonly gpuAt: (minute: number) => number;
}

const CHUNK = 30;

/** A reading a minute. */
export async function writePast(userId: string, instanceId: string, past: WrittenPast): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  const minutes = Math.floor((past.to - past.from) / MINUTE);
  for (let start = 0; start < minutes; start += CHUNK) {
    const many = Math.min(CHUNK, minutes - start);
    const [first, ...others] = Array.from({ length: many }, (_, index) => readingAt(past, start + index));
    if (first !== undefined) statements.push(appendChunk(env.DB, userId, instanceId, [first, ...others]));
  }
  await env.DB.batch(statements);
}

export function readingAt({ from, gpuAt }: Omit<WrittenPast, "to">, minute: number): Heartbeat {
  return heartbeatFrom({ gpu_utilization: gpuAt(minute), status: "running" }, from + minute * MINUTE, minute);
}

export type User = Awaited<ReturnType<typeof newUser>>;

/** Registered three days ago. From then on it works for an hour and is quiet for the next, again and again. */
export async function anInstance(
  user: User,
  id: string,
  more: Record<string, unknown> = {},
): Promise<Instance> {
  setClock(DAY - 3 * DAYS);
  const one = await Instance.register(user, id, {
    hourly_cost: 1,
    hibernated_hourly_cost: 0,
    ...more,
  });
  await one.heartbeat({ gpu_utilization: 90 });
  await one.settled();
  setClock(DAY);
  const gpuAt = (minute: number) => (minute % 120 < 60 ? 90 : 0);
  await writePast(user.userId, id, { from: DAY - 3 * DAYS + MINUTE, to: DAY, gpuAt });
  return one;
}

export function ask(user: User, json: Record<string, unknown>): Promise<Reply> {
  return call("POST", PATH, { token: user.token, json });
}
