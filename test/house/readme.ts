import { readText } from './project.ts'

/** README's library example, as a user would save it. */
export function readmeExample(): string {
  const blocks = [...readText('README.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  if (blocks.length !== 1) throw new Error(`README.md has ${blocks.length} TypeScript examples, not one`)
  return blocks[0]![1]!
}
