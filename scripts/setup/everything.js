// @ts-check
import { codeCache } from './code-cache.js'
import { debianPackages, packagesFor } from './debian.js'
import { guestImage, guestPackages } from './guest.js'
import { nodeModules } from './modules.js'
import { native } from './native.js'
import { programs } from './programs.js'
import { typescript } from './typescript.js'

/** The parts to build after a change: the addon, the launcher, dist/, the programs in it and their code cache. */
export const building = () => [native(), typescript(), programs(), codeCache()]

/**
 * Everything between a fresh clone and a machine that can start a cluster. It starts nothing, and skips what
 * is up to date.
 * @param {{ tests?: boolean }} [options] `tests`: includes what only the tests need
 */
export const everything = ({ tests = false } = {}) => [
  debianPackages([...packagesFor.running, ...packagesFor.building, ...(tests ? packagesFor.tests : [])], {
    install: true,
  }),
  nodeModules(),
  ...building(),
  guestPackages(),
  guestImage(),
]
