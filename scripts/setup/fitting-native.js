// @ts-check
import { pathToFileURL } from 'node:url'
import { packagesFor, provide } from './debian.js'
import { buildNative } from './native.js'
import { inProject } from './project.js'

/**
 * Addon, launcher and guest program: those that the package brings where they fit this machine, else built here.
 * @param {{ install: boolean, build: boolean }} options
 */
export const fittingNative = ({ install, build }) => ({
  title: 'Native code',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    const misfit = build ? 'a build was asked for' : await misfitOf()
    if (misfit === undefined) return `fits linux-${process.arch}`
    say(misfit)
    await provide(packagesFor.building, {
      install,
      say,
      why: `To build the native code (${misfit}), a compiler is needed`,
      code: 'NO_COMPILER',
    })
    await buildNative(say)
    const still = await misfitOf()
    if (still !== undefined) throw new Error(`what was built does not fit: ${still}`)
    return 'built'
  },
})

/** Why native code does not fit this machine. Undefined when all of it does. */
async function misfitOf() {
  /** @type {typeof import('../../src/host/set-up-parts.ts')} */
  const { nativeMisfit } = await import(pathToFileURL(inProject('dist/library/setup.js')).href)
  return nativeMisfit()
}
