import { rowOf } from "../../../src/instance/targets.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../../src/lifecycle/model/policy-settings.ts";
import type { Happening } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/**
 * An older report never takes the place of a newer one. In the end the registry says of each instance what the instance
 * says of itself, and knows nobody else.
 */
export class RegistryKnowsItsInstances implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  readonly #newest = new Map<string, number>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "reported") return;
    const { instance, revision } = happening;
    const newest = Math.max(revision, this.#newest.get(instance) ?? 0);
    this.#newest.set(instance, newest);
    const [userId = "", instanceId = ""] = instance.split("/");
    const sql = "SELECT revision FROM instances WHERE instance_id = ?";
    const [row] = this.#platform.fleet(userId).rows(sql, instanceId);
    // A newer one may have been taken whose answer is still on its way.
    if (Number(row?.revision ?? -1) < newest)
      this.#say(`${instance}: the registry has revision ${row?.revision}, ${newest} was reported`);
  }

  atRest(): void {
    const { actors, fleets, scheduler } = this.#platform;
    const listed = new Map(
      fleets.flatMap((fleet) =>
        fleet
          .rows(
            `SELECT instance_id, revision, registered_at, name, provider, provider_ref, status, health, orphaned_since,
                    silent_since, overrides FROM instances`,
          )
          .map((row) => [`${fleet.name}/${row.instance_id}`, row]),
      ),
    );
    for (const { name, stored } of actors) {
      if (stored === null) continue;
      const row = listed.get(name);
      listed.delete(name);
      if (row === undefined) {
        this.#say(`${name} is in no registry`);
        continue;
      }
      const policy = compilePolicy(mergePolicy(stored.userPolicy, stored.overrides), 1);
      const own = rowOf(stored, policy, scheduler.now);
      const expected = {
        instance_id: stored.instanceId,
        revision: own.revision,
        registered_at: own.registeredAt,
        name: own.view.name,
        provider: own.view.provider,
        provider_ref: own.view.provider_ref,
        status: own.view.status,
        health: own.view.health,
        orphaned_since: own.orphanedSince,
        silent_since: own.silentSince,
        overrides: JSON.stringify(own.overrides),
      };
      for (const [column, value] of Object.entries(expected)) {
        if (row[column] !== value)
          this.#say(`${name}: its ${column} is ${value}, and ${row[column]} in the registry`);
      }
    }
    for (const name of listed.keys()) this.#say(`${name} is in the registry, and does not exist`);
  }
}
