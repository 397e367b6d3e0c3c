#!/usr/bin/env node
// @ts-check
/**
 * Checks and packs a release. It publishes only with --publish, from a clean checkout, with provenance, which npm gives in
 * CI alone (docs/setup.md). Otherwise nothing leaves this machine.
 *
 * node scripts/release.js [--repository https://HOST/PATH] [--publish]
 */
import { join } from 'node:path'
import { checkRelease, readRelease } from './release/check.js'
import { packRelease, publish } from './release/pack.js'
import { packWithRepository } from './release/repository.js'
import { describeSizes } from './release/sizes.js'
import { FetchError } from './setup/command.js'
import { inProject } from './setup/project.js'

const publishing = process.argv.includes('--publish')

try {
  const release = await readRelease(process.argv)
  const faults = checkRelease(release)
  for (const fault of faults) console.error(`✖ ${fault}`)
  const plain = await packRelease(inProject('build'))
  const { repository } = release
  const packed = repository
    ? await packWithRepository(join(inProject('build'), plain.filename), repository)
    : plain
  for (const line of describeSizes(packed)) console.error(line)
  const tarball = join(inProject('build'), packed.filename)
  if (faults.length > 0) {
    console.error('Not fit for a release, for the reasons above.')
    process.exitCode = 1
  } else if (publishing) await publish(tarball, release)
  else console.error(`${tarball} is fit for a release. With --publish it is published; nothing was.`)
} catch (failure) {
  if (!(failure instanceof FetchError)) throw failure
  console.error(failure.message)
  process.exitCode = 4
}
