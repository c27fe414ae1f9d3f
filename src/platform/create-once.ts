/** Creates a workflow instance unless there is one of this id. */
export async function createOnce<T>(workflows: Workflow<T>, id: string, params: T): Promise<void> {
  try {
    await workflows.create({ id, params });
  } catch (error) {
    // The platform has no code for it. Any other failure leaves no instance of this id.
    if ((await workflows.get(id).catch(() => null)) === null) throw error;
  }
}
