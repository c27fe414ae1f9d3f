import { words } from "../words.ts";
import { CopyBox } from "./copy-box.tsx";

/** A command to copy. */
export function Copyable({ text }: { text: string }) {
  const { copy, copied } = words.value;
  return <CopyBox text={text} copy={copy} copied={copied} />;
}
