import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { ask } from "../api.ts";
import { useLive } from "../poll.ts";
import { words } from "../words.ts";
import { PolicyPlace } from "./policy-place.tsx";

const ADDRESS = "/api/agent/policy";
const PAUSE_MS = 30_000;

/** The policy that each instance has which says nothing else. */
export function PolicySection() {
  const { data, refresh } = useLive<{ policy: PolicySettings; overrides: PolicyOverrides }>(
    ADDRESS,
    PAUSE_MS,
  );
  const save = async (overrides: PolicyOverrides) => {
    await ask("PUT", ADDRESS, overrides);
    refresh();
  };
  return (
    <section class="card">
      <h2>{words.value.defaultPolicy}</h2>
      <p class="faint">{words.value.policyHint}</p>
      {data === null ? (
        <p class="faint">{words.value.loading}</p>
      ) : (
        <PolicyPlace
          policy={data.policy}
          levels={[{ name: "user", overrides: data.overrides }]}
          save={save}
          replayOf={{ of: "user" }}
        />
      )}
    </section>
  );
}
