import { abilitiesOf } from "../../lifecycle/model/provider.ts";
import { Field, TextField } from "../parts/field.tsx";
import { words } from "../words.ts";
import type { ChosenMachine, WithoutSnapshot } from "./machine.ts";
import { SnapshotChoice } from "./machine-fields.tsx";
import type { Refusals } from "./refusals.tsx";

/** What the forms of a machine share: the costs, the tags, what is done without snapshots, and what the service refuses. */
export function CommonFields({
  machine,
  costs,
  onCosts,
  tags,
  onTags,
  afterDays,
  withoutSnapshot,
  onWithoutSnapshot,
  refusals,
}: {
  machine: ChosenMachine;
  costs: Costs;
  onCosts: (costs: Costs) => void;
  /** As they are entered. */
  tags: string;
  onTags: (tags: string) => void;
  afterDays: number | null;
  withoutSnapshot: WithoutSnapshot;
  onWithoutSnapshot: (choice: WithoutSnapshot) => void;
  refusals: Refusals;
}) {
  return (
    <>
      <CostFields
        costs={costs}
        isListed={machine.connection !== null && abilitiesOf(machine.provider).lists}
        refusals={refusals}
        onChange={onCosts}
      />
      <TagsField tags={tags} problem={refusals.tags} onChange={onTags} />
      <SnapshotAndRefusals
        machine={machine}
        afterDays={afterDays}
        withoutSnapshot={withoutSnapshot}
        onWithoutSnapshot={onWithoutSnapshot}
        refusals={refusals}
      />
    </>
  );
}

/** What is done where no snapshot can be taken, if that is to be chosen, and what is refused of the form as a whole. */
export function SnapshotAndRefusals({
  machine,
  afterDays,
  withoutSnapshot,
  onWithoutSnapshot,
  refusals,
}: {
  machine: Pick<ChosenMachine, "provider">;
  /** After how many days it would be deleted; null where nothing is to be chosen. */
  afterDays: number | null;
  withoutSnapshot: WithoutSnapshot;
  onWithoutSnapshot: (choice: WithoutSnapshot) => void;
  refusals: Refusals;
}) {
  return (
    <>
      {afterDays !== null && (
        <SnapshotChoice
          provider={machine.provider}
          afterDays={afterDays}
          chosen={withoutSnapshot}
          problem={refusals.policy}
          onChoose={onWithoutSnapshot}
        />
      )}
      {afterDays === null && refusals.policy !== undefined && <p class="wrong">{refusals.policy}</p>}
      {refusals.form !== undefined && (
        <p class="wrong" role="alert">
          {refusals.form}
        </p>
      )}
    </>
  );
}

export function TagsField({
  tags,
  problem = null,
  onChange,
}: {
  tags: string;
  problem?: Refusals["tags"];
  onChange: (tags: string) => void;
}) {
  const { tags: label, tagsHint } = words.value.instances;
  return (
    <Field label={label} isOptional hint={tagsHint} problem={problem}>
      {(attributes) => (
        <textarea
          {...attributes}
          name="tags"
          autocomplete="off"
          spellcheck={false}
          rows={Math.max(2, tags.split("\n").length)}
          value={tags}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

export interface Costs {
  readonly hourlyCost: string;
  readonly hibernatedCost: string;
}

export function CostFields({
  costs,
  isListed,
  refusals,
  onChange,
}: {
  costs: Costs;
  /** Whether its provider lists the machine, and perhaps its price. */
  isListed: boolean;
  refusals: Refusals;
  onChange: (costs: Costs) => void;
}) {
  const { fields } = words.value;
  const field = (name: keyof Costs, hint: string | null) => (
    <TextField
      name={name}
      type="number"
      label={fields[name]}
      hint={hint}
      isOptional
      problem={refusals[name] ?? null}
      value={costs[name]}
      onChange={(value) => onChange({ ...costs, [name]: value })}
    />
  );
  return (
    <div class="pair">
      {field("hourlyCost", isListed ? fields.hourlyCostListed : fields.hourlyCostUnlisted)}
      {field("hibernatedCost", null)}
    </div>
  );
}

export function numberOrNull(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
