/** How the storage of an object is set back to a former moment (the platform's point-in-time recovery). */

/** A moment in ms, or a bookmark that an earlier call answered. */
export type RestoreTarget = { readonly at: number } | { readonly bookmark: string };

export type RestorePrepared =
  /** `undo`: the bookmark of the storage as it is now. */
  | { readonly outcome: "prepared"; readonly undo: string }
  /** This platform keeps no former states: a local one doesn't. */
  | { readonly outcome: "unsupported" }
  | { readonly outcome: "refused"; readonly because: string };

/** From the next start of the object on its storage is as it was then. */
export async function prepareRestore(
  storage: DurableObjectStorage,
  target: RestoreTarget,
): Promise<RestorePrepared> {
  try {
    const bookmark = "bookmark" in target ? target.bookmark : await storage.getBookmarkForTime(target.at);
    return { outcome: "prepared", undo: await storage.onNextSessionRestoreBookmark(bookmark) };
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    return /does not implement point-in-time recovery/.test(because)
      ? { outcome: "unsupported" }
      : { outcome: "refused", because };
  }
}
