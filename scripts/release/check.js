// @ts-check
import { readFileSync } from 'node:fs'
import { command } from '../setup/command.js'
import { inProject } from '../setup/project.js'
import { repositoryOf } from './repository.js'

/**
 * What a release is checked by.
 * @typedef {object} Release
 * @property {string} version of package.json
 * @property {string} codeVersion of src/base/version.ts
 * @property {string} changelog
 * @property {readonly string[]} tags of the repository
 * @property {string} uncommitted what git status prints
 * @property {string | undefined} repository npm compares it with where a release with provenance was built; '' if it is none
 */

/**
 * @param {readonly string[]} args of the command
 * @returns {Promise<Release>}
 */
export async function readRelease(args) {
  const git = (/** @type {readonly string[]} */ args) => command('git', args, { cwd: inProject() })
  const read = (/** @type {string} */ file) => readFileSync(inProject(file), 'utf8')
  const { version, repository } = JSON.parse(read('package.json'))
  return {
    version,
    repository: repositoryOf(args, process.env, repository?.url),
    codeVersion: /version = '(.+)'/.exec(read('src/base/version.ts'))?.[1] ?? '',
    changelog: read('CHANGELOG.md'),
    tags: (await git(['tag', '--list', 'v*'])).split('\n').filter(Boolean),
    uncommitted: await git(['status', '--porcelain']),
  }
}

const forProvenance = 'which provenance needs: give it with --repository https://HOST/PATH.'

/** semver.org, without build metadata, which npm ignores. */
const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?$/

/**
 * Why this is not fit for a release, in sentences. None: it is.
 * @param {Release} release
 * @returns {string[]}
 */
export function checkRelease({ version, codeVersion, changelog, tags, uncommitted, repository }) {
  const faults = []
  if (!semanticVersion.test(version)) faults.push(`package.json: '${version}' is not a semantic version.`)
  if (codeVersion !== version) faults.push(`src/base/version.ts has ${codeVersion}, package.json ${version}.`)
  if (uncommitted.trim() !== '') faults.push('There are changes that are not committed.')
  if (repository === undefined) faults.push(`No repository is known, ${forProvenance}`)
  else if (repository === '') faults.push(`The repository is not the address of one, ${forProvenance}`)
  return [...faults, ...checkAgainst(tags, version), ...checkChangelog(changelog, version)]
}

/** @type {(tags: readonly string[], version: string) => string[]} */
function checkAgainst(tags, version) {
  const released = tags.map(tag => tag.slice(1)).filter(each => semanticVersion.test(each))
  const newest = released.sort(bySemanticVersion).at(-1)
  if (newest === undefined || bySemanticVersion(version, newest) > 0) return []
  return [`${version} does not come after ${newest}, which has been released.`]
}

/** @type {(changelog: string, version: string) => string[]} */
function checkChangelog(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1)
  const [first = ''] = sections
  const [heading = '', ...lines] = first.split('\n')
  if (!/^\S+ \(\d{4}-\d\d-\d\d\)$/.test(heading) || !heading.startsWith(`${version} `))
    return [`CHANGELOG.md begins with '## ${heading}', not with '## ${version} (YYYY-MM-DD)'.`]
  return lines.some(line => line.startsWith('- ')) ? [] : [`CHANGELOG.md says nothing about ${version}.`]
}

/**
 * The order of semver.org §11: a pre-release comes before its release.
 * @param {string} a
 * @param {string} b
 */
export function bySemanticVersion(a, b) {
  const [coreA = '', ...preA] = a.split('-')
  const [coreB = '', ...preB] = b.split('-')
  const core = byNumbers(coreA.split('.'), coreB.split('.'))
  if (core !== 0) return core
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length || 0
  return byNumbers(preA.join('-').split('.'), preB.join('-').split('.'))
}

/** @type {(a: readonly string[], b: readonly string[]) => number} */
function byNumbers(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = '', other = ''] = [a[i], b[i]]
    if (one === other) continue
    const [isNumber, isOther] = [/^\d+$/.test(one), /^\d+$/.test(other)]
    if (isNumber && isOther) return Number(one) - Number(other)
    if (isNumber !== isOther) return isNumber ? -1 : 1
    return one < other ? -1 : 1
  }
  return a.length - b.length
}
