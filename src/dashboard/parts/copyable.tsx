import { useState } from "preact/hooks";
import { words } from "../words.ts";

/** A command to copy. */
export function Copyable({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="copyable">
      <pre>{text}</pre>
      <button type="button" onClick={copy}>
        {copied ? words.value.copied : words.value.copy}
      </button>
    </div>
  );
}
