import { chmod, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { type ClusterEvent, startCluster } from '../../../src/index.ts'
import { exportTemplates, importTemplates, listTemplates, removeTemplates } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { said } from './guest-state.ts'

const ids = [1, 2, 3, 4, 201, 202]

test('six nodes are clones of templates that were saved, exported, imported and loaded, and leave nothing', async ({
  census,
}) => {
  const real = places(process.env, process.getuid!())
  const cache = await mkdtemp(join(tmpdir(), 'xcluster-cache-'))
  await chmod(cache, 0o755)
  for (const name of await readdir(real.cache))
    if (name !== 'templates') await symlink(join(real.cache, name), join(cache, name))

  const start = async () => {
    const notices: string[] = []
    const onEvent = (event: ClusterEvent) => void (event.type === 'notice' && notices.push(event.text))
    const cluster = await startCluster({ clone: 'always' }, { places: { ...real, cache }, onEvent })
    const booted = cluster.status().nodes.filter(({ milestones }) => 'kernel' in milestones)
    expect(booted, notices.join('\n')).toEqual([])
    return cluster
  }
  const keysOf = async () => (await listTemplates(cache)).map(({ key }) => key).sort()

  await (await start()).stop()
  const keys = await keysOf()
  expect(keys).toHaveLength(2) // with two NICs, and with three
  const file = join(cache, 'exported')
  await exportTemplates(cache, keys, file)
  await removeTemplates(cache, keys)
  expect((await importTemplates(cache, file)).sort()).toEqual(keys)

  await using cluster = await start()
  expect(await keysOf()).toEqual(keys)
  expect((await cluster.checkReach()).filter(({ ok }) => !ok)).toEqual([])
  const names = await Promise.all(ids.map(id => said(cluster, id, 'hostname')))
  expect(names.map(name => name.trim())).toEqual(ids.map(id => `vm-${String(id).padStart(3, '0')}`))
  expect(new Set(await Promise.all(ids.map(id => said(cluster, id, 'cat /etc/machine-id')))).size).toBe(6)
  await cluster.stop()
  await rm(cache, { recursive: true })
  await census.expectUnchanged()
})
