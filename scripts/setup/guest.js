// @ts-check
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FetchError, fetchGuest } from '../fetch-guest.js'
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
      throw error instanceof FetchError ? new SetupFailure(error.message, { status: 4 }) : error
    }
    return fetched ? 'fetched' : 'up to date'
  },
})

/** The default guest image, in the cache that clusters use. */
export const guestImage = () => ({
  title: 'Guest image',
  /** @param {import('./steps.js').Say} say */
  async run(say) {
    /** @type {typeof import('../../src/image/index.ts')} */
    const { buildImage } = await import(pathToFileURL(inProject('dist/image/index.js')).href)
    const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster')
    const { kernelVersion } = await buildImage({ cacheDir, guestDir: inProject('guest'), notice: say })
    return `Linux ${kernelVersion}`
  },
})
