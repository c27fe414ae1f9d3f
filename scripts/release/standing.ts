import { z } from "zod";
import type { Wrangler } from "./wrangler.ts";

/** What is deployed now, as wrangler tells it. */

export interface Share {
  readonly version: string;
  readonly percent: number;
}

export interface Deployment {
  readonly createdAt: string;
  readonly shares: readonly Share[];
}

/** What is known of an uploaded version. Null: the platform did not say. */
export interface UploadedVersion {
  readonly id: string;
  readonly classes: string | null;
  readonly workflows: readonly string[];
}

export type Standing =
  | { readonly type: "absent" }
  | { readonly type: "whole"; readonly version: UploadedVersion }
  | { readonly type: "split"; readonly shares: readonly Share[] };

const deploymentSchema = z
  .object({
    created_on: z.string(),
    versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
  })
  .transform(
    ({ created_on, versions }): Deployment => ({
      createdAt: created_on,
      shares: versions.map(({ version_id, percentage }) => ({ version: version_id, percent: percentage })),
    }),
  );

const versionSchema = z.object({
  resources: z.object({
    script_runtime: z.object({ migration_tag: z.string().optional() }).optional(),
    bindings: z.array(z.looseObject({ type: z.string(), workflow_name: z.string().optional() })).default([]),
  }),
});

/** How the API says that there is no such Worker yet. */
const NO_WORKER = /\[code: 100(07|90)\]/;

export async function readStanding(wrangler: Wrangler): Promise<Standing> {
  const status = await wrangler.ask(["deployments", "status", "--json"]);
  if (!status.ok && NO_WORKER.test(status.text)) return { type: "absent" };
  if (!status.ok) throw new Error(`it is not known what is deployed:\n${status.text}`);
  const { shares } = deploymentSchema.parse(JSON.parse(status.text));
  const [whole, ...others] = shares.filter(({ percent }) => percent > 0);
  if (whole === undefined || others.length > 0 || shares.length > 1) return { type: "split", shares };
  return { type: "whole", version: await readVersion(wrangler, whole.version) };
}

export async function readVersion(wrangler: Wrangler, id: string): Promise<UploadedVersion> {
  const text = await wrangler.answer(["versions", "view", id, "--json"]);
  const { script_runtime, bindings } = versionSchema.parse(JSON.parse(text)).resources;
  return {
    id,
    classes: script_runtime?.migration_tag ?? null,
    workflows: bindings.flatMap(({ workflow_name }) => workflow_name ?? []),
  };
}

/** The last ten, newest first. */
export async function readDeployments(wrangler: Wrangler): Promise<Deployment[]> {
  const text = await wrangler.answer(["deployments", "list", "--json"]);
  return z
    .array(deploymentSchema)
    .parse(JSON.parse(text))
    .sort((one, other) => other.createdAt.localeCompare(one.createdAt));
}

/** The names of all databases of the account. */
export async function readDatabases(wrangler: Wrangler): Promise<string[]> {
  const text = await wrangler.answer(["d1", "list", "--json"]);
  return z
    .array(z.object({ name: z.string() }))
    .parse(JSON.parse(text))
    .map(({ name }) => name);
}
