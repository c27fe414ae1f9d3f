/** A description: what stands between backticks is code. */
export function Text({ text }: { text: string }) {
  return (
    <>
      {text.split("`").map((part, index) =>
        // Every second part stood between two.
        index % 2 === 0 ? part : <code key={`${index}:${part}`}>{part}</code>,
      )}
    </>
  );
}
