// @ts-check
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { filesBelow, fingerprint, inProject, isStamped, writeStamp } from './project.js'

const folder = 'dist/programs'
const libraryFolder = 'dist/library'
const manPage = `${folder}/xc.1`
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
 * The programs and the library in few files: Node needs 0.35 ms of a processor for each module, and an owner has 360
 * (docs/decisions/programs.md). They lie as deep as the floors, because some modules find others from where they are.
 */
export const programs = () => ({
  title: 'Programs',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const before = mark()
    const packed = Object.values(programsOf).flatMap(Object.keys)
    const results = [
      ...packed.map(name => `${folder}/${name}.js`),
      ...Object.keys(libraryEntries()).map(inLibrary),
      manPage,
    ]
    if (isStamped(stamp, before, results)) return 'up to date'
    say('packing')
    for (const each of [folder, libraryFolder]) rmSync(inProject(each), { recursive: true, force: true })
    await pack(inProject(folder), programsOf)
    await packLibrary()
    writeManPage()
    writeStamp(stamp, before)
    return 'packed'
  },
})

// Packages stay where npm has put them.
const external = /** @param {string} id */ id => !/^[./]/.test(id)

/**
 * Packs programs into a folder, as CommonJS modules: a code cache is of one of those (bin/load.js).
 * @param {string} directory
 * @param {Readonly<Record<string, Readonly<Record<string, string>>>>} programs
 */
export async function pack(directory, programs) {
  const { rolldown } = await import('rolldown')
  mkdirSync(directory, { recursive: true })
  for (const [program, entries] of Object.entries(programs)) {
    const input = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, inProject(path)]))
    const bundle = await rolldown({ input, external, platform: 'node', cwd: inProject() })
    try {
      const chunkFileNames = `${program}-[name].js`
      const { output } = await bundle.generate({ format: 'cjs', dynamicImportInCjs: false, chunkFileNames })
      for (const file of output)
        if (file.type === 'chunk') writeFileSync(join(directory, file.fileName), ascii(file.code))
    } finally {
      await bundle.close()
    }
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "commonjs" }\n')
}

/** The manual page, from the same descriptions as the help. */
function writeManPage() {
  const env = { ...process.env, XCLUSTER_HOOK: 'off' }
  const page = execFileSync(process.execPath, [inProject('bin/xc.js'), 'completion', 'man'], { env })
  writeFileSync(inProject(manPage), page)
}

/**
 * Packs what package.json exports, as ES modules that share files: a class is the same in `xcluster` and `xcluster/net`.
 */
async function packLibrary() {
  const { rolldown } = await import('rolldown')
  const bundle = await rolldown({ input: libraryEntries(), external, platform: 'node', cwd: inProject() })
  try {
    const names = { entryFileNames: '[name].js', chunkFileNames: 'part-[name].js' }
    await bundle.write({ dir: inProject(libraryFolder), format: 'esm', keepNames: true, ...names })
  } finally {
    await bundle.close()
  }
}

/**
 * Where the compiler has put the modules that package.json exports, by their names in the library. The types of each are
 * beside it. The worker's script lies beside what starts it. `setup` is for scripts/setup.
 * @returns {Record<string, string>}
 */
function libraryEntries() {
  /** @type {{ exports: Record<string, string | { types: string, default: string }> }} */
  const { exports } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
  const entries = Object.values(exports).flatMap(target =>
    typeof target === 'string' ? [] : [[basename(target.default, '.js'), inProject(compiled(target.types))]],
  )
  const worker = inProject(programsOf.worker.worker)
  return { ...Object.fromEntries(entries), worker, setup: inProject('dist/host/set-up-parts.js') }
}

const compiled = /** @param {string} types */ types => types.replace(/\.d\.ts$/, '.js')
const inLibrary = /** @param {string} name */ name => `${libraryFolder}/${name}.js`

/**
 * Node decodes a file that is not ASCII: 2 ms for the owner's.
 * @param {string} code
 */
const ascii = code =>
  code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * True of what this step makes, in a folder that is another's.
 * @param {string} file
 */
export const isOfPrograms = file =>
  file === stamp || file.startsWith(`${folder}/`) || file.startsWith(`${libraryFolder}/`)

function mark() {
  const modules = filesBelow('dist').filter(file => file.endsWith('.js') && !isOfPrograms(file))
  return fingerprint([
    ...modules,
    'package.json',
    'scripts/setup/programs.js',
    'node_modules/rolldown/package.json',
  ])
}
