import { createRouter } from "./api/router.ts";

export { InstanceActor } from "./instance/actor.ts";

const router = createRouter();

export default {
  fetch: router.fetch,
} satisfies ExportedHandler<Env>;
