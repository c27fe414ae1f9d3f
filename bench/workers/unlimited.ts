import { createRouter } from "../../src/router.ts";

/**
 * The router behind a rate limit that lets everything pass. The platform keeps its counters in the memory of the machine
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/); Miniflare asks another Worker for each,
 * which takes as long as all the rest of the router, and would hide what is compared.
 */
const router = createRouter();
const unlimited: RateLimit = { limit: async () => ({ success: true }) };
/** One for all requests, as the platform has it: settings are read once for each. */
let bindings: Env | null = null;

export const unlimitedWorker = {
  fetch: (request, env, context) => {
    bindings ??= { ...env, HEARTBEAT_LIMIT: unlimited };
    return router.fetch(request, bindings, context);
  },
} satisfies ExportedHandler<Env>;
