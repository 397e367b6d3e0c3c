import { expect, test } from 'vitest'
import type { ClusterEvent } from '../../../src/api/index.ts'
import { defer, type Queue } from '../../../src/base/index.ts'
import type { StartHooks } from '../../../src/cluster/index.ts'
import { Owner, type ServedCluster } from '../../../src/owner/owner.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'

/** An owner whose cluster starts when told. */
function owner() {
  const cluster = defer<ServedCluster>()
  let hooks: Pick<StartHooks, 'onEvent' | 'signal'> = {}
  const owner = new Owner({
    plan: planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0 } })),
    start: given => {
      hooks = given
      return cluster.promise
    },
    captures: '/nowhere',
    leave: async () => {},
    log: () => {},
  })
  return { owner, cluster, tell: (text: string) => hooks.onEvent?.({ type: 'notice', text }) }
}

async function textsOf(events: Queue<ClusterEvent>): Promise<string[]> {
  const texts: string[] = []
  for await (const event of events)
    texts.push(event.type === 'notice' ? event.text : `${event.type} ${'state' in event && event.state}`)
  return texts
}

test('all who listen to an owner hear what happens from then on, until it has stopped', async () => {
  const { owner: it, cluster, tell } = owner()
  const early = it.events()
  tell('one')
  const late = it.events()
  tell('two')
  const stopped = it.stop()
  cluster.reject(new Error('called off'))
  await stopped
  await expect(it.ready).rejects.toThrow()
  expect(await textsOf(early)).toEqual(['one', 'two', 'cluster stopping'])
  expect(await textsOf(late)).toEqual(['two', 'cluster stopping'])
})

test('a listener that comes when the owner has stopped hears the end at once', async () => {
  const { owner: it, cluster } = owner()
  it.ready.catch(() => {})
  cluster.reject(new Error('no kernel'))
  await it.gone
  expect(await textsOf(it.events())).toEqual([])
})

test('a listener that lags 1,024 events behind its owner loses the oldest, and no other does', async () => {
  const { owner: it, cluster, tell } = owner()
  it.ready.catch(() => {})
  const slow = it.events()
  for (let i = 0; i < 10; i++) tell(`${i}`)
  const other = it.events()
  for (let i = 10; i < 1030; i++) tell(`${i}`)
  expect([slow.lost, other.lost]).toEqual([6, 0])
  expect(await slow.next()).toMatchObject({ value: { text: '6' } })
  slow.end()
  tell('after it left')
  expect(slow.lost).toBe(6)
  cluster.reject(new Error('over'))
  await it.gone
  expect((await textsOf(other)).slice(-2)).toEqual(['after it left', 'cluster stopping'])
})
