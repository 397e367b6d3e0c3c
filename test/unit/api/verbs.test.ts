import { expect, test } from 'vitest'
import { nodeIn, upgradeProtocol, type Verb, verbs } from '../../../src/api/index.ts'

const all: readonly Verb[] = Object.values(verbs)

test.each([
  ['status', 'GET /v1/status'],
  ['stop', 'POST /v1/stop'],
  ['pause', 'POST /v1/pause'],
  ['scaleout', 'POST /v1/scaleout'],
  ['exec', 'POST /v1/nodes/:id/exec'],
  ['console', 'GET /v1/nodes/:id/console'],
  ['log', 'GET /v1/nodes/:id/log'],
  ['events', 'GET /v1/events'],
] as const)('the name and the parameters of %s put it at %s', (name, place) => {
  const { method, path } = verbs[name]
  expect(`${method} ${path}`).toBe(place)
})

test('a console is asked for by its own protocol', () => {
  expect(upgradeProtocol(verbs.console)).toBe('xcluster-console')
})

test('clients of any version may ask for the end of a cluster, and for nothing else', () => {
  expect(all.filter(({ anyVersion }) => anyVersion).map(({ name }) => name)).toEqual(['stop'])
})

test('a verb is told of in words that begin small and end without a full stop', () => {
  const shouted = all.filter(({ summary }) => !/^[a-z][^\n]{8,60}[^.]$/.test(summary))
  expect(shouted.map(({ summary }) => summary)).toEqual([])
})

test('words for what has begun stand with verbs that can be left to go on, and with all of them', () => {
  const begins = all.filter(({ said }) => said?.begun).map(({ name }) => name)
  const canBeLeft = all.filter(({ asks }) => Object.hasOwn(asks, 'wait')).map(({ name }) => name)
  expect(begins).toEqual(canBeLeft)
  expect(begins).toEqual(expect.arrayContaining(['reset', 'scaleout']))
})

test('the parameters of a GET fit into a query: its node is in the path, the others are flags', () => {
  const gets = all.filter(({ method }) => method === 'GET')
  const others = gets.flatMap(({ asks }) =>
    Object.entries(asks)
      .filter(([name]) => name !== nodeIn(asks))
      .map(([, { kind }]) => kind),
  )
  expect([...new Set(others)]).toEqual(['flag'])
})
