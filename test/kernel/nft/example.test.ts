import { rmSync } from 'node:fs'
import { expect } from 'vitest'
import { NetNamespace } from '../../../src/sys/index.ts'
import { readText } from '../../house/project.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { compile } from '../../support/readme.ts'

const examples = Array.from(
  readText('docs/nft.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm),
  ([, text]) => text!,
)

/** What an example of the page prints in a namespace, and the ruleset that it leaves there. */
async function run(text: string): Promise<{ printed: string[]; ruleset: string }> {
  const { script, folder, output } = compile(text)
  try {
    expect(output).toBe('')
    await using namespace = NetNamespace.create()
    const { stdout } = await inNamespace(namespace, [process.execPath, script])
    const ruleset = await inNamespace(namespace, ['nft', 'list', 'ruleset'])
    return { printed: stdout.trim().split('\n'), ruleset: ruleset.stdout }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the first example of docs/nft.md compiles against the built package, runs, and leaves nothing behind', async () => {
  const { printed, ruleset } = await run(examples[0]!)
  expect(printed).toEqual(['example nat accept 1', 'example web undefined 0', 'example input drop 2'])
  expect(ruleset).toBe('')
})

test('the example of sets in docs/nft.md makes what nft lists', async () => {
  const { ruleset } = await run(examples[1]!)
  expect(ruleset).toContain('elements = { 10.0.0.0/8 . 6000-6063')
  expect(ruleset).toContain('ip saddr . tcp dport @blocked drop')
  expect(ruleset).toMatch(/add @seen \{ ip saddr limit rate over 100\/second( burst 5 packets)? \} counter/)
})

test('the example of changes in docs/nft.md compiles against the built package', () => {
  const { folder, output } = compile(examples[2]!)
  rmSync(folder, { recursive: true })
  expect(output).toBe('')
  expect(examples).toHaveLength(3)
})
