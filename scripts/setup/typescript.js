// @ts-check
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isOfPrograms } from './programs.js'
import { exists, filesBelow, fingerprint, inProject, isStamped, writeStamp } from './project.js'
import { run } from './run.js'

const stamp = 'dist/.stamp'
const compilerState = 'dist/.tsbuildinfo'

/** Compiles src/ to JavaScript and type declarations in dist/, and removes other files there but the programs. */
export const typescript = () => ({
  title: 'TypeScript',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const before = mark()
    if (isStamped(stamp, before, expected()) && stale().length === 0) return 'up to date'
    say('compiling')
    for (const file of stale()) rmSync(inProject(file))
    // The compiler writes only what changed since its last run, and does not notice that a result was
    // removed.
    if (!expected().every(exists)) rmSync(inProject(compilerState), { force: true })
    const compiler = inProject('node_modules/typescript/bin/tsc')
    await run(process.execPath, [compiler, '-p', 'tsconfig.json', '--pretty', 'false'], {
      remedy: 'The messages of the compiler are above; `npm run types` checks the tests as well.',
      onLine: say,
    })
    for (const file of expected()) if (file.endsWith('.d.ts')) forOlderCompilers(inProject(file))
    writeStamp(stamp, before)
    return 'compiled'
  },
})

/**
 * Declarations that TypeScript before 5.7 reads too: there, Uint8Array has no type argument. Without one it means the
 * same.
 * @param {string} file
 */
function forOlderCompilers(file) {
  const text = readFileSync(file, 'utf8')
  const plain = text.replaceAll(/Uint8Array<ArrayBuffer(Like)?>/g, 'Uint8Array')
  if (plain !== text) writeFileSync(file, plain)
}

const sources = () => filesBelow('src').filter(file => file.endsWith('.ts'))

function mark() {
  return fingerprint(['tsconfig.json', 'node_modules/typescript/package.json', ...sources()])
}

const expected = () =>
  sources().flatMap(source => {
    const base = source.replace(/^src/, 'dist').replace(/\.ts$/, '')
    return [`${base}.js`, `${base}.js.map`, `${base}.d.ts`]
  })

function stale() {
  if (!exists('dist')) return []
  const wanted = new Set([...expected(), stamp, compilerState])
  return filesBelow('dist').filter(file => !wanted.has(file) && !isOfPrograms(file))
}
