// @ts-check
import { rmSync } from 'node:fs'
import { filesBelow, fingerprint, inProject, isStamped, writeStamp } from './project.js'

const folder = 'dist/programs'
const stamp = 'dist/.programs-stamp'

/**
 * What bin/ runs, and what that starts: files by their names, program by program. Programs share no file. An owner's
 * main module acts when it is loaded, and a packer may put what two programs share beside it.
 */
const programsOf = {
  xc: { xc: 'dist/cli/main.js', ahead: 'dist/owner/ahead.js' },
  owner: { owner: 'dist/owner/main.js' },
  worker: { worker: 'dist/dns/workers/worker.js' },
}

/**
 * The programs in few files: Node needs 0.35 ms of a processor for each module, and an owner has 360
 * (docs/decisions/programs.md). They lie as deep as the floors, because some modules find others from where they are.
 */
export const programs = () => ({
  title: 'Programs',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const before = mark()
    const results = Object.values(programsOf)
      .flatMap(Object.keys)
      .map(name => `${folder}/${name}.js`)
    if (isStamped(stamp, before, results)) return 'up to date'
    say('packing')
    rmSync(inProject(folder), { recursive: true, force: true })
    await pack()
    writeStamp(stamp, before)
    return 'packed'
  },
})

async function pack() {
  const { rolldown } = await import('rolldown')
  // Packages stay where npm has put them.
  const external = /** @param {string} id */ id => !/^[./]/.test(id)
  for (const [program, entries] of Object.entries(programsOf)) {
    const input = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, inProject(path)]))
    const bundle = await rolldown({ input, external, platform: 'node', cwd: inProject() })
    try {
      const chunkFileNames = `${program}-[name].js`
      await bundle.write({ dir: inProject(folder), format: 'esm', chunkFileNames })
    } finally {
      await bundle.close()
    }
  }
}

/**
 * True of what this step makes, in a folder that is another's.
 * @param {string} file
 */
export const isOfPrograms = file => file === stamp || file.startsWith(`${folder}/`)

function mark() {
  const modules = filesBelow('dist').filter(file => file.endsWith('.js') && !isOfPrograms(file))
  return fingerprint([...modules, 'scripts/setup/programs.js', 'node_modules/rolldown/package.json'])
}
