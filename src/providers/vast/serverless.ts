import { z } from "zod";
import { type Answer, decodeJson } from "../answer.ts";
import { ProviderError } from "../provider.ts";
import type { Pause, VastCall } from "./api.ts";

/**
 * Serverless workers are instances of the account that their endpoint starts, stops and destroys.
 * https://docs.vast.ai/api-reference/serverless/show-endpoints and …/get-endpoint-workers, which another host answers.
 */

/** The engine that runs the workers. */
export const VAST_ENGINE = "https://run.vast.ai";

const MAXIMUM_ENDPOINTS = 20;

/** The longest interval that Vast.ai asks for between calls of one kind, and a little more. */
const INTERVAL_MS = 3_100;

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
  pause: Pause,
): Promise<ReadonlyMap<string, string>> {
  const read = async <T>(ask: () => Promise<Answer>, schema: z.ZodType<T>): Promise<T | null> => {
    try {
      return decodeJson(schema, (await patiently(ask, pause)).text);
    } catch (error) {
      if (error instanceof ProviderError && !error.isPassing) return null;
      throw error;
    }
  };
  const endpoints = await read(() => call("GET", "/v0/endptjobs/"), endpointsSchema);
  const served = new Map<string, string>();
  for (const { id, endpoint_name } of endpoints?.results.slice(0, MAXIMUM_ENDPOINTS) ?? []) {
    const workers = await read(() => callEngine("POST", "/get_endpoint_workers/", { id }), workersSchema);
    const words = `serverless endpoint ${endpoint_name || id}`;
    for (const worker of workers ?? []) served.set(String(worker.id), words);
  }
  return served;
}

/** Asks once more when that was too often. */
async function patiently(ask: () => Promise<Answer>, pause: Pause): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProviderError && error.code === "rate_limited")) throw error;
    await pause(INTERVAL_MS);
    return ask();
  }
}
