import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as qmp from '../../../src/qmp/index.ts'
import { FakeQemu, portPair } from '../../support/qmp-fake.ts'
import { type Call, survivesWrongArguments, untold } from './wrong.ts'

/** A QEMU that answers everything at once. */
function answering(): qmp.Port {
  const [ours, theirs] = portPair()
  const qemu = new FakeQemu(theirs)
  void (async () => {
    await qemu.welcome()
    for await (const command of qemu.received) qemu.reply(command, {})
  })()
  return ours
}

/** An agent that answers everything at once: a program ends with status 0. */
function agentPort(): qmp.Port {
  const [ours, theirs] = portPair()
  theirs.receive({
    data(bytes) {
      for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
        const text = line.replaceAll('\xff', '')
        if (text === '') continue
        const { execute, arguments: given = {}, id } = JSON.parse(text)
        const value =
          execute === 'guest-sync-delimited'
            ? given.id
            : execute === 'guest-exec'
              ? { pid: 3 }
              : { exited: true, exitcode: 0 }
        theirs.send(
          Buffer.from(
            `${execute === 'guest-sync-delimited' ? '\xff' : ''}${JSON.stringify({ return: value, id })}\n`,
            'latin1',
          ),
        )
      }
    },
    end() {},
  })
  return ours
}

const monitor =
  (act: (open: qmp.QmpClient, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = await qmp.connectQmp(answering())
    await act(open, ...args)
  }
const agent =
  (act: (open: qmp.AgentClient, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = await qmp.connectAgent(agentPort())
    await act(open, ...args)
  }

const socket = () => join(tmpdir(), `q-${randomUUID().slice(0, 8)}`)
const { signal } = new AbortController()
const options = { peer: 'vm-003', timeoutMs: 1000, signal }

/** Without a limit it may take any time. */
const forEver = (value: unknown) =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/** Not for numbers: descriptors of this process would be taken over, and closed. */
const notNumbers = (value: unknown) => typeof value === 'number' || forEver(value)

const refusedAtOnce = async (open: Promise<AsyncDisposable>) => {
  const failure = await open.then(
    connected => connected[Symbol.asyncDispose](),
    (thrown: unknown) => thrown,
  )
  if (!(failure instanceof qmp.QmpError) || failure.code !== 'QMP_UNREACHABLE') throw failure
}

const calls: Readonly<Record<string, Call>> = {
  openQmp: {
    args: [socket(), { ...options, connectMs: 0 }],
    needs: ['0'],
    without: notNumbers,
    call: (...args) => refusedAtOnce(qmp.openQmp(...(args as unknown as [string]))),
  },
  openAgent: {
    args: [socket(), { ...options, connectMs: 0 }],
    needs: ['0'],
    without: notNumbers,
    call: (...args) => refusedAtOnce(qmp.openAgent(...(args as unknown as [string]))),
  },
  listenQmp: {
    args: [{ host: '127.0.0.1', port: 0 }],
    needs: ['0', '0.host', '0.port'],
    without: value => value === 'text',
    call: qmp.listenQmp,
  },
  'connectQmp options': { args: [options], call: given => qmp.connectQmp(answering(), given) },
  connectQmp: { args: [], call: () => qmp.connectQmp(answering()) },
  connectAgent: { args: [options], call: given => qmp.connectAgent(agentPort(), given) },
  'QmpClient.execute': {
    args: ['stop', { a: 1 }, { timeoutMs: 1000, signal, oob: false }],
    needs: ['0'],
    call: monitor((open, ...args) => open.execute(...(args as unknown as ['stop']))),
  },
  'QmpClient.events': {
    args: [['STOP'], { limit: 3 }],
    call: monitor((open, ...args) => open.events(...(args as unknown as ['STOP'])).end()),
  },
  'QmpClient.once': {
    args: ['STOP', () => true, { timeoutMs: 0, signal }],
    needs: ['0'],
    call: monitor(async (open, ...args) => {
      const waiting = open.once(...(args as unknown as ['STOP'])).catch(unlessWrong)
      await Promise.all([waiting, open.close()])
    }),
  },
  'AgentClient.execute': {
    args: ['guest-exec-status', { pid: 3 }, { timeoutMs: 1000, signal, longestReply: 999 }],
    needs: ['0'],
    call: agent((open, ...args) => open.execute(...(args as unknown as ['guest-exec-status', { pid: 3 }]))),
  },
  'AgentClient.exec': {
    args: [['true'], { input: 'x', env: { A: 'b' }, timeoutMs: 1000, signal }],
    needs: ['0'],
    call: agent((open, ...args) => open.exec(...(args as unknown as ['true']))),
  },
  'AgentClient.sync': {
    args: [1000],
    call: agent((open, ...args) => open.sync(...(args as unknown as [1]))),
  },
}

test('a port that is none is refused', async () => {
  await expect(qmp.connectQmp(7 as never)).rejects.toThrow('port is the number 7, not a Port')
  await expect(qmp.connectAgent(undefined as never)).rejects.toThrow('port is absent, not a Port')
})

/** The wait ends with an event, by its time, or because its arguments are wrong. */
function unlessWrong(thrown: unknown): void {
  if (!(thrown instanceof qmp.QmpError) || thrown.code === 'BAD_ARGUMENT') throw thrown
}

test('every call of qmp tells what is wrong with its arguments', () => survivesWrongArguments(calls), 120_000)

test('no call of qmp is left out', () => {
  const known = [
    'QmpError',
    'socketPair',
    'adoptStream',
    'connectWhenReady',
    'QmpClient.close',
    'AgentClient.close',
  ]
  expect(untold(qmp, calls, known).filter(name => !name.startsWith('StreamPort.'))).toEqual([])
})
