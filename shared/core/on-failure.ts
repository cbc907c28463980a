/** What `work` answers; when it throws, `tidy` is done first and the error goes on. */
export async function onFailure<T>(
  work: () => Promise<T>,
  tidy: (error: unknown) => Promise<void>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await tidy(error);
    throw error;
  }
}
