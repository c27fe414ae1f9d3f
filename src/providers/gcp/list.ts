import { z } from "zod";
import { momentOf, pageOf, unreadMachine } from "../listing.ts";
import { type ListedMachine, type MachinePage, ProviderError, type UnlistedPart } from "../provider.ts";
import type { GcpCall } from "./api.ts";
import { gpuOf, gpusOf, groupOf, instanceSchema, stateOf } from "./instance.ts";

/**
 * All instances of a project, zone by zone.
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList.
 */

const warningSchema = z.object({ code: z.string() });

const listSchema = z.object({
  kind: z.literal("compute#instanceAggregatedList"),
  items: z
    .record(
      z.string(),
      z.object({ instances: z.array(z.unknown()).default([]), warning: warningSchema.nullish() }),
    )
    .default({}),
  nextPageToken: z.string().min(1).nullish(),
  unreachables: z.array(z.string()).nullish(),
  warning: warningSchema.nullish(),
});

/** What is needed to tell a machine that is not understood otherwise. */
const namedSchema = z.object({ name: z.string() });

/** Google's word for a zone that has nothing on a page. */
const EMPTY = "NO_RESULTS_ON_PAGE";

const PAGE = 50;

/** An instance may carry 512 KiB of metadata. As many as this fit into an answer, whatever they carry. */
const SMALL_PAGE = 7;

/** A page of the project's instances. It names the zones that Google can't reach: the machines there have not vanished. */
export async function listInstances(
  call: GcpCall,
  projectId: string,
  after: string | null,
): Promise<MachinePage> {
  const page = await askForPage(call, projectId, after, PAGE).catch((error: unknown) => {
    // Among other things, this is what an answer that is too long looks like.
    if (!(error instanceof ProviderError) || error.code !== "unavailable") throw error;
    return askForPage(call, projectId, after, SMALL_PAGE);
  });
  const machines = Object.entries(page.items).flatMap(([scope, { instances }]) =>
    instances.map((instance) => listedMachine(projectId, zoneOf(scope), instance)),
  );
  return pageOf(machines, after, page.nextPageToken ?? null, unlistedIn(page, projectId));
}

type Page = z.infer<typeof listSchema>;

/** Reads a page of this size. */
export function askForPage(
  call: GcpCall,
  projectId: string,
  after: string | null,
  size: number,
): Promise<Page> {
  return call(
    {
      method: "GET",
      api: "compute",
      path: `projects/${projectId}/aggregated/instances`,
      query: {
        maxResults: String(size),
        // Google then names the zones that it can't reach.
        returnPartialSuccess: "true",
        ...(after === null ? {} : { pageToken: after }),
      },
    },
    listSchema,
  );
}

/** What the page leaves out. A warning that names no zone may mean any of them. */
function unlistedIn({ items, unreachables, warning }: Page, projectId: string): UnlistedPart[] {
  const scopes = [
    ...(unreachables ?? []),
    ...Object.entries(items).flatMap(([scope, { warning }]) => (isHarmless(warning) ? [] : [scope])),
  ];
  const unlisted = new Map<string, UnlistedPart>();
  for (const scope of scopes) {
    const [, zone] = /(?:^|\/)zones\/([a-z0-9-]+)$/.exec(scope) ?? [];
    const name = zone ?? scope;
    const refPrefix = zone === undefined ? "" : `projects/${projectId}/zones/${zone}/`;
    unlisted.set(name, { name, refPrefix });
  }
  if (unlisted.size > 0 || isHarmless(warning)) return [...unlisted.values()];
  return [{ name: warning?.code ?? "", refPrefix: "" }];
}

function isHarmless(warning: z.infer<typeof warningSchema> | null | undefined): boolean {
  return warning == null || warning.code === EMPTY;
}

/** Instances are in zones. A scope of another kind, which Google may add one day, is no harm while it holds none. */
function zoneOf(scope: string): string {
  const [, zone] = /^zones\/([a-z0-9-]+)$/.exec(scope) ?? [];
  if (zone === undefined)
    throw new ProviderError("unavailable", `Google lists instances in ${scope}, which is no zone`);
  return zone;
}

function listedMachine(projectId: string, zone: string, shown: unknown): ListedMachine {
  const named = namedSchema.safeParse(shown).data;
  if (named === undefined) throw new ProviderError("unavailable", "Google lists an instance without a name");
  const { name } = named;
  const ref = `projects/${projectId}/zones/${zone}/instances/${name}`;
  // The API knows no prices.
  const unread = { ...unreadMachine(ref), name, region: zone };
  const instance = instanceSchema.safeParse(shown).data;
  return instance === undefined
    ? unread
    : {
        ...unread,
        state: stateOf(instance),
        gpu: gpuOf(instance),
        gpus: gpusOf(instance),
        createdAt: momentOf(instance.creationTimestamp),
        memberOf: groupOf(instance),
      };
}
