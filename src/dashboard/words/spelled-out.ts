/** A name for which no language has a word: `chat_id` is "Chat id". */
export function spelledOut(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
