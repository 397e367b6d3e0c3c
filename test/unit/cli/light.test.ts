import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../../../src/cli/commands.ts'
import { importsOf } from '../../house/floors.ts'
import { inProject, readText } from '../../house/project.ts'

/** What a command loads: every module that is imported statically, from the main module and from its own file. */
function loadedBy(command: string): { modules: Set<string>; packages: Set<string> } {
  const modules = new Set<string>()
  const packages = new Set<string>()
  const load = (path: string): void => {
    if (modules.has(path)) return
    modules.add(path)
    for (const { specifier, kind } of importsOf(readText(path))) {
      if (kind !== 'static') continue
      if (specifier.startsWith('.')) load(join(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  load('src/cli/main.ts')
  const own = `src/cli/commands/${command}.ts`
  load(existsSync(inProject(own)) ? own : 'src/cli/verb-command.ts')
  return { modules, packages }
}

const ofRunningClusters = commands.filter(({ verb }) => verb).map(({ name }) => name)

// `xc status` is to cost at most twice an empty Node (measured 1.86 ×). A module costs about half a
// millisecond, a package tens: what must not happen is that one comes in unseen.
test.each([...ofRunningClusters, 'ls'])('xc %s loads next to nothing', command => {
  const { modules, packages } = loadedBy(command)
  expect([...packages].filter(name => !name.startsWith('node:'))).toEqual(['commander'])
  expect(modules.size).toBeGreaterThan(20)
  expect(modules.size).toBeLessThan(60)
  expect([...modules].filter(path => !/^src\/(api|base|client|cli)\//.test(path))).toEqual([])
})

test('the commands of running clusters are known here', () => {
  expect(ofRunningClusters).toEqual(
    expect.arrayContaining(['status', 'stop', 'pause', 'scaleout', 'exec', 'vm', 'logs', 'check']),
  )
})
