import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { words } from "../../words.ts";
import { sectionHint } from "../policy-field.tsx";
import type { SectionName } from "./arrangement.ts";
import { policyEditorWords } from "./words.ts";

/** Fields that are not seen at first. */
export function Folded(props: {
  name: SectionName;
  /** Whether there is a reason to look at it. Once it is open, only its reader closes it. */
  isTold: boolean;
  /** What is worth to be known of it while it is closed. */
  digest: string | null;
  children: ComponentChildren;
}) {
  const { name, isTold, digest, children } = props;
  const [isOpen, setOpen] = useState(isTold);
  useEffect(() => {
    if (isTold) setOpen(true);
  }, [isTold]);
  const title = titleOf(name);
  const hint = name === "running" ? policyEditorWords.value.hints.running : sectionHint(name);
  return (
    <details class="section" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {title}
        {digest !== null && <span class="faint"> · {digest}</span>}
      </summary>
      <fieldset aria-label={title}>
        {hint !== null && <p class="faint">{hint}</p>}
        {children}
      </fieldset>
    </details>
  );
}

function titleOf(name: SectionName): string {
  const { more } = policyEditorWords.value;
  switch (name) {
    case "running":
    case "idle":
    case "orphan":
      return more[name];
    default:
      return words.value.policy.names[name];
  }
}
