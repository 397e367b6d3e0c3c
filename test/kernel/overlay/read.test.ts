import { execSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { findOverlay, listOverlays, readOverlay } from '../../../src/overlay/index.ts'
import { test } from '../../support/leaks.ts'

/** A directory of overlays: each with the text of its `tar`. */
function overlays(tars: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'ovl-'))
  for (const [name, text] of Object.entries(tars)) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'tar'), text, { mode: 0o755 })
  }
  return directory
}

const env = { PATH: process.env.PATH, SETUP: 'test,more' }
const read = (directory: string, name: string, limitMs?: number) =>
  readOverlay(findOverlay(name, { paths: [directory], from: '/' }), { env, ...(limitMs && { limitMs }) })

const good = `#!/bin/sh
test "$1" = - || exit 7
cd $(mktemp -d) && echo "$SETUP" >setup && ln -s setup link && tar c setup link
`

describe('an overlay', () => {
  test('is what its tar writes, with the environment of the caller', async ({ census }) => {
    const { entries } = await read(overlays({ good }), 'good')
    expect(entries).toMatchObject([
      { path: 'setup', kind: 'file', content: Buffer.from('test,more\n') },
      { path: 'link', kind: 'link', target: 'setup' },
    ])
    await census.expectUnchanged()
  })

  test('is found in the first directory that has it, and by its path', async () => {
    const [first, second] = [overlays({ a: good }), overlays({ a: good, b: good })]
    const search = { paths: ['/nowhere', first, second], from: second }
    expect(findOverlay('a', search).path).toBe(join(first, 'a'))
    expect(findOverlay('b', search).path).toBe(join(second, 'b'))
    expect(findOverlay('./b', search)).toMatchObject({
      name: 'b',
      path: join(second, 'b'),
      kind: 'directory',
    })
    const listed = (await listOverlays(search)).map(({ path }) => path)
    expect(listed.slice(0, 2)).toEqual([join(first, 'a'), join(second, 'b')])
    expect(() => findOverlay('none', search)).toThrow(
      expect.objectContaining({
        code: 'OVERLAY_MISSING',
        reason: expect.stringContaining(`/nowhere, ${first}`),
      }),
    )
  })

  test.for<[string, string]>([
    ['a FIFO', 'mkfifo'],
    ['a device', 'ln -s /dev/zero'],
  ])('that is %s is refused, and nothing waits for its end', async ([, command]) => {
    const path = join(overlays({}), 'endless')
    execSync(`${command} ${path}`)
    const found = findOverlay(path, { paths: [], from: '/' })
    await expect(readOverlay(found, { env })).rejects.toMatchObject({
      code: 'OVERLAY_UNUSABLE',
      reason: expect.stringMatching(/it is not a file$/),
    })
  })

  test.for<[string, string, string | RegExp]>([
    [
      'fails',
      '#!/bin/sh\necho "no such thing" >&2\nexit 3\n',
      /exited with status 3\. It printed:\n {2}no such thing/,
    ],
    ['writes nothing', '#!/bin/sh\n', 'it gives no output where it should give a tar archive'],
    ['writes nonsense', '#!/bin/sh\nseq 1000\n', 'no tar archive'],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', 'it was killed by SIGKILL'],
    ['has no interpreter', '#!/nowhere/sh\n', 'it cannot be started: No such file or directory'],
  ])('whose tar %s is refused with one sentence, and nothing stays', async ([, text, reason], { census }) => {
    await expect(read(overlays({ bad: text }), 'bad')).rejects.toThrow(reason)
    await census.expectUnchanged()
  })

  test('whose tar does not end is killed with its children', async ({ census }) => {
    const directory = overlays({ slow: '#!/bin/sh\nsleep 1000 & sleep 1000\n' })
    await expect(read(directory, 'slow', 300)).rejects.toThrow('it did not end within 0.3 s, and was killed')
    await census.expectUnchanged()
  })

  test('without a tar, or with one that cannot be executed, is refused with the remedy', async () => {
    const directory = overlays({ plain: good })
    mkdirSync(join(directory, 'empty'))
    chmodSync(join(directory, 'plain/tar'), 0o644)
    await expect(read(directory, 'empty')).rejects.toThrow('it has neither a program `tar`')
    await expect(read(directory, 'plain')).rejects.toThrow(`Run: chmod +x ${directory}/plain/tar`)
  })
})
