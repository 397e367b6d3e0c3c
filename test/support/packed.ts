import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const project = fileURLToPath(new URL('../..', import.meta.url))

/** The folder of a run's packed programs: below the project, where Node finds packages. temporary.ts removes it. */
export const packedFolder = (temporary = tmpdir()) => join(project, 'dist/tests', basename(temporary))

/**
 * Packs a program in TypeScript with all that it imports of this project, and gives the path of the result. Node starts
 * that in a tenth of the time that jiti takes to load some hundred modules, which counts in tests that start a program
 * again and again.
 */
export async function packed(script: string): Promise<string> {
  mkdirSync(packedFolder(), { recursive: true })
  const dir = mkdtempSync(join(packedFolder(), 'program-'))
  const bundle = await rolldown({
    input: script,
    external: id => !/^[./]|^@oxc-project/.test(id), // what `await using` becomes for Node 20 is packed too
    platform: 'node',
    cwd: project,
    transform: { target: 'node20' },
  })
  try {
    const { output } = await bundle.write({ dir, format: 'esm', keepNames: true })
    return join(dir, output[0].fileName)
  } finally {
    await bundle.close()
  }
}
