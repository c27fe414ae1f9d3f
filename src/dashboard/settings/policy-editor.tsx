import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { ReplayPlace } from "../replay/replay-place.tsx";
import type { TrialLevel } from "../replay/request.ts";
import { words } from "../words.ts";
import { fieldId, fieldLabel, PolicyField, sectionHint } from "./policy-field.tsx";
import { type FieldName, POLICY_FIELDS, SECTIONS_OF_LEVEL } from "./policy-fields.ts";
import { type PolicyProblem, policyProblems } from "./policy-problems.ts";
import {
  allFields,
  fieldsOf,
  isWindows,
  type Path,
  type PlacedField,
  valueAt,
  withValue,
} from "./policy-values.ts";
import { Presets } from "./presets.tsx";
import { type PolicyPreview, Preview } from "./preview.tsx";
import { ProblemText } from "./problem-text.tsx";
import { spokenWindows } from "./window-words.ts";

const SOURCES: Path = ["idle", "sources"];

interface Level {
  readonly name: "instance" | "user";
  readonly overrides: PolicyOverrides;
}

/**
 * A policy as it stands, where each value comes from, and what the first level says itself, to be changed. `levels`
 * come from the nearest on; what none of them says is the service's.
 */
export function PolicyEditor(props: {
  policy: PolicySettings;
  levels: readonly [Level, ...Level[]];
  save: (overrides: PolicyOverrides) => Promise<void>;
  /** Whose policy it is, to try it on the past. */
  replayOf: TrialLevel;
  /** What would come next; only where there is one instance of which that can be said. */
  preview?: (overrides: PolicyOverrides) => Promise<PolicyPreview>;
}) {
  const { policy, levels, save, replayOf, preview } = props;
  const [own, ...above] = levels;
  const [draft, setDraft] = useState<PolicyOverrides | null>(null);
  const [problems, setProblems] = useState<readonly PolicyProblem[]>([]);
  const [previewed, setPreviewed] = useState<PolicyPreview | null>(null);
  const [isBusy, setBusy] = useState(false);
  const overrides = draft ?? own.overrides;
  const change = (changed: PolicyOverrides | null) => {
    setDraft(changed);
    // They were about what was sent.
    setProblems([]);
    setPreviewed(null);
  };
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblems([]);
    try {
      await work();
    } catch (error) {
      const refusal = asApiError(error);
      const found = policyProblems(refusal.issues);
      if (found.length === 0) say(errorText(refusal), true);
      setProblems(found);
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (draft === null) return;
    void attempt(async () => {
      await save(draft);
      say(words.value.done.saved);
      change(null);
    });
  };
  const field = (placed: PlacedField) => {
    const { path } = placed;
    const timezonePath = [...path.slice(0, -1), "timezone"];
    return (
      <PolicyField
        key={path.join(".")}
        field={placed}
        effective={valueAt(policy, path)}
        source={levels.find((level) => valueAt(level.overrides, path) !== undefined)?.name ?? "service"}
        value={valueAt(overrides, path)}
        timezone={String(valueAt(overrides, timezonePath) ?? valueAt(policy, timezonePath) ?? "UTC")}
        problem={problemsAt(problems, path)}
        onChange={(value) => change(withValue(overrides, path, value))}
      />
    );
  };
  /** Whether this level says something of a part of it, or something is wrong there. */
  const isTouched = (part: Path) =>
    allFields().some(
      ({ path }) =>
        part.every((name, index) => path[index] === name) &&
        (valueAt(own.overrides, path) !== undefined || problemsAt(problems, path) !== null),
    );
  const digestOf = (name: FieldName) => {
    const path =
      name === "schedule"
        ? ["schedule", "awake"]
        : name === "maintenance"
          ? ["maintenance", "windows"]
          : null;
    const windows = path === null ? null : valueAt(policy, path);
    return isWindows(windows) ? spokenWindows(windows, String(valueAt(policy, [name, "timezone"]))) : null;
  };
  const form = (
    <form class="policy" onSubmit={submit}>
      <Presets
        level={own.name}
        own={overrides}
        above={above.map((level) => level.overrides)}
        onChange={change}
      />
      {fieldsOf(POLICY_FIELDS).map(field)}
      {SECTIONS_OF_LEVEL[own.name].map((name) => (
        <Section key={name} name={name} isOpen={name === "idle" || isTouched([name])} digest={digestOf(name)}>
          {fieldsOf(POLICY_FIELDS[name], [name]).map(field)}
          {name === "idle" && (
            <Section name="sources" isOpen={isTouched(SOURCES)} digest={null}>
              {fieldsOf(POLICY_FIELDS.idle.sources, SOURCES).map(field)}
            </Section>
          )}
        </Section>
      ))}
      <Unsaved problems={problems} />
      <div class="buttons">
        <button type="button" disabled={draft === null} onClick={() => change(null)}>
          {words.value.cancel}
        </button>
        <button type="submit" class="primary" disabled={draft === null || isBusy}>
          {words.value.save}
        </button>
        {preview !== undefined && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => attempt(async () => setPreviewed(await preview(overrides)))}
          >
            {words.value.use.preview.show}
          </button>
        )}
      </div>
      {previewed !== null && <Preview of={previewed} isDraft={draft !== null} />}
    </form>
  );
  return (
    <div class="replay-frame">
      <div class="policy-and-replay">
        {form}
        <ReplayPlace
          level={replayOf}
          policy={policy}
          overrides={overrides}
          isTyped={draft !== null}
          onTake={change}
        />
      </div>
    </div>
  );
}

function Section(props: {
  name: FieldName;
  isOpen: boolean;
  /** What is worth to be known of it while it is closed. */
  digest: string | null;
  children: ComponentChildren;
}) {
  const { name, isOpen, digest, children } = props;
  const hint = sectionHint(name);
  return (
    <details class="section" open={isOpen}>
      <summary>
        {words.value.policy.names[name]}
        {digest !== null && <span class="faint"> · {digest}</span>}
      </summary>
      <fieldset aria-label={words.value.policy.names[name]}>
        {hint !== null && <p class="faint">{hint}</p>}
        {children}
      </fieldset>
    </details>
  );
}

/** That nothing was saved, and where it is said why. What is about no field is said here. */
function Unsaved({ problems }: { problems: readonly PolicyProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="wrong" role="alert">
      <p>{words.value.policy.notSaved(problems.length)}</p>
      <ul>
        {problems.map((problem, index) => (
          <li key={index}>
            {problem.path === null ? <ProblemText of={problem} /> : <WhereItIs path={problem.path} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function WhereItIs({ path }: { path: Path }) {
  const goThere = () => {
    const field = document.getElementById(fieldId(path));
    for (const section of document.querySelectorAll("details"))
      if (section.contains(field)) section.open = true;
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  };
  return (
    <button type="button" class="link" onClick={goThere}>
      {path.map((_, index) => fieldLabel(path.slice(0, index + 1))).join(" – ")}
    </button>
  );
}

function problemsAt(problems: readonly PolicyProblem[], path: Path): ComponentChildren | null {
  const own = problems.filter((problem) => problem.path?.join(".") === path.join("."));
  if (own.length === 0) return null;
  return own.map((problem, index) => (
    <span key={index} class="problem">
      <ProblemText of={problem} />
    </span>
  ));
}
