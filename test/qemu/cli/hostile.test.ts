import { expect } from 'vitest'
import { codeOf, nodeName } from '../../../src/base/index.ts'
import { explain } from '../../../src/cli/errors.ts'
import { attack } from '../../support/hostile/attack.ts'
import { type HostileKind, hostileKinds } from '../../support/hostile/kinds.ts'
import { test } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

/** What a terminal obeys, besides newlines and tabs. */
const obeyed = /[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
/** A line that a guest would like you to believe. */
const forged = /^(xc: )?forged/m

test('a cluster with one hostile guest of every kind is used and stopped as if all were good', {
  timeout: 600_000,
}, async ({ census }) => {
  const xc = new Xc()
  const { said, commands, growthMiB, verifyMs } = await attack(xc, hostileKinds)
  expect(said.status.status).toBe(0)
  expect(said.status.stdout).toMatch(/vm-001 +vm +ready/)
  expect(said.good).toMatchObject({ status: 0, stdout: 'good\n' })
  expect(said.pause).toMatchObject({ status: 0, stderr: 'Paused: vm-001.\n' })
  expect(said.stop).toMatchObject({ status: 0, stderr: "Stopped cluster 'default'.\n" })
  const ends = Object.fromEntries(
    Object.entries(commands).map(([kind, end]) => [kind, typeof end === 'number' ? end : codeOf(end)]),
  )
  const late = 'EXEC_TIMEOUT'
  expect(ends).toEqual({
    // Commands do not go through the agent.
    'agent is silent': 0,
    'agent sends wrong types': 0,
    'agent sends unknown ids': 0,
    'agent sends half a line': 0,
    'agent sends an endless line': 0,
    'agent nests deeply': 0,
    'agent sends many values': 0,
    'agent floods newlines': 0,
    'agent refuses with escapes': 0,
    'agent answers byte by byte': 0,
    'channel is silent': late,
    'channel lies': late,
    'channel sends what nothing has credit for': 'EXEC_LOST',
    'channel claims gigabytes': 'EXEC_LOST',
    'channel takes no input and never ends': late,
    'channel restarts without end': 'EXEC_LOST',
    'channel floods': 'EXEC_LOST',
    'channel answers questions with garbage': late,
    'channel answers with a message of gigabytes': late,
    'channel answers without end': late,
    'channel answers with what was not asked': late,
    'console floods': 0,
    'console sends escapes': 0,
    'guest panics': 'NODE_NOT_READY',
    'guest restarts': 'NODE_NOT_READY',
    'guest halts': late,
  })
  // Those whose channel lies or is silent, and those whose guest has ended, are named. The others are verified.
  const { differences } = JSON.parse(said.verify.stdout) as { differences: { node: string; what: string }[] }
  const named = new Set(
    differences.flatMap(({ node, what }) => (['guest', 'node'].includes(what) ? [node] : [])),
  )
  const isBad = ({ name }: HostileKind) => /^(channel|guest) /.test(name)
  expect([...named].sort()).toEqual(
    hostileKinds.flatMap((kind, index) => (isBad(kind) ? [nodeName(index + 2)] : [])).sort(),
  )
  expect(verifyMs).toBeLessThan(30_000)
  for (const [kind, end] of Object.entries(commands)) {
    const text = typeof end === 'number' ? '' : explain(end, false)
    expect(`${kind}: ${text}`).not.toMatch(obeyed)
    expect(`${kind}: ${text}`).not.toMatch(forged)
    expect(text.length).toBeLessThan(4000)
  }
  for (const [what, { stdout, stderr }] of Object.entries(said)) {
    expect(`${what}: ${stdout}${stderr}`).not.toMatch(obeyed)
    expect(`${what}: ${stdout}${stderr}`).not.toMatch(forged)
    expect(`${what}: ${stderr}`).not.toMatch(/internal error|TypeError|suppressed/)
  }
  expect(growthMiB).toBeLessThan(128) // the benchmark has the figures
  await census.expectUnchanged()
})
