import { ApiError } from "../../http/errors.ts";
import type { Sighted } from "../../lifecycle/model/effects.ts";
import { fittingOverrides } from "../../lifecycle/model/policy-issues.ts";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import {
  type CalledProvider,
  type ConnectedProvider,
  connectedBy,
  nameOfKind,
  type ProviderKind,
} from "../../lifecycle/model/provider.ts";
import { referenceIssue } from "../../lifecycle/model/reference.ts";
import { fleetOf } from "../../platform/address.ts";
import { isRefused, listConnections } from "../../providers/connections.ts";
import { inspectMachine } from "./machine.ts";

/** By whom a machine that registers itself is to be stopped: by its provider where that is called and shows it, else by its agent. */

export interface Reach {
  readonly provider: ProviderKind;
  readonly connection: string | null;
  readonly sighted: Sighted | null;
  readonly overrides: PolicyOverrides;
  /** Why its provider is not called; null where it is. */
  readonly note: string | null;
}

interface Asked {
  readonly userId: string;
  readonly instanceId: string;
  readonly kind: CalledProvider;
  readonly ref: string;
  readonly callProvider: boolean;
}

/** So many connections of one kind are asked for the machine, all at once. */
const ASKED_AT_MOST = 10;

/** What is wrong with the credentials or the provider never keeps a machine from being watched. */
export async function reachOf(env: Env, asked: Asked): Promise<Reach> {
  const { userId, kind, ref, callProvider } = asked;
  if (!callProvider) return byAgent("its enrollment token says so");
  if (referenceIssue(kind, ref) !== null) return byAgent(`the machine did not say where it is at ${kind}`);
  const all = await listConnections(env, userId);
  const usable = all.filter((connection) => connection.kind === kind && !isRefused(connection));
  if (usable.length === 0) return byAgent(`there is no connection to ${nameOfKind(kind)} that works`);
  const { overrides: user } = await fleetOf(env, userId).policy();
  const overrides = fittingOverrides(user, kind);
  if (overrides === null) return byAgent(`the policy asks for what ${nameOfKind(kind)} can't do`);
  const looks = await Promise.all(
    usable.slice(0, ASKED_AT_MOST).map(({ id }) => lookBy(env, asked, connectedBy(kind, id), id)),
  );
  const found =
    looks.find(({ sighted }) => sighted !== null) ?? looks.find(({ refusal }) => refusal === null);
  if (found === undefined) return byAgent(looks[0]?.refusal ?? "nothing is known of it");
  return { provider: kind, connection: found.connection, sighted: found.sighted, overrides, note: null };
}

function byAgent(because: string): Reach {
  return {
    provider: "agent",
    connection: null,
    sighted: null,
    overrides: {},
    note: `Only its own agent can stop this machine: ${because}`,
  };
}

interface Look {
  readonly connection: string;
  readonly sighted: Sighted | null;
  /** Why the machine can't be watched by this connection; null where it is seen, or nobody can tell. */
  readonly refusal: string | null;
}

async function lookBy(
  env: Env,
  { userId, instanceId, ref }: Asked,
  provider: ConnectedProvider,
  connection: string,
): Promise<Look> {
  try {
    const machine = { provider, ref };
    const referencePath = "body.provider_ref";
    const sighted = await inspectMachine(env, { userId, instanceId, machine, referencePath, sight: true });
    return { connection, sighted, refusal: null };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { connection, sighted: null, refusal: error.message };
  }
}
