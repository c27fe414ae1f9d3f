import { signal } from "@preact/signals";

/** The operator's token, in memory alone: whoever reloads the page types it anew. */
export const operatorToken = signal<string | null>(null);
