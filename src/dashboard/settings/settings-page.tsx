import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { ask } from "../api.ts";
import { useLive } from "../poll.ts";
import { words } from "../words.ts";
import { Channels } from "./channels.tsx";
import { ConnectionsCard } from "./connections.tsx";
import { EnrollmentsCard } from "./enrollments.tsx";
import { PolicyPlace } from "./policy-place.tsx";

const PAUSE_MS = 30_000;

export function SettingsPage() {
  const address = "/api/agent/policy";
  const { data, refresh } = useLive<{ policy: PolicySettings; overrides: PolicyOverrides }>(
    address,
    PAUSE_MS,
  );
  const save = async (overrides: PolicyOverrides) => {
    await ask("PUT", address, overrides);
    refresh();
  };
  return (
    <>
      <h1>{words.value.settings}</h1>
      <Channels />
      <ConnectionsCard />
      <EnrollmentsCard />
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
    </>
  );
}
