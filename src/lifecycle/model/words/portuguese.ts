import type { ENGLISH } from "./english.ts";
import { ERRORS } from "./portuguese/errors.ts";
import { FLEET } from "./portuguese/fleet.ts";
import { HEADINGS } from "./portuguese/headings.ts";
import { IDLENESS } from "./portuguese/idleness.ts";
import { INSTANCES } from "./portuguese/instances.ts";
import { ORDERS } from "./portuguese/orders.ts";
import { PROVIDERS } from "./portuguese/providers.ts";
import { REPORT } from "./portuguese/report.ts";
import { SILENCE } from "./portuguese/silence.ts";
import type { Translation } from "./template.ts";

/** All codes in Brazilian Portuguese. */
export const PORTUGUESE = {
  ...SILENCE,
  ...IDLENESS,
  ...ORDERS,
  ...PROVIDERS,
  ...INSTANCES,
  ...ERRORS,
  ...FLEET,
  ...HEADINGS,
  ...REPORT,
} satisfies Translation<typeof ENGLISH>;
