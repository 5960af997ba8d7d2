/** Polls, for 10 s or as said. A check that throws does not hold yet. */
export async function until(holds: () => Promise<boolean>, milliseconds = 10_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms for ${holds}`);
    await Bun.sleep(20);
  }
}
