import { rmSync } from 'node:fs'
import { expect } from 'vitest'
import { NetNamespace } from '../../../src/sys/index.ts'
import { readText } from '../../house/project.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { compile } from '../../support/readme.ts'

test('the example of docs/nft.md compiles against the built package, runs, and leaves nothing behind', async () => {
  const [, text] = /^```ts\n([\s\S]*?)^```$/m.exec(readText('docs/nft.md'))!
  const { script, folder, output } = compile(text!)
  try {
    expect(output).toBe('')
    await using namespace = NetNamespace.create()
    const { stdout } = await inNamespace(namespace, [process.execPath, script])
    expect(stdout.trim().split('\n')).toEqual([
      'example nat accept 1',
      'example web undefined 0',
      'example input drop 2',
    ])
    expect((await inNamespace(namespace, ['nft', 'list', 'ruleset'])).stdout).toBe('')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
