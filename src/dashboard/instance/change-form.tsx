import { useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { linesOf, tagsIn } from "../fleet/tags.ts";
import { TextField } from "../parts/field.tsx";
import { say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { words } from "../words.ts";
import { CommonFields, numberOrNull } from "./common-fields.tsx";
import {
  type ChosenMachine,
  isSameMachine,
  machineFields,
  machineOf,
  policyWithout,
  snapshotAfterDays,
  type WithoutSnapshot,
} from "./machine.ts";
import { canBeNamed, MachineFields } from "./machine-fields.tsx";
import { type Refusals, refusalsOf } from "./refusals.tsx";

type Changeable = ShownView & {
  readonly policy: PolicySettings;
  readonly policy_overrides: { readonly instance: PolicyOverrides };
};

/** Changes all that an owner may change of an instance but its policy. */
export function ChangeForm({
  instance,
  address,
  onEnd,
}: {
  instance: Changeable;
  address: string;
  onEnd: () => void;
}) {
  const [former] = useState(instance);
  const formerMachine = machineOf(former);
  const [machine, setMachine] = useState(formerMachine);
  const [name, setName] = useState(former.name);
  const [costs, setCosts] = useState({
    hourlyCost: textOf(former.hourly_cost),
    hibernatedCost: textOf(former.hibernated_hourly_cost),
  });
  const [tags, setTags] = useState(linesOf(former.tags));
  const [withoutSnapshot, setWithoutSnapshot] = useState<WithoutSnapshot>("never");
  const [refusals, setRefusals] = useState<Refusals>({});
  const [isBusy, setBusy] = useState(false);
  const { fields, instances, save, cancel, done } = words.value;
  const moves = !isSameMachine(machine, formerMachine);
  const afterDays = moves ? snapshotAfterDays(machine.provider, former.policy) : null;
  const chooseMachine = (chosen: ChosenMachine) => {
    setMachine(chosen);
    // They were about another one.
    if (chosen.connection !== machine.connection || chosen.provider !== machine.provider) setRefusals({});
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusals({});
    const own = former.policy_overrides.instance;
    const hourlyCost = numberOrNull(costs.hourlyCost);
    const hibernatedCost = numberOrNull(costs.hibernatedCost);
    try {
      await ask("PATCH", address, {
        ...(name === former.name ? {} : { name }),
        ...(moves ? machineFields(machine) : {}),
        ...(hourlyCost === former.hourly_cost ? {} : { hourly_cost: hourlyCost }),
        ...(hibernatedCost === former.hibernated_hourly_cost
          ? {}
          : { hibernated_hourly_cost: hibernatedCost }),
        ...(tags === linesOf(former.tags) ? {} : { tags: tagsIn(tags) }),
        ...(afterDays === null
          ? {}
          : { policy: { ...own, orphan: { ...own.orphan, ...policyWithout(withoutSnapshot) } } }),
      });
      refreshFleet();
      say(done.saved);
      onEnd();
    } catch (error) {
      setRefusals(refusalsOf(asApiError(error), machine));
      setBusy(false);
    }
  };
  return (
    <form class="change" onSubmit={submit}>
      <TextField
        name="name"
        label={fields.name}
        problem={refusals.name ?? null}
        isRequired
        value={name}
        onChange={setName}
      />
      <MachineFields chosen={machine} refusals={refusals} onChange={chooseMachine} />
      {moves && (
        <p class="faint" role="status">
          {instances.otherMachine}
        </p>
      )}
      <CommonFields
        machine={machine}
        costs={costs}
        onCosts={setCosts}
        tags={tags}
        onTags={setTags}
        afterDays={afterDays}
        withoutSnapshot={withoutSnapshot}
        onWithoutSnapshot={setWithoutSnapshot}
        refusals={refusals}
      />
      <div class="buttons">
        <button type="submit" class="primary" disabled={isBusy || !canBeNamed(machine)}>
          {save}
        </button>
        <button type="button" onClick={onEnd}>
          {cancel}
        </button>
      </div>
    </form>
  );
}

function textOf(value: number | null): string {
  return value === null ? "" : String(value);
}
