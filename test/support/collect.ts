/** All values of an async source, after it has ended (`Array.fromAsync` comes with Node 22). */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = []
  for await (const value of source) values.push(value)
  return values
}
