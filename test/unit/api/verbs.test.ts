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
] as const)('the verb %s has the route %s, which follows from its name and parameters', (name, place) => {
  const { method, path } = verbs[name]
  expect(`${method} ${path}`).toBe(place)
})

test('the upgrade of a console has its own protocol', () => {
  expect(upgradeProtocol(verbs.console)).toBe('xcluster-console')
})

test('clients of any version may use stop, and no other verb', () => {
  expect(all.filter(({ anyVersion }) => anyVersion).map(({ name }) => name)).toEqual(['stop'])
})

test('the summary of each verb begins with a small letter and ends without a full stop', () => {
  const shouted = all.filter(({ summary }) => !/^[a-z][^\n]{8,60}[^.]$/.test(summary))
  expect(shouted.map(({ summary }) => summary)).toEqual([])
})

test('the verbs with a flag `wait` are those with a message for what has begun', () => {
  const begins = all.filter(({ said }) => said?.begun).map(({ name }) => name)
  const canBeLeft = all.filter(({ asks }) => Object.hasOwn(asks, 'wait')).map(({ name }) => name)
  expect(begins).toEqual(canBeLeft)
  expect(begins).toEqual(expect.arrayContaining(['reset', 'scaleout']))
})

test('the parameters of each GET are a node, which is in the path, flags and times; of an upgrade also text and lists', () => {
  const gets = all.filter(({ method, answer }) => method === 'GET' && answer !== 'upgrade')
  const others = gets.flatMap(({ asks }) =>
    Object.entries(asks)
      .filter(([name]) => name !== nodeIn(asks))
      .map(([, { kind }]) => kind),
  )
  expect([...new Set(others)]).toEqual(['flag', 'milliseconds'])
})
