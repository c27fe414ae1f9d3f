import { z } from "zod";
import { pageOf } from "../listing.ts";
import { type MachinePage, ProviderError } from "../provider.ts";
import type { HyperstackCall } from "./api.ts";
import { listedMachine, listedSchema, type PriceBook } from "./machine.ts";

/**
 * All machines of an account, of every region.
 * https://docs.hyperstack.cloud/docs/api-reference/pagination: pages are numbered, and an empty one is the end;
 * …/api-reference/get-pricebook; …/api-reference/list-clusters.
 */

const PAGE_SIZE = 100;

const pageSchema = z.object({ status: z.literal(true), instances: z.array(listedSchema) });

const priceSchema = z.object({ name: z.string(), value: z.coerce.number().positive() });

const clustersSchema = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      nodes: z.array(z.object({ instance: z.object({ id: z.number() }).nullish() })).nullish(),
    }),
  ),
});

export async function listMachines(call: HyperstackCall, after: string | null): Promise<MachinePage> {
  const page = after === null ? 1 : Number(after);
  if (!Number.isInteger(page) || page < 1) throw new ProviderError("refused", `there is no page ${after}`);
  const { instances } = await call(
    "GET",
    `/core/virtual-machines?page=${page}&pageSize=${PAGE_SIZE}`,
    pageSchema,
  );
  if (instances.length === 0) return { machines: [], next: null };
  const prices = await readPrices(call);
  const clusters = await readClusters(call);
  const machines = instances.map((each) => listedMachine(each, prices, clusters));
  return pageOf(machines, after, String(page + 1));
}

function readPrices(call: HyperstackCall): Promise<PriceBook> {
  return emptyIfUnreadable(async () => {
    const book = await call("GET", "/pricebook", z.array(z.unknown()));
    const prices = book.flatMap((each) => priceSchema.safeParse(each).data ?? []);
    return new Map(prices.map(({ name, value }) => [name, value]));
  });
}

/** Clusters by the ids of the machines that are their nodes. */
function readClusters(call: HyperstackCall): Promise<ReadonlyMap<number, string>> {
  return emptyIfUnreadable(async () => {
    const { clusters } = await call("GET", `/core/clusters?page=1&pageSize=${PAGE_SIZE}`, clustersSchema);
    const nodes = clusters.flatMap(({ name, nodes }) =>
      (nodes ?? []).map(({ instance }) => ({ id: instance?.id, cluster: `Kubernetes cluster ${name}` })),
    );
    return new Map(
      nodes.flatMap(({ id, cluster }): [number, string][] => (id === undefined ? [] : [[id, cluster]])),
    );
  });
}

/** What would only be added to machines: they are listed also where the key may not read it. */
async function emptyIfUnreadable<K, V>(read: () => Promise<ReadonlyMap<K, V>>): Promise<ReadonlyMap<K, V>> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ProviderError && !error.isPassing) return new Map();
    throw error;
  }
}
