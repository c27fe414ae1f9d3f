import { z } from "zod";
import { momentOf, pageOf } from "../listing.ts";
import { type ListedMachine, type MachinePage, ProviderError } from "../provider.ts";
import { type ScalewayCalls, ZONES } from "./api.ts";
import { clusterOf, stateOf } from "./server.ts";

/**
 * All servers that a key shows: a page of a zone at a time. Prices are in euros, and the price of a type is not what an
 * account pays, so they are left out.
 */

const PAGE_SIZE = 100;

type Zone = (typeof ZONES)[number];

/** More pages of types than any zone has. */
const MAXIMUM_TYPE_PAGES = 5;

/** Only the id is demanded: what is odd about the rest is left out, and the state is then unknown. */
const listedSchema = z.object({
  id: z.string().min(1),
  name: z.string().nullish().catch(null),
  state: z.string().catch(""),
  commercial_type: z.string().nullish().catch(null),
  creation_date: z.string().nullish().catch(null),
  tags: z.array(z.string()).nullish().catch(null),
});

const pageSchema = z.object({ servers: z.array(listedSchema) });

const typeSchema = z.object({
  gpu: z.number().int().min(0).nullish(),
  gpu_info: z.object({ gpu_name: z.string().nullish() }).nullish(),
});

type ServerType = z.infer<typeof typeSchema>;

export async function listMachines(calls: ScalewayCalls, after: string | null): Promise<MachinePage> {
  const { zone, page } = cursorOf(after);
  const path = `/servers?per_page=${PAGE_SIZE}&page=${page}`;
  const { servers } = await calls.ask({ method: "GET", zone, path }, pageSchema);
  const types = servers.length === 0 ? new Map() : await readTypes(calls, zone);
  const machines = servers.map((each) => listedMachine(zone, each, types));
  const next = servers.length < PAGE_SIZE ? firstPageAfter(zone) : `${zone}/${page + 1}`;
  return pageOf(machines, after, next);
}

function cursorOf(after: string | null): { readonly zone: Zone; readonly page: number } {
  const [name, number] = (after ?? `${ZONES[0]}/1`).split("/");
  const zone = ZONES.find((each) => each === name);
  const page = Number(number);
  if (zone === undefined || !Number.isInteger(page) || page < 1) {
    throw new ProviderError("refused", `there is no page ${after}`);
  }
  return { zone, page };
}

function firstPageAfter(zone: Zone): string | null {
  const next = ZONES[ZONES.indexOf(zone) + 1];
  return next === undefined ? null : `${next}/1`;
}

/** The types of servers by their names; fewer where they can't be read. */
async function readTypes(calls: ScalewayCalls, zone: string): Promise<ReadonlyMap<string, ServerType>> {
  const types = new Map<string, ServerType>();
  try {
    for (let page = 1; page <= MAXIMUM_TYPE_PAGES; page += 1) {
      const path = `/products/servers?per_page=${PAGE_SIZE}&page=${page}`;
      const shape = z.object({ servers: z.record(z.string(), typeSchema) });
      const some = Object.entries((await calls.ask({ method: "GET", zone, path }, shape)).servers);
      for (const [name, type] of some) types.set(name, type);
      if (some.length < PAGE_SIZE) break;
    }
  } catch (error) {
    if (!(error instanceof ProviderError) || error.isPassing) throw error;
  }
  return types;
}

function listedMachine(
  zone: string,
  server: z.infer<typeof listedSchema>,
  types: ReadonlyMap<string, ServerType>,
): ListedMachine {
  const type = types.get(server.commercial_type ?? "");
  return {
    ref: `${zone}/${server.id}`,
    name: server.name ?? null,
    state: stateOf(server.state) ?? "unknown",
    gpu: type?.gpu_info?.gpu_name ?? null,
    gpus: type === undefined ? null : (type.gpu ?? 0),
    region: zone,
    createdAt: momentOf(server.creation_date),
    hourlyCost: null,
    stoppedHourlyCost: null,
    memberOf: clusterOf(server.tags ?? []),
  };
}
