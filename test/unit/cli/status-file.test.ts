import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mustBeWritable, writeStatusFile } from '../../../src/cli/commands/fleet/status-file.ts'
import type { Status } from '../../../src/client/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'xc-status-'))

test('a status is written in place of a file, and never in place of a device or a directory', async () => {
  const file = join(folder, 'status.json')
  writeFileSync(file, 'earlier')
  mustBeWritable(file)
  await writeStatusFile(file, { name: 'lab' } as Status)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ name: 'lab' })
  expect(readdirSync(folder)).toEqual(['status.json'])
  const refused = { code: 'STATUS_NOT_WRITTEN', target: expect.any(String) }
  for (const place of ['/dev/null', folder, join(folder, 'missing/status.json')])
    expect(() => mustBeWritable(place), place).toThrow(expect.objectContaining(refused))
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
})

test('a status that cannot be written leaves nothing', async () => {
  const failing = writeStatusFile(join(folder, 'missing/status.json'), {} as Status)
  await expect(failing).rejects.toMatchObject({
    code: 'STATUS_NOT_WRITTEN',
    reason: expect.stringMatching(/No such file/),
  })
})
