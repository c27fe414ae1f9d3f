import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { ask } from "../api.ts";
import { PolicyPlace } from "../settings/policy-place.tsx";
import type { PolicyPreview } from "../settings/preview.tsx";
import { words } from "../words.ts";
import type { PartProps } from "./detail.ts";

/** What is decided about this instance, and by which rules. */
export function PolicyTab({ instance, address, onChange }: PartProps) {
  const { instance_id, policy, policy_overrides } = instance;
  const save = async (changed: PolicyOverrides) => {
    await ask("PATCH", address, { policy: changed });
    onChange();
  };
  return (
    <section class="card">
      <h2>{words.value.policyTitle}</h2>
      <p class="faint">{words.value.policyHint}</p>
      <PolicyPlace
        policy={policy}
        levels={[
          { name: "instance", overrides: policy_overrides.instance },
          { name: "user", overrides: policy_overrides.user },
        ]}
        save={save}
        replayOf={{ of: "instance", instanceId: instance_id, user: policy_overrides.user }}
        preview={(tried) => ask<PolicyPreview>("POST", `${address}/lifecycle/preview`, tried)}
      />
    </section>
  );
}
