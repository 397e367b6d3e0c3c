import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { test } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

const { cache } = places(process.env, process.getuid!())

/** A host with a home of its own, where `xc setup` has run: it has images, and no templates or snapshots. */
function hostOfItsOwn(): Xc {
  const xc = new Xc()
  const own = join(xc.root, 'cache/xcluster')
  mkdirSync(own, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(cache))
    if (name !== 'templates') symlinkSync(join(cache, name), join(own, name))
  xc.env.XDG_CACHE_HOME = join(xc.root, 'cache')
  return xc
}

const keysOf = async (xc: Xc): Promise<string[]> => {
  const { templates } = JSON.parse(await xc.good(['cache', 'list', '--json']))
  return templates.map(({ key }: { key: string }) => key).sort()
}

const lab = ['--nvm', '1', '--nrouters', '1', '--smp', '1']

test('a host takes templates and a snapshot of another from files, as docs/slurm.md says, and boots nothing', async ({
  census,
}) => {
  const [first, second] = [hostOfItsOwn(), hostOfItsOwn()]
  await first.good(['start', '--freezable', ...lab])
  await first.good(['freeze', 'warm'])
  const keys = await keysOf(first)
  expect(keys).toHaveLength(2) // with two NICs, and with three
  const [templates, snapshot] = ['templates.xc', 'warm.xc'].map(name => join(first.root, name))
  await first.good(['cache', 'export', ...keys.map(key => key.slice(0, 8)), templates!])
  await first.good(['snapshot', 'export', 'warm', snapshot!])

  expect(await keysOf(second)).toEqual([])
  await second.good(['cache', 'import', templates!])
  expect(await keysOf(second)).toEqual(keys)
  await second.good(['start', ...lab])
  const { nodes } = JSON.parse(await second.good(['status', '--json']))
  for (const { milestones } of nodes) expect(milestones).not.toHaveProperty('kernel')
  expect(await keysOf(second)).toEqual(keys)
  await second.good(['stop'])

  await second.good(['snapshot', 'import', snapshot!])
  await second.good(['fork', 'warm'])
  expect(await second.good(['exec', '201', '--', 'hostname'])).toBe('vm-201\n')
  await second.good(['stop'])
  await census.expectUnchanged()
})
