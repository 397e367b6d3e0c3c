// @ts-check
import { pathToFileURL } from 'node:url'
import { fetchGuest } from '../fetch-guest.js'
import { defaultCacheDir } from './cache.js'
import { FetchError } from './command.js'
import { withPackageLists } from './debian.js'
import { SetupFailure } from './failure.js'
import { inProject, writeLog } from './project.js'

/** The kernel and other parts that only guests need, unpacked in the cache. */
export const guestPackages = () => ({
  title: 'Guest packages',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    let fetched = false
    const notice = (/** @type {string} */ text) => {
      writeLog(`${text}\n`)
      fetched = true
      say(text)
    }
    try {
      await withPackageLists(say, () => fetchGuest({ notice }))
    } catch (error) {
      throw error instanceof FetchError
        ? new SetupFailure(error.message, { status: 4, code: 'GUEST_UNFETCHED' })
        : error
    }
    return fetched ? 'fetched' : 'up to date'
  },
})

/** The default guest image, in the cache that clusters use. */
export const guestImage = () => ({
  title: 'Guest image',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    /** @type {typeof import('../../src/host/set-up-parts.ts')} */
    const { buildImage } = await import(pathToFileURL(inProject('dist/library/setup.js')).href)
    const { kernelVersion } = await buildImage({
      cacheDir: defaultCacheDir(),
      notice: say,
    })
    return `Linux ${kernelVersion}`
  },
})
