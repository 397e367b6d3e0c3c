import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSeedSources } from '../../../src/host/seed-sources.ts'

const dir = mkdtempSync(join(tmpdir(), 'seed-'))
const file = (name: string, content: string) => {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@here'

describe('what a user gives for cloud-init', () => {
  test('are public keys, with options or without, and files', async () => {
    mkdirSync(join(dir, 'own/more'), { recursive: true })
    writeFileSync(join(dir, 'own/user-data'), '#cloud-config\n')
    const keys = file('keys', `# mine\n${key}\n\nno-pty ${key}\n`)
    const sources = await readSeedSources({ keys, folder: join(dir, 'own') })
    expect(sources.keys).toEqual([key, `no-pty ${key}`])
    expect(Object.keys(sources.own)).toEqual(['user-data'])
    expect(await readSeedSources({ keys: '', folder: '' })).toEqual({ keys: [], own: {} })
  })

  test.each([
    [{ keys: () => join(dir, 'none') }, 'No such file or directory'],
    [{ keys: () => file('private', '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n') }, 'it is a private key'],
    [{ keys: () => file('two', `${key}\nhello\n`) }, 'line 2 of its keys is not a public SSH key'],
    [{ keys: () => file('comments', '# none\n') }, 'it has no key'],
    [{ folder: () => join(dir, 'none') }, 'No such file or directory'],
    [{ folder: () => file('nofolder', '') }, 'Not a directory'],
    [{ folder: () => mkdtempSync(join(dir, 'empty-')) }, 'it has no files'],
  ])('is refused when it cannot be used (%#)', async (given, reason) => {
    const { keys = () => '', folder = () => '' } = given as { keys?: () => string; folder?: () => string }
    await expect(readSeedSources({ keys: keys(), folder: folder() })).rejects.toMatchObject({
      code: 'SEED_UNUSABLE',
      reason: expect.stringContaining(reason),
    })
  })
})
