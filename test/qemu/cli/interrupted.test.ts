import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { descendants } from '../../support/processes.ts'
import { waitFor } from '../../support/wait.ts'
import { type RunningXc, Xc } from '../../support/xc.ts'

// A start that is interrupted in every possible way leaves nothing behind, whichever process was killed.
const xc = new Xc()
const args = ['start', '--nvm', '2', '--nrouters', '0']
let census: Census

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(() => census.expectUnchanged())

/** A start whose first VM has been started. */
async function halfway(): Promise<RunningXc> {
  const begun = xc.begin(args)
  await begun.says(/^vms: /m)
  await waitFor(() => descendants().some(({ command }) => command.startsWith('qemu')), 30_000)
  return begun
}

/** The process id of the owner. */
function ownerPid(): number {
  const found = descendants().find(({ command }) => command.startsWith('xcluster-owner'))
  if (!found) throw new Error('no owner process')
  return found.pid
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s during xc start removes everything it had started before xc ends', async (signal, status) => {
  const begun = await halfway()
  begun.child.kill(signal)
  expect(await begun.result).toMatchObject({ status, stdout: '' })
  expect(begun.stderr).toContain('Cancelling: removing what has been started')
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})

test('Ctrl-C on a terminal during xc start removes everything it had started before xc ends', async () => {
  const begun = xc.onTerminal(`xc ${args.join(' ')}; echo status $?`)
  await waitFor(() => descendants().some(({ command }) => command.startsWith('qemu')), 60_000)
  begun.child.stdin?.write('\x03')
  await begun.says(/status 130/)
  expect(begun.stdout).toContain('Start cancelled; everything it had started has been removed.')
  await census.expectUnchanged()
})

test.each(['SIGHUP', 'SIGKILL'] as const)(
  '%s to xc during a start makes its owner remove everything',
  async signal => {
    const begun = await halfway()
    begun.child.kill(signal)
    expect(await begun.result).toMatchObject({ signal })
    await census.expectUnchanged()
  },
)

test('the owner removes everything when the terminal of xc start goes away', async () => {
  const begun = xc.onTerminal(`xc ${args.join(' ')}`)
  await waitFor(() => descendants().some(({ command }) => command.startsWith('qemu')), 60_000)
  begun.child.kill('SIGKILL') // script(1) holds the terminal: its death makes the kernel send SIGHUP
  await begun.result
  await census.expectUnchanged()
})

test('kill -9 of the owner during a start is reported by xc, and leaves nothing behind', async () => {
  const begun = await halfway()
  process.kill(ownerPid(), 'SIGKILL')
  const result = await begun.result
  expect(result.status).toBe(1)
  expect(result.stderr).toMatch(/^xc: start cluster: its owner process \(\d+\) ended without reporting why/m)
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})

test('after kill -9 of the owner of a running cluster the next xc command removes its directory', async () => {
  await xc.good(args)
  const pid = ownerPid()
  process.kill(pid, 'SIGKILL')
  await waitFor(() => descendants().length === 0, 1_500)
  expect(descendants()).toEqual([])
  expect(readdirSync(xc.runtime)).toEqual(['default'])
  expect(await xc.run(['status'])).toMatchObject({ status: 3, stdout: '' })
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})

test('of two simultaneous starts one succeeds, and the log has the refusal of the other', async () => {
  const [one, two] = await Promise.all([xc.run(args), xc.run(args)])
  expect([one.status, two.status].sort()).toEqual([0, 1])
  const loser = one.status === 1 ? one : two
  expect(loser.stderr).toContain('it is already running')
  await xc.good(['stop'])
  expect(readFileSync(`${xc.root}/state/xcluster/default/owner.log`, 'utf8')).toContain('already running')
  await census.expectUnchanged()
})
