/** Whether the history has an event of a user's fleet itself: of this id, and of this moment. */
export async function hasOwnEvent(
  db: D1Database,
  userId: string,
  { id, at }: { readonly id: string; readonly at: number },
): Promise<boolean> {
  const row = await db
    .prepare("SELECT 1 FROM events WHERE user_id = ? AND at = ? AND instance_id = '' AND id = ?")
    .bind(userId, at, id)
    .first();
  return row !== null;
}
