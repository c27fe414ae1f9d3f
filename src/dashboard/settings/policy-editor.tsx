import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { errorText, say } from "../parts/notice.tsx";
import { useLeavingGuard } from "../parts/unsaved.ts";
import { asApiError, useLive } from "../poll.ts";
import { ReplayPlace } from "../replay/replay-place.tsx";
import type { TrialLevel } from "../replay/request.ts";
import { may } from "../session.ts";
import { words } from "../words.ts";
import { arrangementOf, type SectionName } from "./policy/arrangement.ts";
import { contradictionsOf } from "./policy/contradictions.ts";
import { Folded } from "./policy/folded.tsx";
import { type LadderName, laddersOf } from "./policy/ladder.ts";
import { LadderPicture } from "./policy/ladder.tsx";
import "./policy/policy.css";
import { policyEditorWords } from "./policy/words.ts";
import { fieldId, fieldLabel, PolicyField } from "./policy-field.tsx";
import { type PolicyProblem, policyProblems } from "./policy-problems.ts";
import {
  changesBetween,
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

interface Level {
  readonly name: "instance" | "user";
  readonly overrides: PolicyOverrides;
}

/** What holds where nobody has set anything never changes while the page is open. */
const DEFAULTS_PAUSE_MS = 3_600_000;

const LANES = { idle: "idle", silence: "orphan" } as const satisfies Record<LadderName, string>;

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
  /** Grows when what is typed is thrown away, also what could not be read. */
  const [edition, setEdition] = useState(0);
  const [problems, setProblems] = useState<readonly PolicyProblem[]>([]);
  const [previewed, setPreviewed] = useState<PolicyPreview | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { data: service } = useLive<{ defaults: PolicySettings }>("/api/agent/policy", DEFAULTS_PAUSE_MS);
  /** What was saved, until it is read again: what was before must not be seen in between. */
  const [saved, setSaved] = useState<PolicyOverrides | null>(null);
  useEffect(() => setSaved(null), [JSON.stringify(own.overrides)]);
  const kept = saved ?? own.overrides;
  const overrides = draft ?? kept;
  const changes = changesBetween(kept, overrides);
  const isChanged = changes > 0;
  useLeavingGuard(isChanged, () => policyEditorWords.value.leaving);
  const change = (changed: PolicyOverrides | null) => {
    setDraft(changed);
    // They were about what was sent.
    setProblems([]);
    setPreviewed(null);
  };
  const discard = () => {
    change(null);
    setEdition(edition + 1);
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
    if (!isChanged) return;
    void attempt(async () => {
      await save(overrides);
      setSaved(overrides);
      say(words.value.done.saved);
      // What was typed meanwhile is not saved yet.
      setDraft((typed) => (typed === overrides ? null : typed));
      setPreviewed(null);
    });
  };
  const inheritedAt = (path: Path) => {
    const level = above.find(({ overrides: each }) => valueAt(each, path) !== undefined);
    if (level !== undefined) return { value: valueAt(level.overrides, path), source: "user" as const };
    // Until the service's own are known, what holds says the same where this level says nothing.
    const of = service?.defaults ?? (valueAt(kept, path) === undefined ? policy : {});
    return { value: valueAt(of, path), source: "service" as const };
  };
  const heldAt = (path: Path) => {
    const value = valueAt(overrides, path);
    return value === undefined ? inheritedAt(path).value : value;
  };
  const contradictions = isChanged ? contradictionsOf(laddersOf(heldAt)) : [];
  const field = (placed: PlacedField) => {
    const { path } = placed;
    const { value: inherited, source } = inheritedAt(path);
    return (
      <PolicyField
        key={path.join(".")}
        field={placed}
        inherited={inherited}
        source={source}
        level={own.name}
        value={valueAt(overrides, path)}
        timezone={String(heldAt([...path.slice(0, -1), "timezone"]) ?? "UTC")}
        problem={problemsAt(problems, path) ?? problemsAt(contradictions, path)}
        onChange={(value) => change(withValue(overrides, path, value))}
      />
    );
  };
  const isTouched = ({ path }: PlacedField) =>
    valueAt(kept, path) !== undefined || problemsAt(problems, path) !== null;
  const digestOf = (name: SectionName) => {
    const path =
      name === "schedule"
        ? ["schedule", "awake"]
        : name === "maintenance"
          ? ["maintenance", "windows"]
          : null;
    const windows = path === null ? null : valueAt(policy, path);
    return isWindows(windows) ? spokenWindows(windows, String(valueAt(policy, [name, "timezone"]))) : null;
  };
  const { mode, ladders, folded } = arrangementOf(own.name);
  const mayChange = may("operator");
  const { ladder, changed, discard: discardLabel } = policyEditorWords.value;
  const form = (
    <form
      key={edition}
      class="policy"
      onSubmit={submit}
      onInvalidCapture={({ target }) => openAround(target)}
    >
      {!mayChange && <p class="faint">{policyEditorWords.value.viewer}</p>}
      <fieldset class="all" disabled={!mayChange}>
        <Presets
          level={own.name}
          own={overrides}
          above={above.map((level) => level.overrides)}
          onChange={change}
        />
        {mode.map(field)}
        <h3>{ladder.title}</h3>
        <LadderPicture at={heldAt} observes={heldAt(["mode"]) === "observe"} />
        <div class="ladders">
          {(["idle", "silence"] as const).map((name) => (
            <fieldset key={name} aria-label={words.value.policy.names[LANES[name]]}>
              <p class="lane-name">{ladder.lanes[name]}</p>
              {ladders[name].map(field)}
            </fieldset>
          ))}
        </div>
        {folded.map(({ name, fields }) => (
          <Folded key={name} name={name} isTold={fields.some(isTouched)} digest={digestOf(name)}>
            {fields.map(field)}
          </Folded>
        ))}
      </fieldset>
      <Unsaved problems={problems} />
      {previewed !== null && <Preview of={previewed} isDraft={isChanged} />}
      {mayChange && (
        <div class={isChanged ? "save-bar changed" : "save-bar"}>
          <span role="status">{isChanged && changed(changes)}</span>
          <span class="buttons">
            {preview !== undefined && (
              <button
                type="button"
                disabled={isBusy}
                onClick={() => attempt(async () => setPreviewed(await preview(overrides)))}
              >
                {words.value.use.preview.show}
              </button>
            )}
            <button type="button" disabled={!isChanged} onClick={discard}>
              {discardLabel}
            </button>
            <button type="submit" class="primary" disabled={!isChanged || isBusy}>
              {words.value.save}
            </button>
          </span>
        </div>
      )}
    </form>
  );
  return (
    <div class="replay-frame">
      <div class="policy-and-replay">
        {form}
        {mayChange && (
          <ReplayPlace
            level={replayOf}
            policy={policy}
            overrides={overrides}
            isTyped={isChanged}
            onTake={change}
          />
        )}
      </div>
    </div>
  );
}

/** A field that is not valid must be seen to be mended. */
function openAround(field: EventTarget | null): void {
  if (!(field instanceof Node)) return;
  for (const section of document.querySelectorAll("details"))
    if (section.contains(field)) section.open = true;
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
    openAround(field);
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
