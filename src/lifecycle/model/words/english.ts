import { ERRORS } from "./english/errors.ts";
import { FLEET } from "./english/fleet.ts";
import { HEADINGS } from "./english/headings.ts";
import { IDLENESS } from "./english/idleness.ts";
import { INSTANCES } from "./english/instances.ts";
import { ORDERS } from "./english/orders.ts";
import { PROVIDERS } from "./english/providers.ts";
import { REPORT } from "./english/report.ts";
import { SILENCE } from "./english/silence.ts";

/** All codes in English, which decides what each of them takes. */
export const ENGLISH = {
  ...SILENCE,
  ...IDLENESS,
  ...ORDERS,
  ...PROVIDERS,
  ...INSTANCES,
  ...ERRORS,
  ...FLEET,
  ...HEADINGS,
  ...REPORT,
};
