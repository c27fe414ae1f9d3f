import { z } from "zod";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { logWarning } from "../../platform/log.ts";
import { sleep } from "../../platform/sleep.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import type { Reading } from "../report.ts";

/**
 * What a client sees of a fleet. A steady heartbeat is not reported to the fleet; an instance that somebody sees tells of it for a
 * while, and is asked once how it is at the beginning.
 */

/** A client that goes on looking says so again before that. */
const SEEN_FOR_MS = 2.5 * MINUTE_MS;

/** One client has instances asked this often at most. Of what it says meanwhile the last counts. */
const LOOKS_APART_MS = SECOND_MS;

/** As many as a window has. */
const MOST_IDS = 100;
const LONGEST_ID = 200;

/** Who has not answered by then is told of at its next heartbeat. */
const ANSWER_LIMIT_MS = 5 * SECOND_MS;

const saidSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("confirmed") }),
  z.object({ type: z.literal("sight"), instance_ids: z.array(z.string().max(LONGEST_ID)).max(MOST_IDS) }),
]);

/** What a client has sent; null for what it may not send. */
export function saidBy(text: string | ArrayBuffer): z.infer<typeof saidSchema> | null {
  if (typeof text !== "string") return null;
  try {
    return saidSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Until when a client is told how instances are. */
export function seenUntil(instanceIds: readonly string[], now: number): number {
  return instanceIds.length === 0 ? 0 : now + SEEN_FOR_MS;
}

/** How these are, of those that the fleet has. From now on they tell of their heartbeats. */
export async function askReadings(
  env: Env,
  userId: string,
  fleet: Fleet,
  instanceIds: readonly string[],
): Promise<Reading[]> {
  const known = fleet.registry.idsAfter("", MOST_IDS, { ids: instanceIds });
  const answers = await Promise.all(
    known.map((id) =>
      within(ANSWER_LIMIT_MS, askReading(env, userId, id)).catch((error) => {
        logWarning("an instance did not say how it is", { user_id: userId, instance_id: id }, error);
        return null;
      }),
    ),
  );
  return answers.filter((answer) => answer !== null);
}

async function askReading(env: Env, userId: string, instanceId: string): Promise<Reading | null> {
  const actor = actorOf(env, userId, instanceId);
  const reading = await answerOr(actor.look(), undefined);
  if (reading !== undefined) return reading;
  const view = await actor.live();
  return view === null || "outcome" in view ? null : { view, asOf: Date.now() };
}

/** The looks of all clients, each no more often than it may. */
export class Sights {
  readonly #wanted = new Map<WebSocket, readonly string[]>();
  readonly #looking = new Set<WebSocket>();

  look(
    socket: WebSocket,
    instanceIds: readonly string[],
    tell: (ids: readonly string[]) => Promise<void>,
  ): void {
    this.#wanted.set(socket, instanceIds);
    if (this.#looking.has(socket)) return;
    this.#looking.add(socket);
    void this.#go(socket, tell);
  }

  async #go(socket: WebSocket, tell: (ids: readonly string[]) => Promise<void>): Promise<void> {
    for (;;) {
      const ids = this.#wanted.get(socket);
      this.#wanted.delete(socket);
      if (ids === undefined) break;
      if (ids.length > 0) {
        await tell(ids).catch((error) => logWarning("a look came to nothing", {}, error));
        await sleep(LOOKS_APART_MS);
      }
    }
    this.#looking.delete(socket);
  }
}
