import { z } from "zod";

/** Turns the clock of an instance's deliveries, in the row that it has stored. Tries are minutes apart, and hours. */

const stored = z.looseObject({
  state: z.looseObject({
    outbox: z.array(z.looseObject({ id: z.number(), effect: z.looseObject({ type: z.string() }) })),
  }),
  delivery: z.looseObject({ attempts: z.looseObject({}), held: z.number() }).optional(),
});

/** Each chunk that waits has failed nine times, while others passed. */
export function almostParked(json: string): string {
  const { state, delivery, ...rest } = stored.parse(JSON.parse(json));
  const failing = [{ target: "history", failures: 9, retryAt: 0, since: Date.now() }];
  const effects = state.outbox
    .filter(({ effect }) => effect.type === "chunk")
    .map(({ id }) => ({ id, delivered: [], failing }));
  return JSON.stringify({
    ...rest,
    state,
    delivery: { held: 0, parked: null, leavingSince: null, ...delivery, attempts: { targets: [], effects } },
  });
}

/** What is to be tried again is due now. */
export function againDue(json: string): string {
  return json.replaceAll(/"(retryAt|tryAt)":\d+/g, '"$1":0');
}

/** How many pieces wait in rows of their own. */
export function heldIn(json: string): number {
  return stored.parse(JSON.parse(json)).delivery?.held ?? 0;
}
