import type { NotedAct } from "../accounts/audit.ts";
import type { Principal, UserPrincipal } from "../accounts/principal.ts";

/**
 * What every handler finds in its context. A user becomes the `principal` once a route has found that their role allows it: before
 * that they are `asking`.
 */
export interface ApiEnvironment {
  Bindings: Env;
  Variables: {
    principal: Principal;
    asking: UserPrincipal | undefined;
    requestId: string;
    act: NotedAct | undefined;
  };
}
