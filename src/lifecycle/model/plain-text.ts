import { z } from "zod";

/** Text that machines send and people read: no control or invisible characters, and none that reverse the writing direction. */

const UNSEEN = "\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}";

/** Text that is refused where it holds such characters. */
export const plainText = z
  .string()
  .regex(new RegExp(`^[^${UNSEEN}]*$`, "u"), "must hold no control characters");

/** Text of so many characters. What is too much, or should not be seen, is cut: it must not make a machine look silent. */
export function cutText(length: number) {
  return z
    .string()
    .overwrite((text) => cut(text.replace(new RegExp(`[${UNSEEN}]`, "gu"), ""), length))
    .describe(`Kept to ${length} characters`);
}

/** The same of several lines, of which the last are kept. */
export function lastLines(length: number) {
  return z
    .string()
    .overwrite((text) =>
      [...text.replace(new RegExp(`(?![\\n\\t])[${UNSEEN}]`, "gu"), "")].slice(-length).join(""),
    )
    .describe(`Kept to its last ${length} characters`);
}

function cut(text: string, length: number): string {
  return [...text].slice(0, length).join("");
}
