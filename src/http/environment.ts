import type { Principal } from "../accounts/principal.ts";

/** What every handler finds in its context. */
export interface ApiEnvironment {
  Bindings: Env;
  Variables: { principal: Principal; requestId: string };
}
