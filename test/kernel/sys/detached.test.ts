import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { spawnDetached } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

const script = fileURLToPath(new URL('detached-echo.ts', import.meta.url))

test('a detached process talks over its pipe, logs to its file, and sees the parent close', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  const logFile = join(directory, 'owner.log')
  const env = { PATH: process.env.PATH, GREETING: 'hello' }
  const nodeArgs = ['--import', 'jiti/register']
  const owner = spawnDetached({ script, args: ['world'], nodeArgs, env, logFile })
  const said = defer<string>()
  const ended = defer<Error | undefined>()
  owner.port.receive({ data: bytes => said.resolve(Buffer.from(bytes).toString()), end: ended.resolve })
  expect(await said.promise).toBe(`hello world, session ${owner.pid}`)
  await owner.port.close()
  expect(await owner.exited).toEqual({ code: 7 })
  expect(readFileSync(logFile, 'utf8')).toBe('the other end has closed\n')
  rmSync(directory, { recursive: true })
})

test('a detached process that dies at once ends its pipe', async () => {
  const owner = spawnDetached({ script: '/no/such/script.js', env: {}, logFile: '/dev/null' })
  const ended = defer<Error | undefined>()
  owner.port.receive({ data: () => {}, end: ended.resolve })
  expect(await ended.promise).toBeUndefined()
  expect(await owner.exited).toEqual({ code: 1 })
  await owner.port.close()
})
