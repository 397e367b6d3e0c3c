// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SetupFailure } from './failure.js'

/**
 * Waits until no other set-up works in a folder, then makes others wait until the returned function is
 * called. The lock is flock(1)'s on the folder itself, held by a `cat` whose input is a pipe from here: it
 * goes with this process, however that ends.
 * @param {string} folder
 * @param {() => void} onWait called when another set-up is running
 * @returns {Promise<() => void>}
 */
export async function lockFolder(folder, onWait) {
  const holder = spawn('flock', [folder, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const timer = setTimeout(onWait, 300)
  const ended = once(holder, 'close').then(() => {
    throw new SetupFailure(`flock (of util-linux) could not lock ${folder}: check that you can read it.`)
  })
  await Promise.race([once(holder.stdout, 'data'), ended]).finally(() => clearTimeout(timer))
  ended.catch(() => {})
  return () => holder.stdin.end()
}
