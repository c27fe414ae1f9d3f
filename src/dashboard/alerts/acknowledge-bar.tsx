import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { doToEach, type Outcome } from "../fleet/bulk.ts";
import { errorText, say } from "../parts/notice.tsx";
import type { AlertAnswer } from "./answers.ts";
import { alertWords } from "./words.ts";

interface AcknowledgeBarProps {
  /** All that may be acknowledged, as they are listed. */
  readonly open: readonly AlertAnswer[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly onChange: () => void;
}

/** Chooses all alerts that are listed, and acknowledges those that are chosen. */
export function AcknowledgeBar({ open, chosen, onChoose, onChange }: AcknowledgeBarProps) {
  const [isBusy, setBusy] = useState(false);
  const said = alertWords.value;
  const these = open.filter(({ id }) => chosen.has(id));
  const acknowledge = async () => {
    setBusy(true);
    const outcomes: Outcome[] = [];
    await doToEach(
      these,
      ({ id }) => ask("POST", `/api/agent/alerts/${id}/acknowledge`),
      (_, outcome) => void outcomes.push(outcome),
      new AbortController().signal,
    );
    setBusy(false);
    onChoose(new Set());
    const done = outcomes.filter(({ end }) => end === "done").length;
    const [refused] = outcomes.flatMap((outcome) => (outcome.end === "refused" ? [outcome.error] : []));
    const why = refused === undefined ? null : errorText(refused);
    say(
      why === null ? said.allAcknowledged(done) : said.someAcknowledged(done, outcomes.length - done, why),
      why !== null,
    );
    onChange();
  };
  const isAll = these.length === open.length;
  return (
    <div class="acknowledge-bar">
      <label>
        <input
          type="checkbox"
          checked={isAll}
          ref={(box) => {
            if (box !== null) box.indeterminate = these.length > 0 && !isAll;
          }}
          onChange={() => onChoose(isAll ? new Set() : new Set(open.map(({ id }) => id)))}
        />{" "}
        {these.length === 0 ? said.chooseAll : said.chosen(these.length)}
      </label>
      {these.length > 0 && (
        <button type="button" class="primary" disabled={isBusy} onClick={() => void acknowledge()}>
          {said.acknowledgeChosen(these.length)}
        </button>
      )}
    </div>
  );
}
