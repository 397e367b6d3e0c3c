/** Resolves with all values of an async source when it has ended (`Array.fromAsync` comes with Node 22). */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = []
  for await (const value of source) values.push(value)
  return values
}
