/** Waits for some seconds at most: whoever waits longer does so in a step of a workflow, or by an alarm. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
