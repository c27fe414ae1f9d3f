import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { Choices } from "../parts/choices.tsx";
import { say } from "../parts/notice.tsx";
import { fieldId } from "../settings/policy-field.tsx";
import type { PolicyReplay } from "./answers.ts";
import { BasisOf } from "./basis.tsx";
import { ByInstance } from "./by-instance.tsx";
import { Interruptions } from "./interruptions.tsx";
import { KeptPreviews } from "./kept-previews.tsx";
import { ProposalOf } from "./proposal.tsx";
import "./replay.css";
import { SPANS, type TrialLevel, triedAtLevel } from "./request.ts";
import { ResultsTable } from "./results-table.tsx";
import { goToReplay, Summary } from "./summary.tsx";
import { TryingLine } from "./trying-line.tsx";
import { triedAt } from "./two.ts";
import { useTrial } from "./use-trial.ts";
import { replayWords } from "./words.ts";

interface Editor {
  /** As it is saved. */
  readonly policy: PolicySettings;
  /** What is typed. */
  readonly overrides: PolicyOverrides;
  /** Puts other numbers into the editor. */
  readonly onTake: (overrides: PolicyOverrides) => void;
}

/** What is typed of a policy, tried on the past: in short beside the numbers, and all of it below them. */
export function ReplayPart(
  props: Editor & {
    readonly level: TrialLevel;
    /** Whether the overrides differ from what is saved. */
    readonly isTyped: boolean;
  },
) {
  const { level, overrides, isTyped } = props;
  const { trial, state, span, setSpan, tryNow, removals } = useTrial(level, overrides, isTyped);
  const { title, hint, over, spans } = replayWords.value;
  const { shown } = state;
  const onTake = (taken: PolicyOverrides) => {
    props.onTake(taken);
    say(replayWords.value.proposal.taken);
    document.getElementById(fieldId(["idle", "hibernate_after_seconds"]))?.focus();
  };
  return (
    <>
      <div class="replay-side">
        <Summary state={state} />
      </div>
      <section class="replay" aria-label={title} id="replay" tabIndex={-1}>
        <header>
          <h3>{title}</h3>
          <Choices label={over} choices={SPANS} names={spans} chosen={span} onChoose={setSpan} />
        </header>
        <p class="faint">{hint}</p>
        <TryingLine state={state} onTry={tryNow} onKeep={() => trial.keep()} />
        {shown !== null && (
          <div aria-busy={state.trying.is !== "at_rest"} class={state.of === "before" ? "stale" : undefined}>
            <Shown {...props} onTake={onTake} preview={shown} />
          </div>
        )}
        <KeptPreviews
          stamp={`${shown?.id} ${shown?.state} ${removals}`}
          passing={shown === null || state.isKept ? null : shown.id}
          overridesOf={(preview) => triedAtLevel(level, preview)}
          onTake={onTake}
          onOpen={(preview) => {
            trial.open(preview);
            goToReplay();
          }}
          onChosen={(id) => {
            if (id === shown?.id) trial.keep();
          }}
          onRemoved={(id) => trial.forget(id)}
        />
      </section>
    </>
  );
}

function Shown({ preview, ...editor }: Editor & { readonly preview: PolicyReplay }) {
  const { noInstances, nothingKept, observes, judgesNone } = replayWords.value;
  const { instances, state, basis } = preview;
  if (instances.total === 0) return <p>{noInstances}</p>;
  if (state === "done" && basis.readings === 0 && basis.coarse_hours === 0) {
    return (
      <>
        <p>{nothingKept}</p>
        <BasisOf preview={preview} />
      </>
    );
  }
  return (
    <>
      {triedAt(preview, ["mode"]) === "observe" && <p class="remark">{observes}</p>}
      {triedAt(preview, ["idle", "enabled"]) === false && <p class="remark">{judgesNone}</p>}
      <ResultsTable results={preview.results} />
      <Interruptions preview={preview} />
      <ProposalOf preview={preview} {...editor} />
      <ByInstance key={preview.id} preview={preview} />
      <BasisOf preview={preview} />
    </>
  );
}
