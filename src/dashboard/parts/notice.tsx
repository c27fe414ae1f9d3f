import { signal } from "@preact/signals";
import { type ApiError, asApiError } from "../api-error.ts";
import { words } from "../words.ts";

/** One line about what the user just did; it goes by itself. */

const SHOWN_MS = 6000;

const notice = signal<{ readonly text: string; readonly bad: boolean } | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, bad = false): void {
  clearTimeout(timer);
  notice.value = { text, bad };
  timer = setTimeout(() => {
    notice.value = null;
  }, SHOWN_MS);
}

/** Does what the user asked, and says how it went. Whether it went well. */
export async function doAndSay<T>(work: () => Promise<T>, done: (answer: T) => string): Promise<boolean> {
  try {
    say(done(await work()));
    return true;
  } catch (error) {
    say(errorText(asApiError(error)), true);
    return false;
  }
}

export function errorText(error: ApiError): string {
  if (error.status === 0) return words.value.offline;
  const issues = error.issues.map(({ path, message }) => `${path.replace(/^body\./, "")}: ${message}`);
  return issues.length > 0 ? issues.join("; ") : error.message || words.value.failed;
}

export function Notice() {
  return (
    <div class="notices" role="status">
      {notice.value && <p class={notice.value.bad ? "notice bad" : "notice"}>{notice.value.text}</p>}
    </div>
  );
}
