import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AnswerOf, type AskedOf, type Verb, verbTable } from '../../../src/api/index.ts'
import { plainCommand } from '../../../src/cli/commands.ts'
import type { PlainVerb } from '../../../src/cli/verb-command.ts'
import { call, callsOf } from '../../../src/client/calls.ts'
import { Listener } from '../../../src/owner/http/listener.ts'
import { openApi } from '../../../src/owner/http/openapi.ts'
import { routesOf } from '../../../src/owner/http/routes.ts'
import { serve } from '../../../src/owner/http/server.ts'
import { Owner } from '../../../src/owner/owner.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'

// An invented verb: everything else must follow from its description and its implementation.

const table = verbTable({
  shuffle: {
    summary: 'let nodes change places',
    help: 'Without nodes: all.',
    asks: {
      nodes: { kind: 'nodes', doc: '1 or vm-001', optional: true },
      inTurn: { kind: 'flag', usually: false, doc: 'one after the other', optional: true },
    },
    answer: 'status',
    said: { done: 'Shuffled' },
    errors: ['NODE_MISSING'],
  },
  rest: { summary: 'let a cluster rest', asks: {}, answer: 'status', said: { done: 'Rested' }, errors: [] },
})

const asked: AskedOf<typeof table.shuffle>[] = []

const routes = routesOf(table, {
  shuffle(owner, question) {
    asked.push(question)
    for (const node of question.nodes ?? []) owner.nodeId(node)
    return owner.status()
  },
  rest: owner => owner.status(),
})

class Shuffler extends callsOf(table) {
  override call<V extends Verb>(verb: V, question: AskedOf<V>): Promise<AnswerOf<V>> {
    return call({ name: 'default', socket: `${root}/xcluster/default/owner.sock` }, verb, question)
  }
}

let root: string
let api: Listener
let owner: Owner

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'xc-'))
  mkdirSync(`${root}/xcluster/default`, { recursive: true })
  const settings = resolveSettings({ options: { nvm: 2, nrouters: 0 } })
  owner = new Owner({
    plan: planCluster(settings),
    start: hooks => new FakeWorld().start(settings, hooks),
    captures: `${root}/captures`,
    leave: async () => {},
    log: () => {},
  })
  await owner.ready
  api = await Listener.open({
    socket: `${root}/xcluster/default/owner.sock`,
    log: () => {},
    load: server => serve({ owner, server, log: () => {}, routes }),
  })
  asked.length = 0
})

afterEach(async () => {
  await api.close()
  await owner.stop()
  rmSync(root, { recursive: true })
})

test('a new verb has a route that checks its parameters', async () => {
  const shuffler = new Shuffler()
  const { nodes } = await shuffler.shuffle({ nodes: [1, 'vm-002'], inTurn: true })
  expect(nodes.map(({ name }) => name)).toEqual(['vm-001', 'vm-002'])
  await shuffler.shuffle()
  expect(asked).toEqual([{ nodes: [1, 'vm-002'], inTurn: true }, {}])
  const odd = shuffler.call(table.shuffle, { nodes: [], inTurn: 1 as never })
  await expect(odd).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    reason: expect.stringMatching(/nodes.*inTurn|inTurn.*nodes/),
  })
  await expect(shuffler.shuffle({ nodes: [7] })).rejects.toMatchObject({ code: 'NODE_MISSING' })
  expect(asked).toHaveLength(3)
})

test('a new verb is in the OpenAPI document', () => {
  const { paths } = openApi(routes) as { paths: Record<string, { post: Record<string, unknown> }> }
  expect(Object.keys(paths)).toEqual(['/v1/shuffle', '/v1/rest'])
  expect(paths['/v1/rest']!.post).not.toHaveProperty('requestBody')
  expect(paths['/v1/shuffle']!.post).toMatchObject({
    summary: 'Let nodes change places',
    description: 'Without nodes: all.',
    requestBody: {
      required: false,
      content: {
        'application/json': {
          schema: {
            properties: {
              nodes: { type: 'array', minItems: 1, description: '1 or vm-001' },
              inTurn: { type: 'boolean', description: 'true: one after the other; false when left out' },
            },
            additionalProperties: false,
          },
        },
      },
    },
    responses: { default: { description: expect.stringContaining('BAD_REQUEST, NODE_MISSING') } },
  })
})

/** Runs the command of a verb as `xc` does, and returns its output. */
async function typed(verb: PlainVerb, ...words: string[]): Promise<string> {
  const said: string[] = []
  const hear = (text: unknown) => said.push(String(text)) > 0
  vi.spyOn(process.stdout, 'write').mockImplementation(hear)
  vi.spyOn(process.stderr, 'write').mockImplementation(hear)
  const { name, summary, load } = plainCommand(verb)
  const command = new Command(name).summary(summary).exitOverride()
  const places = { runtime: `${root}/xcluster`, state: root, cache: root }
  ;(await load()).configure(command, { env: {}, places, argv: [] }, [])
  try {
    await command.parseAsync(words, { from: 'user' })
  } catch (failure) {
    if ((failure as { code?: string }).code !== 'commander.helpDisplayed') throw failure
  } finally {
    vi.restoreAllMocks()
  }
  return said.join('')
}

test('a new verb has a command with help', async () => {
  const { shuffle, rest } = table
  expect(await typed(rest)).toBe('Rested.\n')
  expect(await typed(shuffle)).toBe('Shuffled: all nodes.\n')
  expect(await typed(shuffle, '1', 'vm-002', '--in-turn')).toBe('Shuffled: vm-001, vm-002.\n')
  expect(asked).toEqual([{}, { nodes: ['1', 'vm-002'], inTurn: true }])
  expect(JSON.parse(await typed(shuffle, '--json'))).toMatchObject({ v: 1, name: 'default', state: 'ready' })
  await expect(typed(shuffle, '7')).rejects.toMatchObject({ code: 'NODE_MISSING' })
  expect(await typed(shuffle, '--help')).toBe(`Usage: shuffle [options] [nodes...]

Arguments:
  nodes                1 or vm-001

Options:
  --name <cluster>     the cluster's name (default default) [XCLUSTER_NAME]
  --json               print the resulting status, as \`xc status --json\` does
  --timeout <seconds>  give up after this long
  --in-turn            one after the other
  -h, --help           display help for command

Without nodes: all.
`)
})

test('a verb without an implementation, or with a wrong answer, does not compile', () => {
  const rest = (owner: Owner) => owner.status()
  // @ts-expect-error `shuffle` is missing
  expect(routesOf(table, { rest })).toHaveLength(2)
  // @ts-expect-error its answer must be a status
  routesOf(table, { rest, shuffle: () => ({ v: 1 }) })
})
