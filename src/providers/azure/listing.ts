import { z } from "zod";
import { momentOf, pageOf, unreadMachine } from "../listing.ts";
import { type ListedMachine, type MachinePage, ProviderError } from "../provider.ts";
import type { Azure } from "./api.ts";
import {
  allMachines,
  codesOf,
  gpusOf,
  machineSchema,
  referenceOfId,
  stateIn,
  stateSchema,
} from "./machine.ts";
import { ownerOf } from "./obstacles.ts";

/**
 * All machines of the subscription. Azure lists how machines are described and how they run apart, so the second list is
 * read as a whole, and each page of the first is completed by it. Prices are in neither.
 * https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/list-all (2025-04-01), with and without `statusOnly`.
 */

/** More machines than that are listed with an unknown state. */
const MOST_STATE_PAGES = 100;

/** The codes of each machine's state, by the machine's id in lower case. */
type States = ReadonlyMap<string, readonly string[]>;

export function machineList(azure: Azure): (after: string | null) => Promise<MachinePage> {
  let states: States | null = null;
  return async (after) => {
    const { value, next } = await azure.page(after ?? allMachines("models"));
    if (after === null || states === null) states = await readStates(azure);
    const known = states;
    return pageOf(
      value.map((item) => listed(item, known)),
      after,
      next,
    );
  };
}

async function readStates(azure: Azure): Promise<States> {
  const states = new Map<string, readonly string[]>();
  let link: string | null = allMachines("states");
  for (let pages = 0; link !== null && pages < MOST_STATE_PAGES; pages++) {
    const page: Awaited<ReturnType<Azure["page"]>> = await azure.page(link);
    for (const item of page.value) {
      const { data } = stateSchema.safeParse(item);
      if (data !== undefined) states.set(data.id.toLowerCase(), codesOf(data.properties.instanceView));
    }
    link = pageOf([], link, page.next).next;
  }
  return states;
}

function listed(item: unknown, states: States): ListedMachine {
  const machine = machineSchema.safeParse(item).data;
  if (machine === undefined) return unreadMachine(referenceIn(item));
  const { id, name, location, properties } = machine;
  return {
    ...unreadMachine(referenceOfId(id) ?? id),
    name,
    state: stateIn(properties.provisioningState, states.get(id.toLowerCase()) ?? []).state,
    ...gpusOf(properties.hardwareProfile?.vmSize),
    region: location,
    createdAt: momentOf(properties.timeCreated),
    memberOf: ownerOf(machine),
  };
}

/** A machine that is described in another form is listed all the same; something without an id is not a list of machines. */
function referenceIn(item: unknown): string {
  const id = z.object({ id: z.string() }).safeParse(item).data?.id;
  if (id === undefined) throw new ProviderError("unavailable", "Azure lists a machine without an id");
  return referenceOfId(id) ?? id;
}
