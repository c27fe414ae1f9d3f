import type { ChannelRecord } from "../alerts/channels/record.ts";
import type { MoneyFigures } from "../fleet/budget.ts";
import type { NewestOutcomes } from "../fleet/previews.ts";
import { readDatabases } from "../history/standing.ts";
import { askEveryActor } from "../instance/ask.ts";
import { isReadable } from "../instance/outcomes.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { readSettings } from "../platform/settings.ts";
import { readService } from "../service/service.ts";
import type { ServiceFigures } from "./service.ts";
import type { UserFigures } from "./user.ts";

/** Collects the figures: of a user from the instances and their fleet, of the service from its own actor. */

export async function collectUser(env: Env, userId: string): Promise<UserFigures> {
  const [answers, hibernations, money, preview, channels] = await Promise.all([
    askEveryActor(env, userId, async (actor) => {
      try {
        return await actor.sample();
      } catch {
        return "failed";
      }
    }),
    fleetOf(env, userId).hibernations(),
    answerOr<MoneyFigures | null>(fleetOf(env, userId).moneyFigures(), null),
    answerOr<NewestOutcomes | null>(fleetOf(env, userId).newestOutcomes(), null),
    answerOr<ChannelRecord[] | null>(fleetOf(env, userId).channels(), null),
  ]);
  const errors = answers.filter((answer) => answer === "failed").length;
  const known = answers.filter((answer) => answer !== null && answer !== "failed");
  const samples = known.filter(isReadable);
  return {
    samples,
    unreadable: known.length - samples.length,
    errors,
    hibernations,
    money,
    preview,
    channels,
  };
}

export async function collectService(env: Env): Promise<ServiceFigures> {
  const [{ counts, cleanup, guard, instancesByStatus, closedUserGuards, hibernations }, databases] =
    await Promise.all([readService(env), readDatabases(env)]);
  return {
    instancesByStatus: Object.entries(instancesByStatus).map(([status, instances]) => ({
      status,
      instances,
    })),
    counts,
    guard,
    closedUserGuards,
    hibernations,
    simulationSpeed: readSettings(env).SIMULATION_SPEED,
    cleanup,
    databases,
  };
}
