// @ts-check
/**
 * What `xc setup` runs, in a checkout and in an installed package. Options: --install, --build (src/host/set-up.ts).
 */
import { packaged } from './packaged.js'
import { prepare } from './prepare.js'
import { isCheckout } from './project.js'

const has = (/** @type {string} */ option) => process.argv.includes(option)

/** The package does not have what builds a checkout. */
const steps = async () =>
  isCheckout()
    ? (await import('./everything.js')).everything()
    : packaged({ install: has('--install'), build: has('--build') })

process.exitCode = await prepare(await steps())
