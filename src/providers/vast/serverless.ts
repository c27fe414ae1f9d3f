import { z } from "zod";
import { decodeJson } from "../answer.ts";
import { ProviderError } from "../provider.ts";
import type { VastCall } from "./api.ts";

/**
 * Serverless workers are instances of the account that their endpoint starts, stops and destroys.
 * https://docs.vast.ai/api-reference/serverless/show-endpoints and …/get-endpoint-workers, which another host answers.
 */

/** The engine that runs the workers. */
export const VAST_ENGINE = "https://run.vast.ai";

const MAXIMUM_ENDPOINTS = 50;

const endpointsSchema = z.object({
  results: z.array(z.object({ id: z.number().int(), endpoint_name: z.string().nullish() })),
});

const workerSchema = z.object({ id: z.number().int() });

/** The documentation shows both. */
const workersSchema = z.union([
  z.object({ workers: z.array(workerSchema) }).transform(({ workers }) => workers),
  z.array(workerSchema),
]);

/**
 * Which endpoint each worker serves, by the id of its instance. None where the key may not see them, or what is answered
 * is not understood: they are then listed like any other instance.
 */
export async function serverlessWorkers(
  call: VastCall,
  callEngine: VastCall,
): Promise<ReadonlyMap<string, string>> {
  const endpoints = await unlessRefused(() => call("GET", "/v0/endptjobs/"), endpointsSchema);
  const served = new Map<string, string>();
  for (const { id, endpoint_name } of endpoints?.results.slice(0, MAXIMUM_ENDPOINTS) ?? []) {
    const workers = await unlessRefused(
      () => callEngine("POST", "/get_endpoint_workers/", { id }),
      workersSchema,
    );
    const words = `serverless endpoint ${endpoint_name || id}`;
    for (const worker of workers ?? []) served.set(String(worker.id), words);
  }
  return served;
}

async function unlessRefused<T>(
  ask: () => Promise<{ readonly text: string }>,
  schema: z.ZodType<T>,
): Promise<T | null> {
  try {
    return decodeJson(schema, (await ask()).text);
  } catch (error) {
    if (error instanceof ProviderError && !error.isPassing) return null;
    throw error;
  }
}
