/** An answer without fields that a former version does not know, at whatever depth, so that both can be compared. */
export function withoutFields(answer: unknown, fields: ReadonlySet<string>): unknown {
  return JSON.parse(JSON.stringify(answer, (field, value) => (fields.has(field) ? undefined : value)));
}
