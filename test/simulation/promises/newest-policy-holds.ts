import type { Platform } from "../platform.ts";
import { stateOf } from "./counts-are-right.ts";
import type { Promised, Say } from "./promise.ts";

/** In the end every instance goes by the newest policy of its user. */
export class NewestPolicyHolds implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    for (const { name, stored } of this.#platform.actors) {
      if (stored === null) continue;
      const policy = stateOf(this.#platform.fleet(stored.userId))?.policy;
      if (policy === undefined) continue;
      if (stored.userPolicyVersion !== policy.version)
        this.#say(`${name} goes by policy ${stored.userPolicyVersion}, the newest is ${policy.version}`);
      else if (JSON.stringify(stored.userPolicy) !== JSON.stringify(policy.overrides))
        this.#say(`${name} has another policy ${policy.version} than its fleet`);
    }
  }
}
