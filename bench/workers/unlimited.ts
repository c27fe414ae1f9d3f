import { createRouter } from "../../src/router.ts";

/**
 * The router behind a rate limit that lets everything pass. The platform keeps its counters in the memory of the machine
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/); Miniflare asks another Worker for each,
 * which takes as long as all the rest of the router, and would hide what is compared.
 */
const router = createRouter();
const unlimited: RateLimit = { limit: async () => ({ success: true }) };

export const unlimitedWorker = {
  fetch: (request, env, context) => router.fetch(request, { ...env, HEARTBEAT_LIMIT: unlimited }, context),
} satisfies ExportedHandler<Env>;
