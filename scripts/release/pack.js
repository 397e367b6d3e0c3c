// @ts-check
import { mkdirSync } from 'node:fs'
import { prebuildAll } from '../prebuild/build.js'
import { command, FetchError } from '../setup/command.js'
import { foreground } from '../setup/foreground.js'
import { inProject } from '../setup/project.js'

/**
 * What npm says about a tarball.
 * @typedef {object} Packed
 * @property {string} filename
 * @property {number} size of the tarball, in bytes
 * @property {number} unpackedSize
 * @property {{ path: string, size: number }[]} files
 */

/**
 * Builds, packs, and resolves with what npm says about the tarball. Every platform has to be in it.
 * @param {string} folder
 * @returns {Promise<Packed>}
 */
export async function packRelease(folder) {
  const { left } = await prebuildAll()
  if (left.length > 0) throw new FetchError(`A release needs every platform. ${left.join(' ')}`)
  mkdirSync(folder, { recursive: true })
  const output = await command('npm', ['pack', '--json', '--pack-destination', folder], { cwd: inProject() })
  return JSON.parse(output)[0]
}

/**
 * Publishes a tarball. A pre-release does not become what people get by default.
 * @param {string} tarball
 * @param {{ version: string }} release
 */
export async function publish(tarball, { version }) {
  const tag = version.includes('-') ? ['--tag', 'next'] : []
  const npm = process.env.npm_execpath
  if (!npm) throw new FetchError('Run it by npm: npm run release -- --publish')
  process.exitCode = await foreground([npm, 'publish', tarball, '--provenance', '--access', 'public', ...tag])
}
