import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../../../src/cli/commands.ts'
import { importsOf } from '../../house/floors.ts'
import { inProject, readText } from '../../house/project.ts'

/** All modules that a command loads: static imports, from the main module and from the command's own file. */
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

// The aim is that `xc status` takes at most twice as long as an empty Node program (measured: 1.52 ×). A module costs
// about half a millisecond, a package tens of milliseconds, so a new package must not go unnoticed.
test.each([...ofRunningClusters, 'ls'])(
  'xc %s loads fewer than 75 modules, and no package but commander',
  command => {
    const { modules, packages } = loadedBy(command)
    expect([...packages].filter(name => !name.startsWith('node:'))).toEqual(['commander'])
    expect(modules.size).toBeGreaterThan(20)
    expect(modules.size).toBeLessThan(75)
    expect([...modules].filter(path => !/^src\/(api|base|client|cli)\//.test(path))).toEqual([])
  },
)

test('the list of commands for running clusters is complete', () => {
  expect(ofRunningClusters).toEqual(
    expect.arrayContaining(['status', 'stop', 'pause', 'scaleout', 'exec', 'vm', 'logs', 'check']),
  )
})
