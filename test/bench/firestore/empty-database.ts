/** As Google's documentation of the emulator says. */
export async function emptyDatabase(firestoreHost: string, project: string): Promise<void> {
  const database = `projects/${project}/databases/(default)`;
  const response = await fetch(`http://${firestoreHost}/emulator/v1/${database}/documents`, {
    method: 'DELETE',
  });
  if (!response.ok) throw new Error(`the Firestore emulator was not cleared: ${await response.text()}`);
}
