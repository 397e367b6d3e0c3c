import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { importsOf } from '../../house/floors.ts'
import { readText } from '../../house/project.ts'

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
  load(`src/cli/commands/${command}.ts`)
  return { modules, packages }
}

// `xc status` is to cost at most twice an empty Node (measured 1.86 ×). A module costs about half a
// millisecond, a package tens: what must not happen is that one comes in unseen.
test.each([
  ...['status', 'exec', 'stop', 'ls', 'check', 'logs', 'vm'],
  ...['pause', 'resume', 'reset', 'scaleout', 'scalein'],
])('xc %s loads next to nothing', command => {
  const { modules, packages } = loadedBy(command)
  expect([...packages].filter(name => !name.startsWith('node:'))).toEqual(['commander'])
  expect(modules.size).toBeGreaterThan(20)
  expect(modules.size).toBeLessThan(50)
  expect([...modules].filter(path => !/^src\/(base|client|cli)\//.test(path))).toEqual([])
})
