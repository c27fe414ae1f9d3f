import { z } from "zod";
import { ApiError, invalid, issueAt } from "../../http/errors.ts";
import type { Sighted } from "../../lifecycle/model/effects.ts";
import {
  type CalledProvider,
  type ConnectedProvider,
  connectedBy,
  connectionOf,
  kindOf,
  type ProviderKind,
} from "../../lifecycle/model/provider.ts";
import { referenceIssue } from "../../lifecycle/model/reference.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import { inTurn, NoTurn } from "../../orders/lane.ts";
import { fleetOf } from "../../platform/address.ts";
import { credentialsSetAt, isConnection } from "../../providers/connections.ts";
import { claimMachine, type MachineKey, type WatchedMachine } from "../../providers/machines.ts";
import { ProviderError } from "../../providers/provider.ts";
import { calledProviderSchema, openProvider } from "../../providers/registry.ts";

/** Checks a machine whose provider is called, before an instance is registered with it or changes to it. */

export const sightQuery = z.object({
  sight: z
    .enum(["true", "false"])
    .default("true")
    .describe("False: the provider is not asked whether it shows the machine"),
});

export const MACHINE_REFUSALS =
  "With a provider that is called, the machine must be watched by nobody else (else 409 `machine_watched`), and the provider is asked for it once, unless `sight=false`: 409 `no_credentials`, `credentials_refused`, `not_seen` (it shows no such machine) or `cannot_stop`. When it does not answer, or can't tell, the machine counts as not seen yet.";

interface Inspection {
  readonly userId: string;
  readonly instanceId: string;
  readonly machine: WatchedMachine;
  /** Where in the request the reference is. */
  readonly referencePath: string;
  /** Whether the provider is asked. */
  readonly sight: boolean;
}

/**
 * Finds out now what cannot be done, and not when it is needed. Throws 400 for a malformed reference, and 409 without
 * credentials or for a machine that the provider does not show or cannot stop. Returns what was seen, or null if the
 * machine was not seen.
 */
export async function inspectMachine(
  env: Env,
  { userId, instanceId, machine, referencePath, sight }: Inspection,
): Promise<Sighted | null> {
  const { provider, ref } = machine;
  const kind = kindOf(provider);
  const issue = referenceIssue(kind, ref);
  if (issue !== null) throw invalid([{ path: referencePath, message: issue }]);
  if ((await credentialsSetAt(env, userId, provider)) === null) {
    throw new ApiError(
      "no_credentials",
      phrase("error.no_credentials", { provider: kind, request: settingOf(provider) }),
    );
  }
  return sight ? withinLimit(sightMachine(env, userId, machine, instanceId)) : null;
}

/** The request that sets its credentials. */
function settingOf(provider: ConnectedProvider): string {
  const [kind, connection] = [kindOf(provider), connectionOf(provider)];
  return connection === null || connection === kind
    ? `PUT /api/agent/providers/${kind}`
    : `PATCH /api/agent/connections/${connection}`;
}

/**
 * The provider as a request names it: by one of the user's connections. Null is the first of the kind. Throws 400 for one that the
 * user does not have, or of another kind.
 */
export async function connectedProvider(
  env: Env,
  userId: string,
  kind: ProviderKind,
  connection: string | null,
): Promise<ConnectedProvider> {
  if (connection === null) return kind;
  const called: CalledProvider | undefined = calledProviderSchema.safeParse(kind).data;
  const said =
    called === undefined
      ? phrase("must.not_be_called", { provider: kind })
      : (await isConnection(env, userId, called, connection))
        ? null
        : phrase("must.be_connection_to", { provider: called });
  if (said !== null) throw invalid([issueAt("body.connection", said)]);
  return connectedBy(kind, connection);
}

/** For all calls that a provider needs together. Each has its own limit too. */
const SIGHT_LIMIT_MS = 25_000;

/** Null, which means that nothing was seen, when it takes too long. */
function withinLimit<T>(seen: Promise<T>): Promise<T | null> {
  const limit = AbortSignal.timeout(SIGHT_LIMIT_MS);
  const tooLate = new Promise<null>((resolve) => {
    if (limit.aborted) resolve(null);
    limit.addEventListener("abort", () => resolve(null));
  });
  return Promise.race([seen, tooLate]);
}

async function sightMachine(
  env: Env,
  userId: string,
  { provider: connected, ref }: WatchedMachine,
  instanceId: string,
): Promise<Sighted | null> {
  const kind = kindOf(connected);
  const target = { ref, instanceId, actionId: `sight-${crypto.randomUUID()}` };
  try {
    const { provider, credentialsSetAt: setAt } = await openProvider(env, userId, connected);
    return await inTurn(env, userId, connected, ["look", "look"], async () => {
      const at = Date.now();
      const sighting = await provider.status(target);
      switch (sighting.state) {
        case "missing":
          throw new ApiError("not_seen", phrase("error.not_shown", { provider: kind, ref }));
        case "terminated":
          throw new ApiError("not_seen", phrase("error.shown_destroyed", { provider: kind, ref }));
        case "unknown":
          return null;
        case "running":
        case "starting":
        case "stopping":
        case "stopped":
          if (sighting.obstacle !== null) throw cannotStop(kind, ref, sighting.obstacle);
          // A webhook is the user's own control plane: it has answered already, and has no permissions to try.
          if (kind !== "webhook") await provider.verify(target);
          return { at, credentialsSetAt: setAt, gpus: sighting.gpus };
      }
    });
  } catch (error) {
    if (error instanceof NoTurn) return null;
    if (!(error instanceof ProviderError)) throw error;
    if (error.code !== "unauthorised") return null;
    throw new ApiError(
      "credentials_refused",
      phrase("error.credentials_refused", {
        provider: kind,
        ref,
        problem: error.message,
        request: settingOf(connected),
      }),
    );
  }
}

function cannotStop(kind: ProviderKind, ref: string, obstacle: string): ApiError {
  return new ApiError("cannot_stop", phrase("error.cannot_stop", { provider: kind, ref, obstacle }));
}

/**
 * Claims the machine for the instance, then does `act`; null claims nothing. If `act` refuses with an `ApiError`, the
 * claim is withdrawn. If it fails in another way it may have been done nonetheless, so the claim stays: one without an
 * instance lapses by itself.
 */
export async function whileHolding<T>(
  env: Env,
  userId: string,
  machine: MachineKey | null,
  instanceId: string,
  act: () => Promise<T>,
): Promise<T> {
  if (machine === null) return act();
  const claim = await claimMachine(env, userId, machine, instanceId);
  if (!claim.claimed) {
    throw new ApiError("machine_watched", phrase("error.machine_watched", { holder: claim.holder }));
  }
  try {
    return await act();
  } catch (error) {
    if (error instanceof ApiError && claim.isNew) {
      await fleetOf(env, userId).withdrawClaim(machine, instanceId, claim.claimedAt);
    }
    throw error;
  }
}
