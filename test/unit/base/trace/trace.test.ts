import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import {
  printTraces,
  readTraceAreas,
  type TraceMessage,
  traceAreas,
  traceOf,
} from '../../../../src/base/index.ts'
import { oneSentence } from '../../../support/xc.ts'

const told = { direction: 'noted', peer: 'vm-001', what: 'is ready', value: {} } as const

test.for<[string | undefined, readonly string[]]>([
  [undefined, []],
  ['', []],
  ['qmp', ['qmp']],
  [' netlink, nft,,qmp,qmp ', ['netlink', 'nft', 'qmp']],
  ['vm,all', traceAreas],
])('XCLUSTER_TRACE=%s', ([text, areas]) => {
  expect(readTraceAreas(text)).toEqual(areas)
})

test('an unknown trace area is refused as bad usage, with the names of all areas', () => {
  expect(() => readTraceAreas('netlink,qpm')).toThrowError(
    expect.objectContaining({ code: 'TRACE_AREA', kind: 'usage', message: expect.stringContaining("'qpm'") }),
  )
  try {
    readTraceAreas('qpm')
  } catch (failure) {
    const { message } = failure as Error
    expect(`xc: ${message}\n`).toMatch(oneSentence)
    for (const area of traceAreas) expect(message).toContain(area)
  }
})

test('a trace area is on while its channel has subscribers', () => {
  const trace = traceOf('vm')
  const heard: unknown[] = []
  const hear = (message: unknown) => heard.push(message)
  expect(trace.on).toBe(false)
  subscribe('xcluster:vm', hear)
  expect(trace.on).toBe(true)
  expect(traceOf('qmp').on).toBe(false)
  trace.tell(told)
  unsubscribe('xcluster:vm', hear)
  expect(trace.on).toBe(false)
  expect(heard).toEqual([{ area: 'vm', at: expect.any(Number), ...told }])
  expect(Math.abs((heard[0] as TraceMessage).at - Date.now())).toBeLessThan(60_000)
})

test('printTraces prints lines of the given areas until it is ended', () => {
  const lines: string[] = []
  const end = printTraces(['vm', 'dns'], line => lines.push(line))
  traceOf('vm').tell(told)
  traceOf('qmp').tell(told)
  traceOf('dns').relay({ ...told, area: 'dns', at: 0 })
  end()
  traceOf('vm').tell(told)
  expect(lines).toEqual([
    expect.stringMatching(/^20\d\d-\S+Z vm -- vm-001: is ready$/),
    '1970-01-01T00:00:00.000Z dns -- vm-001: is ready',
  ])
  expect(traceOf('vm').on || traceOf('dns').on).toBe(false)
})
