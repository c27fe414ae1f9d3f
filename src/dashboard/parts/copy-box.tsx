import { useState } from "preact/hooks";

const COPIED_SHOWN_MS = 2000;

/** A text to copy, by whoever brings the words for it. `tabIndex`: of a text that may be so long that it scrolls. */
export function CopyBox({
  text,
  copy,
  copied,
  tabIndex,
}: {
  text: string;
  copy: string;
  copied: string;
  tabIndex?: number;
}) {
  const [isCopied, setCopied] = useState(false);
  const take = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_SHOWN_MS);
  };
  return (
    <div class="copyable">
      <pre tabIndex={tabIndex}>{text}</pre>
      <button type="button" onClick={take}>
        {isCopied ? copied : copy}
      </button>
    </div>
  );
}
