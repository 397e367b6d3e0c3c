// @ts-check
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { inProject } from './project.js'

/**
 * Runs a Node program in the foreground on this terminal, and resolves to its exit status. Ctrl-C reaches the
 * program itself; this process waits for the result.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export function foreground(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: inProject(),
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  const wait = () => {}
  process.on('SIGINT', wait)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', wait)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
