// @ts-check
import { createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { command } from '../setup/command.js'

/**
 * The repository that a release is built from. It is the releaser's to say, because a fork has another: by `--repository
 * URL`, by the variables of GitHub's and GitLab's CI, or in package.json.
 * @param {readonly string[]} args of the command
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string | undefined} own the url in package.json
 * @returns {string | undefined} as npm writes it: `git+https://…`
 */
export function repositoryOf(args, env, own) {
  const at = args.indexOf('--repository')
  const said = at < 0 ? undefined : args[at + 1]
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: path, CI_PROJECT_URL: gitlab } = env
  const found = said ?? (server && path ? `${server}/${path}` : gitlab) ?? own
  if (found === undefined) return undefined
  const plain = found.replace(/^git\+/, '')
  return /^https:\/\/[^/\s]+\/\S+$/.test(plain) ? `git+${plain.replace(/(\.git)?\/?$/, '.git')}` : ''
}

/**
 * Packs the tarball again with this repository in its package.json. The checkout's stays as it is.
 * @param {string} tarball
 * @param {string} url
 * @returns {Promise<import('./pack.js').Packed>}
 */
export async function packWithRepository(tarball, url) {
  const folder = join(dirname(tarball), 'release')
  rmSync(folder, { recursive: true, force: true })
  await unpack(tarball, folder)
  const file = join(folder, 'package', 'package.json')
  const about = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, `${JSON.stringify({ ...about, repository: { type: 'git', url } }, undefined, 2)}\n`)
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', dirname(tarball)]
  const output = await command('npm', args, { cwd: join(folder, 'package') })
  rmSync(folder, { recursive: true, force: true })
  return JSON.parse(output)[0]
}

/** @param {string} tarball @param {string} folder */
async function unpack(tarball, folder) {
  const files = extract()
  files.on('entry', (header, stream, next) => {
    /** @type {Buffer[]} */
    const parts = []
    stream.on('data', part => parts.push(part))
    stream.on('end', () => {
      const path = join(folder, header.name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, Buffer.concat(parts), { mode: header.mode })
      next()
    })
  })
  await pipeline(createReadStream(tarball), createGunzip(), files)
}
