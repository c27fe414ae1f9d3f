import type { Sighted } from "../lifecycle/model/effects.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import type { Shown, Sighting } from "../providers/provider.ts";
import type { OrderSteps } from "./steps.ts";

/** Looking at a machine. */

/** Eventual consistency has settled after this long: a machine that was missing is looked for once more then. */
const SECOND_LOOK_MS = 5 * MINUTE_MS;

/** What is known of a machine once everything has been done to find out. `gone` is proven. */
export type Seen =
  | { readonly state: "shown"; readonly shown: Shown; readonly sighted: Sighted }
  | { readonly state: "gone" }
  | { readonly state: "unknown"; readonly because: string };

interface Look {
  readonly at: number;
  readonly sighting: Sighting;
  /** When the credentials that were used had been set. */
  readonly credentialsSetAt: number;
}

/**
 * Looks at the machine, and once more if it is missing. A machine that is missing twice is gone only if these very
 * credentials have shown it before: in another region, team or account it would be missing too.
 */
export async function see(steps: OrderSteps, name: string): Promise<Seen> {
  const first = await look(steps, name);
  if (first.sighting.state !== "missing") return seenIn(first);
  await steps.sleep(`${name}, wait`, SECOND_LOOK_MS);
  const second = await look(steps, `${name}, again`);
  if (second.sighting.state !== "missing") return seenIn(second);
  const { order } = steps.parameters;
  if (order.sighted?.credentialsSetAt === second.credentialsSetAt) return { state: "gone" };
  return {
    state: "unknown",
    because: `${steps.kind} does not show it, and never has with these credentials: it may be elsewhere (region, team, key)`,
  };
}

/** One look, whatever it shows. */
export async function look(steps: OrderSteps, name: string): Promise<Look> {
  return steps.callProvider(name, ["look"], async (provider, target, credentialsSetAt) => ({
    credentialsSetAt,
    sighting: await provider.status(target),
    at: Date.now(),
  }));
}

function seenIn({ at, sighting, credentialsSetAt }: Look): Seen {
  switch (sighting.state) {
    case "running":
    case "starting":
    case "stopping":
    case "stopped":
      return {
        state: "shown",
        shown: sighting,
        sighted: { at, credentialsSetAt, gpus: sighting.state === "running" ? sighting.gpus : null },
      };
    case "terminated":
      return { state: "gone" };
    case "missing":
      return { state: "unknown", because: "it is not shown" };
    case "unknown":
      return sighting;
  }
}

export function sightedIn(seen: Seen): Sighted | null {
  return seen.state === "shown" ? seen.sighted : null;
}

export function isShownAs(seen: Seen, ...states: readonly Shown["state"][]): boolean {
  return seen.state === "shown" && states.includes(seen.shown.state);
}
